//! `cargo xtask long`.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::Serialize;
use weightware::{Computer, Engine, Profile, profile_model};
use weightware_tests::long::{self, Long, Whole};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Programs, `queens nbody`; all if none is named
    programs: Vec<String>,
    /// Engines that decode the whole runs [default: plan jit]
    #[arg(long)]
    engine: Vec<Engine>,
    /// Only the plain interpreter and an independent engine: a quick check
    #[arg(long, conflicts_with_all = ["engine", "hull", "from"])]
    interpreter: bool,
    /// Tokens that hulls decode of each run, 2.4 s a million; `--engine hull` decodes whole runs
    #[arg(long, default_value_t = 50_000, value_name = "TOKENS")]
    hull: u64,
    /// The token of the trace at which engines begin; those before are prefilled
    #[arg(long, default_value_t = 0, value_name = "TOKEN")]
    from: u64,
    /// The profile of the model
    #[arg(long, default_value = Profile::STOCK.name, value_parser = PossibleValuesParser::new(Profile::ALL.map(|profile| profile.name)))]
    profile: String,
    /// Contexts of this many tokens, in which the runs go on without end [default: one context]
    #[arg(long, value_name = "TOKENS", conflicts_with = "bless")]
    context: Option<u64>,
    /// Arguments of the program, in place of those of programs/long/programs.txt
    #[arg(long, num_args = 1.., requires = "programs", conflicts_with = "bless")]
    arguments: Vec<String>,
    /// Programs that are run at the same time
    #[arg(long)]
    jobs: Option<usize>,
    /// One JSON object a program instead of the table
    #[arg(long)]
    json: bool,
    /// Write the page about all programs, tests/long.md
    #[arg(long)]
    bless: bool,
}

/// The results of a program.
#[derive(Debug, Serialize)]
struct Report {
    program: String,
    tokens: u64,
    stores: u64,
    /// `None` in several contexts.
    last_position: Option<u64>,
    contexts: u64,
    engines: Vec<Decoded>,
    problems: Vec<String>,
}

/// The measurements of an engine.
#[derive(Debug, Serialize)]
struct Decoded {
    engine: &'static str,
    /// The greatest number of tokens to decode.
    tokens: u64,
    seconds: f64,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<bool, String> {
        let mut all = long::programs()?;
        if !self.arguments.is_empty() {
            let with_arguments = |long: Long| long.with_arguments(&self.arguments);
            all = all.into_iter().map(with_arguments).collect();
        }
        let chosen = self.chosen(&all)?;
        if self.bless && chosen.len() < all.len() {
            return Err("--bless writes the page about all programs".into());
        }
        let profile = self.profile()?;
        let computer = Computer::new(profile_model(profile)).map_err(|error| error.to_string())?;
        let start = Instant::now();
        let mut done = self.reports(&computer, &chosen);
        done.sort_by_key(|(index, ..)| *index);
        let wrong = done
            .iter()
            .filter(|(_, report, _)| !report.problems.is_empty());
        let wrong = wrong.count();
        let tokens: u64 = done.iter().map(|(_, report, _)| report.tokens).sum();
        if !self.json {
            println!(
                "\n{} programs, {tokens} tokens, {wrong} wrong, {:.1} s",
                chosen.len(),
                start.elapsed().as_secs_f64()
            );
        }
        let mut passed = wrong == 0;
        if chosen.len() == all.len() && passed && self.context.is_none() {
            let runs: Vec<_> = done
                .iter()
                .filter_map(|(index, _, whole)| Some((chosen[*index], whole.as_ref()?)))
                .collect();
            passed = self.page(&long::page(&runs))?;
        }
        Ok(passed)
    }

    fn profile(&self) -> Result<Profile, String> {
        let profile = Profile::named(&self.profile).ok_or("no such profile")?;
        Ok(match self.context {
            Some(tokens) => profile.with_context(tokens),
            None => profile,
        })
    }

    fn chosen<'a>(&self, all: &'a [Long]) -> Result<Vec<&'a Long>, String> {
        if self.programs.is_empty() {
            return Ok(all.iter().collect());
        }
        let found = self.programs.iter().map(|name| {
            let found = all.iter().find(|long| long.name == *name);
            found.ok_or_else(|| format!("programs/long has no {name}"))
        });
        found.collect()
    }

    /// Writes the page, or returns whether the committed one is equal.
    fn page(&self, page: &str) -> Result<bool, String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("long.md");
        if self.bless {
            std::fs::write(&path, page).map_err(|error| error.to_string())?;
            return Ok(true);
        }
        let same = std::fs::read_to_string(&path).is_ok_and(|old| old == page);
        if !same {
            eprintln!("tests/long.md says something else; --bless writes it");
        }
        Ok(same)
    }

    /// Runs the programs, some at a time, and prints a line for each when it is done.
    fn reports(
        &self,
        computer: &Computer,
        chosen: &[&Long],
    ) -> Vec<(usize, Report, Option<Whole>)> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let done = Mutex::new(vec![]);
        if !self.json {
            println!(
                "| program | tokens | stores | last position | contexts | engines | verdict |"
            );
            println!("|---|---:|---:|---:|---:|---|---|");
        }
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.unwrap_or(cores).clamp(1, chosen.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(long) = chosen.get(index) else { break };
                        let (report, whole) = self.report(computer, long);
                        let mut done = done.lock().expect("no thread panics");
                        self.show(&report);
                        done.push((index, report, whole));
                    }
                });
            }
        });
        done.into_inner().expect("no thread panics")
    }

    fn report(&self, computer: &Computer, long: &Long) -> (Report, Option<Whole>) {
        let start = Instant::now();
        let mut report = Report {
            program: long.name.clone(),
            tokens: 0,
            stores: 0,
            last_position: None,
            contexts: 0,
            engines: vec![],
            problems: vec![],
        };
        let turning = self.context.and_then(|_| self.profile().ok());
        let whole = match long.whole(turning) {
            Ok(whole) => whole,
            Err(problem) => {
                report.problems.push(problem);
                return (report, None);
            }
        };
        report.tokens = whole.tokens;
        report.stores = whole.stores;
        report.last_position = (whole.contexts == 1).then(|| whole.last_position());
        report.contexts = whole.contexts;
        report.engines.push(Decoded {
            engine: "interpreter",
            tokens: whole.tokens,
            seconds: start.elapsed().as_secs_f64(),
        });
        for (engine, limit) in self.engines() {
            let start = Instant::now();
            let decoded = whole.decode(computer, engine, self.from, limit, |tokens| {
                progress(&long.name, engine, tokens, whole.tokens);
            });
            let left = whole.tokens.saturating_sub(self.from);
            report.engines.push(Decoded {
                engine: engine.name(),
                tokens: limit.unwrap_or(left).min(left),
                seconds: start.elapsed().as_secs_f64(),
            });
            report.problems.extend(decoded.err());
        }
        (report, Some(whole))
    }

    /// The engines, and how many tokens each decodes.
    fn engines(&self) -> Vec<(Engine, Option<u64>)> {
        if self.interpreter {
            return vec![];
        }
        let named = match self.engine.is_empty() {
            true => vec![Engine::Plan, Engine::Jit],
            false => self.engine.clone(),
        };
        let mut engines: Vec<_> = named.iter().map(|&engine| (engine, None)).collect();
        if self.hull > 0 && !named.contains(&Engine::Hull) {
            engines.push((Engine::Hull, Some(self.hull)));
        }
        engines
    }

    fn show(&self, report: &Report) {
        if self.json {
            println!(
                "{}",
                serde_json::to_string(report).expect("a report has no maps")
            );
            return;
        }
        let engines = report.engines.iter().map(|decoded| {
            let Decoded {
                engine,
                tokens,
                seconds,
            } = decoded;
            match *tokens == report.tokens {
                true => format!("{engine} {seconds:.1} s"),
                false => format!("{engine} {tokens} tokens {seconds:.1} s"),
            }
        });
        let verdict = match report.problems.is_empty() {
            true => "the same".to_owned(),
            false => format!("WRONG: {}", report.problems.join("; ")),
        };
        println!(
            "| {} | {} | {} | {} | {} | {} | {verdict} |",
            report.program,
            report.tokens,
            report.stores,
            report
                .last_position
                .map_or("-".into(), |last| last.to_string()),
            report.contexts,
            engines.collect::<Vec<_>>().join(", ")
        );
    }
}

/// The progress line at the bottom of a terminal.
fn progress(program: &str, engine: Engine, tokens: u64, of: u64) {
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() {
        let _ = write!(
            stderr,
            "\r{program}: {} {tokens} of {of} tokens\x1b[K\r",
            engine.name()
        );
        let _ = stderr.flush();
    }
}
