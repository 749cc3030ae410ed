//! The command line: parses arguments, calls the library, prints.
#![forbid(unsafe_code)]

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use weightware_runtime::general::{Budget, Engine};
use weightware_train::grid::Grid;
use weightware_train::{
    Answers, Error, Outcome, Progress, Result, Run, RunResult, Settings, files,
};

/// Train small transformers of any head dimension, and compare them.
///
/// Exit codes: 0 done, 1 failure, 2 wrong usage, 130 interrupted (the checkpoint is kept).
#[derive(Parser)]
#[command(name = "weightware-train", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train one model by the settings in a TOML file.
    Run {
        /// The settings.
        config: PathBuf,
        /// The folder of the results; created if it does not exist.
        #[arg(long)]
        out: PathBuf,
        /// Go on from the folder's checkpoint, if there is one.
        #[arg(long)]
        resume: bool,
        /// The text of the task `text`, instead of the settings' one.
        #[arg(long)]
        text: Option<PathBuf>,
    },
    /// Train all runs of a grid, each in a process and a folder of its own. Finished ones are kept.
    Grid {
        /// The grid.
        grid: PathBuf,
        /// The folder of the results; created if it does not exist.
        #[arg(long)]
        out: PathBuf,
        /// Processes at a time, each with one thread.
        #[arg(long, default_value_t = 1)]
        jobs: usize,
        /// The text of the experiments of the task `text`.
        #[arg(long)]
        text: Option<PathBuf>,
    },
    /// Write a page of tables and plots from the results of a grid.
    Report {
        /// The folder of a grid's results.
        dir: PathBuf,
        /// The page, a Markdown file; plots and collected results go into the folder of its name.
        #[arg(long)]
        out: PathBuf,
        /// The page's text before the tables, a Markdown file.
        #[arg(long)]
        introduction: PathBuf,
    },
    /// Hide needles in a long context, and ask a model of the task `needle` for each of them.
    Needle {
        /// The folder of a run.
        dir: PathBuf,
        /// Tokens of the context.
        #[arg(long, default_value_t = 1_000_000)]
        context: usize,
        /// Contexts, each with all needles at other places.
        #[arg(long, default_value_t = 1)]
        haystacks: usize,
        /// Attend to the best K keys; without it and --mass-error to all keys.
        #[arg(long, conflicts_with = "mass_error")]
        k: Option<usize>,
        /// Attend to as many keys as leave out at most this share of the probability.
        #[arg(long)]
        mass_error: Option<f64>,
    },
    /// Run the tests of a finished or interrupted run again, and print their results.
    Eval {
        /// The folder of a run.
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    // The second interrupt ends the program at once.
    let handler = move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    let handled = ctrlc::set_handler(handler);
    let args = Args::parse();
    let done = match handled {
        Err(e) => {
            say(&format!(
                "weightware-train: interrupts end it at once: {e}\n"
            ));
            execute(args.command, &stop)
        }
        Ok(()) => execute(args.command, &stop),
    };
    match done {
        Ok(code) => code,
        Err(e) => {
            say(&format!("weightware-train: {e}\n"));
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command, stop: &AtomicBool) -> Result<ExitCode> {
    match command {
        Command::Run {
            config,
            out,
            resume,
            text,
        } => {
            let settings = Settings::read(&config)?.with_text(text)?;
            run(settings, &out, resume, stop)
        }
        Command::Grid {
            grid: path,
            out,
            jobs,
            text,
        } => {
            let mut grid = Grid::read(&path)?;
            if let Some(text) = text {
                grid.set_text(&text);
            }
            grid.save(&out)?;
            let program = std::env::current_exe().map_err(|e| Error::io(&out, e))?;
            let failures =
                grid.run(&out, &program, jobs, stop, |line| say(&format!("{line}\n")))?;
            if stop.load(Ordering::Relaxed) {
                say("weightware-train: interrupted; the same command goes on from there\n");
                return Ok(ExitCode::from(130));
            }
            Ok(if failures == 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Command::Report {
            dir,
            out,
            introduction,
        } => {
            let text = std::fs::read_to_string(&introduction);
            let text = text.map_err(|e| Error::io(&introduction, e))?;
            let grid = Grid::read(&dir.join(Grid::FILE))?;
            weightware_train::report(&grid, &dir, &out, &text)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Needle {
            dir,
            context,
            haystacks,
            k,
            mass_error,
        } => {
            let engine = match (k, mass_error) {
                (Some(k), _) => Engine::Sparse(Budget::Keys(k)),
                (None, Some(error)) => Engine::Sparse(Budget::MassError(error)),
                (None, None) => Engine::Softmax,
            };
            let answers = weightware_train::search(&dir, engine, context, haystacks)?;
            print(&found(&answers));
            Ok(ExitCode::SUCCESS)
        }
        Command::Eval { dir } => {
            let settings = Settings::read(&dir.join(files::SETTINGS))?;
            let tests = Run::resume(settings, &dir)?.tests()?;
            print(&weightware_train::table_of_tests(&tests));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn run(settings: Settings, out: &Path, resume: bool, stop: &AtomicBool) -> Result<ExitCode> {
    let has_checkpoint = out.join(files::CHECKPOINT).exists();
    if has_checkpoint && !resume {
        return Err(Error::occupied(out));
    }
    let run = match has_checkpoint {
        true => Run::resume(settings, out)?,
        false => Run::new(settings)?,
    };
    let mut line = Line::new();
    let outcome = run.finish(out, stop, |progress| line.show(progress))?;
    line.clear();
    match outcome {
        Outcome::Finished(result) => {
            print(&summary(&result));
            if let Ok(sample) = std::fs::read_to_string(out.join(files::SAMPLE)) {
                print(&format!("\n{sample}\n"));
            }
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Stopped(step) => {
            say(&format!(
                "weightware-train: stopped after {step} steps; --resume goes on from there\n"
            ));
            Ok(ExitCode::from(130))
        }
    }
}

fn found(answers: &Answers) -> String {
    let parts = answers.by_part.iter();
    let parts = parts.map(|[asked, right]| format!("{right}/{asked}"));
    let work = &answers.work;
    format!(
        "{} of {} needles found among {} tokens; by tenth of the context: {}\n\
         {:.1} s for reading, {:.3} s for questions; a query used {:.1} keys by {:.1} operations; \
         left out at most {:.2e} of the probability\n",
        answers.right,
        answers.asked,
        answers.context,
        parts.collect::<Vec<_>>().join(" "),
        answers.reading,
        answers.asking,
        work.keys as f64 / work.queries.max(1) as f64,
        work.operations as f64 / work.queries.max(1) as f64,
        work.missed
    )
}

fn summary(result: &RunResult) -> String {
    format!(
        "{} parameters, {:.1} s, loss {:.4}\n{}",
        result.parameters,
        result.seconds,
        result.loss,
        weightware_train::table_of_tests(&result.tests)
    )
}

/// A line of progress on a terminal; nothing elsewhere.
struct Line {
    is_shown: bool,
    last: Option<Instant>,
}

impl Line {
    fn new() -> Self {
        Self {
            is_shown: io::stderr().is_terminal(),
            last: None,
        }
    }

    fn show(&mut self, progress: Progress) {
        let is_new = self
            .last
            .is_none_or(|last| last.elapsed() > Duration::from_millis(200));
        if self.is_shown && is_new {
            let Progress {
                step,
                steps,
                loss,
                seconds_left,
            } = progress;
            say(&format!(
                "\r\x1b[Kstep {step}/{steps}, loss {loss:.4}, {seconds_left:.0} s left"
            ));
            self.last = Some(Instant::now());
        }
    }

    fn clear(&self) {
        if self.last.is_some() {
            say("\r\x1b[K");
        }
    }
}

/// Writes to the standard output; a reader that has gone is no failure.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
