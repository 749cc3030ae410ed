//! `cargo xtask spec`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use weightware::{Computer, Profile, profile_model};
use weightware_tests::spec::{self, File, Report};

use super::How;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Files of the suite, `i32 traps`; all if none is named
    files: Vec<String>,
    #[command(flatten)]
    how: How,
    /// Write the table of the whole suite, tests/spec.md
    #[arg(long)]
    bless: bool,
    /// Files that are run at the same time
    #[arg(long)]
    jobs: Option<usize>,
    /// Failures that are shown for each file
    #[arg(long, default_value_t = 10)]
    show: usize,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let files = self.chosen()?;
        let whole = files.len() == spec::files().len();
        // The interpreter has no horizon: it runs programs that the weights refuse.
        if self.bless && !(whole && self.how.weights()) {
            return Err("--bless writes the table of the whole suite, run by the weights".into());
        }
        let start = Instant::now();
        let reports = self.reports(&files);
        let mut passed = true;
        for report in &reports {
            for (line, problem) in report.failures.iter().take(self.show) {
                println!("{}.wast:{line}: {problem}", report.name);
            }
            passed &= report.failures.is_empty();
        }
        let table = spec::table(&reports);
        if whole && self.how.weights() {
            let path = path();
            let old = std::fs::read_to_string(&path).unwrap_or_default();
            if self.bless {
                std::fs::write(&path, &table).map_err(|error| error.to_string())?;
            } else if old != table {
                for change in changes(&old, &table) {
                    println!("{change}");
                }
                println!("tests/spec.md says something else; --bless writes it");
                passed = false;
            }
        }
        let sum = |count: fn(&Report) -> u64| reports.iter().map(count).sum::<u64>();
        println!(
            "{} files ({}): {} pass, {} fail, {} refused; {} runs, {} tokens of prompts, {} of traces, {:.1} s",
            reports.len(),
            self.how.name(),
            sum(|report| report.pass as u64),
            sum(|report| report.failures.len() as u64),
            sum(|report| report.refused() as u64),
            sum(|report| report.effort.runs),
            sum(|report| report.effort.prompt),
            sum(|report| report.effort.trace),
            start.elapsed().as_secs_f64(),
        );
        Ok(passed)
    }

    fn chosen(&self) -> Result<Vec<File>, String> {
        let all = spec::files();
        if self.files.is_empty() {
            return Ok(all);
        }
        let names = self.files.iter().map(|name| name.trim_end_matches(".wast"));
        names
            .map(|name| {
                let found = all.iter().find(|file| file.name == name);
                found
                    .cloned()
                    .ok_or_else(|| format!("the suite has no file {name}"))
            })
            .collect()
    }

    /// Runs the files, some at a time, and prints a line for each when it is done.
    fn reports(&self, files: &[File]) -> Vec<Report> {
        let computer = Computer::new(profile_model(Profile::FAR)).expect("a compiled machine");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let done = Mutex::new(vec![]);
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.unwrap_or(cores).min(files.len()) {
                scope.spawn(|| {
                    while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let start = Instant::now();
                        let report = spec::run(file, &self.how.executor(&computer));
                        show(&report, start.elapsed());
                        done.lock().expect("no thread panics").push(report);
                    }
                });
            }
        });
        let mut reports = done.into_inner().expect("no thread panics");
        reports.sort_by(|a, b| a.name.cmp(&b.name));
        reports
    }
}

fn show(report: &Report, time: Duration) {
    println!(
        "{:24} {:5} pass {:4} fail {:4} refused {:5} runs {:9} tokens {:6.1} s",
        report.name,
        report.pass,
        report.failures.len(),
        report.refused(),
        report.effort.runs,
        report.effort.prompt + report.effort.trace,
        time.as_secs_f64()
    );
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("spec.md")
}

/// The lines that occur in only one of two texts.
fn changes(old: &str, new: &str) -> Vec<String> {
    let only = |sign: char, these: &str, those: &str| {
        let lines = these
            .lines()
            .filter(|line| !those.lines().any(|other| other == *line));
        lines
            .map(|line| format!("{sign} {line}"))
            .collect::<Vec<_>>()
    };
    let mut all = only('-', old, new);
    all.extend(only('+', new, old));
    all
}
