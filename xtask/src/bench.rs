//! `cargo xtask bench`: whole runs, in one process, as ratios.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use weightware::{Computer, Engine, Run};

use crate::demo::{inkala, long_loop, matching};
use crate::figures::{Figures, per_second, rounded, seconds, thousands};
use crate::live::{Show, status_line, watch};
use crate::workspace;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Tokens of the long run
    #[arg(long, default_value_t = 5_000_000, value_parser = clap::value_parser!(u64).range(100_000..))]
    tokens: u64,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The hull index against a scan, an ordered map and rebuilt static hulls, over sizes: a table and a chart
    Hull {
        /// The most keys
        #[arg(long, default_value_t = 10_000_000)]
        most: usize,
        /// Where to write the chart
        #[arg(long, default_value = "target/hull-bench.svg")]
        svg: PathBuf,
    },
}

impl Part {
    fn run(self) -> Result<()> {
        let Self::Hull { most, svg } = self;
        let svg = std::path::absolute(svg)?;
        let bench = ["bench", "-p", "weightware-benches", "--bench", "hull_chart"];
        let mut command = workspace::cargo(&bench);
        command
            .args(["--", "--most", &most.to_string(), "--svg"])
            .arg(svg);
        let status = command.status().context("cargo bench")?;
        ensure!(status.success(), "the bench failed: {status}");
        Ok(())
    }
}

/// Where the short run is measured, and over how many tokens before that.
const SHORT: (u64, u64) = (50_000, 25_000);

/// Tokens over which the end of the long run is measured.
const LONG_STRETCH: u64 = 50_000;

/// Tokens that the linear cache generates.
const LINEAR: u64 = 4_500;

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        if let Some(part) = self.part {
            return part.run();
        }
        let computer = Computer::default();
        let program = long_loop()?;

        let mut run = computer.run(&program, Engine::Hull, None)?;
        go_on(&mut run, SHORT.0 - SHORT.1)?;
        let short = stretch(&mut run, SHORT.0)?;
        go_on(&mut run, self.tokens - LONG_STRETCH)?;
        let long = stretch(&mut run, self.tokens)?;
        let hull = Figures::of(&run, Engine::Hull);
        let memory = peak_memory();
        drop(run);

        let mut run = computer.run(&program, Engine::Hull, Some(LINEAR))?;
        let quick = watch(&mut run, Engine::Hull, Show::Nothing, None)?;
        let mut run = computer.run(&program, Engine::Softmax, Some(LINEAR))?;
        let linear = watch(&mut run, Engine::Softmax, Show::Nothing, None)?;
        let sudoku = inkala(Engine::Hull, Show::Nothing)?;
        let matching = matching(Engine::Hull, Show::Nothing)?;

        let machine = processor().unwrap_or_else(|| "unknown".to_owned());
        println!(
            "`cargo xtask bench --tokens {}` on {machine}, one core:\n",
            self.tokens
        );
        println!("| what | figure |\n|---|---|");
        let row = |what: String, figure: String| println!("| {what} | {figure} |");
        let [short_at, long_at] = [SHORT.0, self.tokens].map(thousands);
        row(format!("hull, at {short_at} tokens"), speed(short, SHORT.1));
        row(
            format!("hull, at {long_at} tokens"),
            speed(long, LONG_STRETCH),
        );
        row(
            format!("time per token, at {long_at} over at {short_at}"),
            format!(
                "{:.2}",
                per_token(long, LONG_STRETCH) / per_token(short, SHORT.1)
            ),
        );
        row(format!("hull, all {long_at} tokens"), whole(&hull));
        row(
            "peak memory of that run".to_owned(),
            memory.map_or("unknown".to_owned(), |kib| format!("{} MiB", kib >> 10)),
        );
        let count = thousands(LINEAR);
        row(
            format!("linear softmax, all {count} tokens"),
            whole(&linear),
        );
        row(
            format!("speed over {count} tokens, hull over linear softmax"),
            format!("{:.0}", quick.speed() / linear.speed()),
        );
        row("Sudoku, Arto Inkala's".to_owned(), whole(&sudoku));
        row("matching, 10 x 10".to_owned(), whole(&matching));
        Ok(())
    }
}

/// Runs up to a number of tokens; a terminal is told how far.
fn go_on(run: &mut Run<'_>, tokens: u64) -> Result<()> {
    let bar = status_line();
    while run.reader().tokens() < tokens {
        ensure!(run.step().is_some(), "the loop ended: {:?}", run.end());
        let done = run.reader().tokens();
        if done.is_multiple_of(1 << 16) {
            let figures = Figures::of(run, Engine::Hull);
            bar.set_message(format!(
                "{} of {} tokens, {} tok/s",
                thousands(done),
                thousands(tokens),
                rounded(figures.speed())
            ));
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// How long it takes to get to a number of tokens.
fn stretch(run: &mut Run<'_>, tokens: u64) -> Result<Duration> {
    let before = run.decode_time();
    while run.reader().tokens() < tokens {
        ensure!(run.step().is_some(), "the loop ended: {:?}", run.end());
    }
    Ok(run.decode_time() - before)
}

/// Nanoseconds.
fn per_token(time: Duration, tokens: u64) -> f64 {
    time.as_secs_f64() * 1e9 / tokens as f64
}

fn speed(time: Duration, tokens: u64) -> String {
    format!(
        "{} tok/s, {} ns/token",
        rounded(per_second(tokens, time)),
        rounded(per_token(time, tokens))
    )
}

fn whole(figures: &Figures) -> String {
    format!(
        "{} tok/s, {} tokens, {} lines/s, {} (prompt of {}: {})",
        rounded(figures.speed()),
        thousands(figures.tokens),
        rounded(figures.line_speed()),
        seconds(figures.decode),
        thousands(figures.prompt),
        seconds(figures.prefill),
    )
}

/// The most memory that this process has had, in KiB, where the system tells.
fn peak_memory() -> Option<u64> {
    field(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM")?
        .strip_suffix(" kB")?
        .trim()
        .parse()
        .ok()
}

/// The processor's name, where the system tells.
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
    fn writes_speeds() {
        assert_eq!(
            speed(Duration::from_secs(1), 50_000),
            "50,000 tok/s, 20,000 ns/token"
        );
    }
}
