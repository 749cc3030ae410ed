//! Primes by trial division.

use anyhow::{Context, Result, ensure};
use clap::Args;
use weightware::Computer;

use super::{EngineArgument, exit_code};
use crate::live::{Show, watch};
use crate::workspace;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Numbers below this one are tried
    #[arg(default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    limit: u32,
    #[command(flatten)]
    engine: EngineArgument,
}

impl Arguments {
    pub(super) fn run(self) -> Result<()> {
        let EngineArgument { engine } = self.engine;
        let input = self.limit.to_string();
        let program = workspace::program("primes.wasm")?.program(input.as_bytes());
        let computer = Computer::default();
        let mut run = computer.run(&program, engine, None)?;
        let figures = watch(&mut run, engine, Show::Output, None)?;
        println!("{figures}");
        let code = exit_code(&run.end())?;
        ensure!(code == 0, "the program exited with code {code}");
        let output = String::from_utf8_lossy(run.reader().output());
        let line = output.lines().next().unwrap_or_default();
        let found = line.split_whitespace().map(str::parse::<u32>);
        let found = found.collect::<Result<Vec<_>, _>>();
        let primes = sieve(self.limit);
        ensure!(
            found.context("not a number")? == primes,
            "wrong: there are {} primes below {}",
            primes.len(),
            self.limit
        );
        let product = primes.iter().fold(1_u32, |a, &b| a.wrapping_mul(b));
        ensure!(
            output
                .lines()
                .any(|line| line.ends_with(&format!(": {product}"))),
            "wrong: the product is {product}"
        );
        println!("Checked: the primes are those of a sieve, and so is their product.");
        Ok(())
    }
}

fn sieve(limit: u32) -> Vec<u32> {
    let mut composite = vec![false; limit as usize];
    let mut primes = vec![];
    for n in 2..limit {
        if composite[n as usize] {
            continue;
        }
        primes.push(n);
        for multiple in (2 * n..limit).step_by(n as usize) {
            composite[multiple as usize] = true;
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    #[test]
    fn sieves() {
        assert_eq!(super::sieve(30), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert!(super::sieve(1).is_empty());
    }
}
