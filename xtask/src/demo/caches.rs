//! Plan and hull cache compared with linear caches.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;
use weightware::{Computer, Engine, Program, RunEnd};

use crate::figures::{Figures, rounded, seconds};
use crate::live::{Show, watch};
use crate::thousands::thousands;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Tokens that are generated
    #[arg(long, default_value_t = 41_709, value_parser = clap::value_parser!(u64).range(1..))]
    tokens: u64,
    /// Seconds after which a linear cache is stopped
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// A program without end.
pub(crate) fn long_loop() -> Result<Program> {
    Ok(include_str!("../../programs/loop.tok").parse()?)
}

impl Arguments {
    pub(super) fn run(self) -> Result<()> {
        let program = long_loop()?;
        let computer = Computer::default();
        println!("An endless loop (xtask/programs/loop.tok), the same tokens from each cache.\n");
        println!(
            "{:24} {:>10} {:>10} {:>10}  time",
            "cache", "tokens", "tok/s", "lines/s"
        );
        let mut first = None;
        // The fastest first.
        let engines = [
            Engine::Jit,
            Engine::Plan,
            Engine::Hull,
            Engine::Hardmax,
            Engine::Softmax,
        ];
        for engine in engines
            .into_iter()
            .filter(|engine: &Engine| engine.is_available())
        {
            let limit = first.map_or(self.tokens, |first: Figures| first.tokens);
            let time = engine
                .is_linear()
                .then(|| Duration::from_secs(self.seconds));
            let mut run = computer.run(&program, engine, Some(limit))?;
            let figures = watch(&mut run, engine, Show::Nothing, time)?;
            if run.end() != RunEnd::MaxTokens {
                bail!("{}: the loop ended: {:?}", engine.name(), run.end());
            }
            println!("{}", row(&figures, limit));
            first.get_or_insert(figures);
        }
        let checked = compare(&computer, &program)?;
        println!("\nCompared: the first {checked} tokens of all are the same.");
        Ok(())
    }
}

/// The number of tokens to compare one by one.
const COMPARED: u64 = 1_000;

fn compare(computer: &Computer, program: &Program) -> Result<u64> {
    let mut runs = vec![];
    for engine in Engine::available() {
        runs.push(
            computer
                .run(program, engine, Some(COMPARED))?
                .collect::<Vec<_>>(),
        );
    }
    let same = runs.iter().all(|run| *run == runs[0]);
    ensure!(
        same && runs[0].len() as u64 == COMPARED,
        "wrong: the caches differ"
    );
    Ok(COMPARED)
}

/// A line of the comparison; an estimate if not all tokens were generated.
fn row(figures: &Figures, tokens: u64) -> String {
    let name = match figures.engine {
        Engine::Jit => "jit",
        Engine::Plan => "plan",
        Engine::Hull => "hull",
        Engine::Hardmax => "linear, hard-max",
        Engine::Softmax => "linear, stock softmax",
    };
    let time = if figures.tokens >= tokens {
        format!("completed in {}", seconds(figures.decode))
    } else {
        let whole = seconds(figures.project_linear(tokens));
        format!("estimated {whole} for {} tokens", thousands(tokens))
    };
    format!(
        "{name:24} {:>10} {:>10} {:>10}  {time}",
        thousands(figures.tokens),
        rounded(figures.speed()),
        rounded(figures.line_speed()),
    )
}
