//! `cargo xtask instructions`: machine instructions per token, counted by valgrind. Unlike time,
//! the counts do not depend on the load of the machine.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::figures::rounded;
use crate::thousands::thousands;
use crate::workspace;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Engines, by name
    #[arg(long, value_delimiter = ',', default_value = "jit,plan,hull")]
    engines: Vec<String>,
}

/// The lengths of two runs; the difference of their instructions excludes one-time work.
const LENGTHS: [u64; 2] = [20_000, 40_000];

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let arguments = [
            "build",
            "--quiet",
            "--release",
            "--package",
            "weightware-cli",
            "--features",
            "jit",
        ];
        let built = workspace::cargo(&arguments).status()?;
        ensure!(built.success(), "the command line cannot be built");
        let binary = workspace::target().join("release/weightware");
        println!(
            "| engine | program | instructions per token | before the first, and for {} tokens |",
            thousands(LENGTHS[0])
        );
        println!("|---|---|---|---|");
        for engine in &self.engines {
            for program in ["xtask/programs/loop.tok", "programs/matching.wasm"] {
                let counts = [
                    count(&binary, program, engine, LENGTHS[0])?,
                    count(&binary, program, engine, LENGTHS[1])?,
                ];
                let each = (counts[1] - counts[0]) as f64 / (LENGTHS[1] - LENGTHS[0]) as f64;
                println!(
                    "| {engine} | {program} | {} | {} |",
                    rounded(each),
                    thousands(counts[0])
                );
            }
        }
        Ok(())
    }
}

/// The instructions of a run of this many tokens.
fn count(binary: &Path, program: &str, engine: &str, tokens: u64) -> Result<u64> {
    let tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let done = workspace::command("valgrind", &tool)
        .arg(binary)
        .args(["run", program, "--quiet", "--engine", engine])
        .args(["--max-tokens", &tokens.to_string()])
        .output()
        .context("valgrind has to be installed (Debian: `apt install valgrind`)")?;
    let said = String::from_utf8_lossy(&done.stderr);
    match collected(&said) {
        Some(count) => Ok(count),
        None => bail!("valgrind said: {said}"),
    }
}

/// The number of instructions in valgrind's output.
fn collected(said: &str) -> Option<u64> {
    let line = said
        .lines()
        .find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_valgrind_says() {
        let said = "==12== Events    : Ir\n==12== Collected : 123456\n==12== \n";
        assert_eq!(collected(said), Some(123_456));
        assert_eq!(collected("no such file"), None);
    }
}
