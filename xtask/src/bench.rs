//! `cargo xtask bench`: the engines side by side, and a chart of how time per token grows.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use weightware::{Computer, Engine, Run};

use crate::chart::{Curve, svg};
use crate::demo::{inkala, long_loop, matching};
use crate::figures::{Figures, per_second, rounded, seconds};
use crate::live::{Show, status_line};
use crate::thousands::thousands;
use crate::workspace;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Tokens of the longest run
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(10_000..16_000_000))]
    tokens: u64,
    /// Seconds that an engine may take for the chart
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Where the chart is written
    #[arg(long, default_value = "target/speed.svg")]
    chart: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The hull index against a scan, an ordered map and rebuilt static hulls, over sizes: a table
    /// and a chart
    Hull {
        /// The most keys
        #[arg(long, default_value_t = 10_000_000)]
        most: usize,
        /// Where to write the chart
        #[arg(long, default_value = "target/hull-bench.svg")]
        svg: PathBuf,
    },
    /// The sparse engine inside a trained model, against a scan of all keys: what it leaves out,
    /// and tokens per second over the length of the context
    Sparse {
        /// A folder with a general model
        #[arg(long)]
        model: PathBuf,
        /// A text of its tokens
        #[arg(long)]
        text: PathBuf,
        /// Tokens of the longest context
        #[arg(long, default_value_t = 1_000_000)]
        most: usize,
    },
}

impl Part {
    fn run(self) -> Result<()> {
        let bench =
            |name| workspace::cargo(&["bench", "-p", "weightware-benches", "--bench", name]);
        let mut command = match self {
            Self::Hull { most, svg } => {
                let mut command = bench("hull_chart");
                let most = most.to_string();
                command.args(["--", "--most", &most, "--svg"]);
                command.arg(std::path::absolute(svg)?);
                command
            }
            Self::Sparse { model, text, most } => {
                let mut command = bench("sparse");
                command
                    .arg("--")
                    .arg("--model")
                    .arg(std::path::absolute(model)?);
                command.arg("--text").arg(std::path::absolute(text)?);
                command.args(["--most", &most.to_string()]);
                command
            }
        };
        let status = command.status().context("cargo bench")?;
        ensure!(status.success(), "the bench failed: {status}");
        Ok(())
    }
}

/// The engines, the fast ones first: the others are compared with their tokens.
fn engines() -> Vec<Engine> {
    let mut engines = vec![Engine::Plan, Engine::Hull, Engine::Softmax];
    if Engine::Jit.is_available() {
        engines.insert(0, Engine::Jit);
    }
    engines
}

/// Positions at which the table states the time per token.
const STATED: [u64; 4] = [1_000, 10_000, 1_000_000, 10_000_000];

/// The measurements of one engine on the long loop.
struct Long {
    curve: Curve,
    /// Nanoseconds per token up to each of these numbers of tokens.
    times: Vec<(u64, f64)>,
    /// Nanoseconds per token of a long prompt, including the time to build a plan.
    prefill: Option<f64>,
    cached: usize,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        if let Some(part) = self.part {
            return part.run();
        }
        let machine = processor().unwrap_or_else(|| "unknown".to_owned());
        println!("`cargo xtask bench` on {machine}, time on one processor:\n");

        let engines = engines();
        let long = engines
            .iter()
            .map(|&engine| self.long(engine))
            .collect::<Result<Vec<_>>>()?;
        let names: Vec<&str> = engines.iter().map(|engine| engine.name()).collect();
        println!(
            "| what | {} |\n|---|{}",
            names.join(" | "),
            "---|".repeat(names.len())
        );
        let row =
            |what: &str, figures: Vec<String>| println!("| {what} | {} |", figures.join(" | "));
        for at in STATED.into_iter().filter(|&at| at <= self.tokens) {
            let figure = |long: &Long| {
                let found = long.times.iter().find(|(tokens, _)| *tokens == at);
                found.map_or("-".to_owned(), |(_, time)| {
                    format!("{} ns/token", rounded(*time))
                })
            };
            row(
                &format!("loop, at {} tokens", thousands(at)),
                long.iter().map(figure).collect(),
            );
        }
        row(
            "taking in a prompt of 21,600 tokens",
            long.iter().map(|long| nanoseconds(long.prefill)).collect(),
        );
        row(
            "keys and values of the longest run",
            long.iter()
                .map(|l| format!("{} MiB", l.cached >> 20))
                .collect(),
        );
        type Program = fn(Engine, Show) -> Result<Figures>;
        let programs: [(&str, Program); 2] = [
            ("Sudoku, Arto Inkala's", inkala),
            ("matching, 10 x 10", matching),
        ];
        for (name, program) in programs {
            let mut figures = vec![];
            for &engine in engines.iter().filter(|engine| !engine.is_linear()) {
                let mut best: Option<(Duration, Figures)> = None;
                let repeated = if engine.is_planned() { REPEATED } else { 1 };
                for _ in 0..repeated {
                    let start = Stopwatch::start();
                    let figures = program(engine, Show::Nothing)?;
                    let time = start.elapsed();
                    if best.as_ref().is_none_or(|(least, _)| time < *least) {
                        best = Some((time, figures));
                    }
                }
                figures.push(best.map_or("-".to_owned(), |(time, best)| whole(&best, time)));
            }
            figures.push("-".to_owned());
            row(name, figures);
        }
        if let Some(kib) = peak_memory() {
            println!("\nPeak memory of all: {} MiB.", kib >> 10);
        }
        let curves: Vec<Curve> = long.into_iter().map(|long| long.curve).collect();
        fs::write(
            &self.chart,
            svg("Time per token of an endless loop, by engine", &curves),
        )?;
        println!("Chart: {}", self.chart.display());
        Ok(())
    }

    /// Runs the loop up to the greatest length, or until the time is up.
    fn long(&self, engine: Engine) -> Result<Long> {
        let computer = Computer::default();
        // Even without input, this program has a prompt of 21,000 tokens.
        let long_prompt = workspace::program("sudoku.wasm")?.program(b"");
        // Its time grows with the square of its length, and would be minutes.
        let prefill = if engine.is_linear() {
            None
        } else {
            let start = Stopwatch::start();
            let run = computer.run(&long_prompt, engine, Some(0))?;
            Some(start.elapsed().as_secs_f64() * 1e9 / run.prompt_tokens() as f64)
        };
        let mut run = computer.run(&long_loop()?, engine, None)?;
        let bar = status_line();
        let (mut curve, mut times) = (vec![], vec![]);
        let mut total = Duration::ZERO;
        let mut before = 0;
        for tokens in checkpoints(self.tokens) {
            let start = Stopwatch::start();
            go_on(&mut run, tokens)?;
            let stretch = start.elapsed();
            let now = run.reader().tokens();
            let time = stretch.as_secs_f64() * 1e9 / (now - before) as f64;
            curve.push((tokens as f64, time));
            times.push((tokens, time));
            before = now;
            total += stretch;
            bar.set_message(format!("{} {} tokens", engine.name(), thousands(tokens)));
            // The next stretch is about twice as long; a linear cache takes four times as long for
            // it.
            if total > Duration::from_secs(self.seconds) / 4 && engine.is_linear()
                || total > Duration::from_secs(self.seconds)
            {
                break;
            }
        }
        bar.finish_and_clear();
        Ok(Long {
            curve: Curve {
                name: engine.name(),
                points: curve,
            },
            times,
            prefill,
            cached: run.stats().cached_bytes,
        })
    }
}

fn nanoseconds(time: Option<f64>) -> String {
    time.map_or("-".to_owned(), |time| format!("{} ns/token", rounded(time)))
}

/// The number of runs, of which the best counts: other processes share the machine.
const REPEATED: usize = 3;

/// Lengths to measure: 500, 1,000, 2,000, 5,000 and so on.
fn checkpoints(last: u64) -> impl Iterator<Item = u64> {
    let decades = (2..8).map(|exponent| 10_u64.pow(exponent));
    let all = decades.flat_map(|decade| [decade, 2 * decade, 5 * decade]);
    all.filter(move |&tokens| (500..=last).contains(&tokens))
}

fn go_on(run: &mut Run<'_>, tokens: u64) -> Result<()> {
    let left = tokens.saturating_sub(run.reader().tokens());
    let decoded = run.advance(left as usize);
    ensure!(decoded as u64 == left, "the loop ended: {:?}", run.end());
    Ok(())
}

/// A whole run in words: model, prompt and trace.
fn whole(figures: &Figures, time: Duration) -> String {
    let tokens = figures.prompt + figures.tokens;
    format!(
        "{} tok/s, {} tokens after {} in {}",
        rounded(per_second(tokens, time)),
        thousands(figures.tokens),
        thousands(figures.prompt),
        seconds(time),
    )
}

/// Measures the processor time of this process, if the system reports it, so that other processes
/// do not count. It comes in steps of some milliseconds, so short times are taken from the wall
/// clock.
struct Stopwatch {
    wall: Instant,
    processor: Option<Duration>,
}

impl Stopwatch {
    fn start() -> Self {
        Self {
            wall: Instant::now(),
            processor: on_processor(),
        }
    }

    fn elapsed(&self) -> Duration {
        let wall = self.wall.elapsed();
        let processor = self.processor.zip(on_processor());
        match processor {
            Some((start, now)) if wall > Duration::from_millis(20) => now - start,
            _ => wall,
        }
    }
}

/// The processor time so far.
fn on_processor() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split(' ')
        .next()?
        .parse()
        .ok()
        .map(Duration::from_nanos)
}

/// The peak memory of this process in KiB, if the system reports it.
fn peak_memory() -> Option<u64> {
    field(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM")?
        .strip_suffix(" kB")?
        .trim()
        .parse()
        .ok()
}

/// The processor's name, if the system reports it.
fn processor() -> Option<String> {
    field(&fs::read_to_string("/proc/cpuinfo").ok()?, "model name").map(str::to_owned)
}

/// The value of a line `NAME: VALUE`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields() {
        let text = "Name:\txtask\nVmHWM:\t  183460 kB\nmodel name\t: Some: CPU\n";
        assert_eq!(field(text, "VmHWM"), Some("183460 kB"));
        assert_eq!(field(text, "model name"), Some("Some: CPU"));
        assert_eq!(field(text, "Vm"), None);
    }

    #[test]
    fn checkpoints_are_round() {
        let all: Vec<u64> = checkpoints(20_000).collect();
        assert_eq!(all, [500, 1_000, 2_000, 5_000, 10_000, 20_000]);
    }
}
