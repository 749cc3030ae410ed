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

    /// Compare machines instead: without code in the weights, with room for it, with all library
    /// modules, and with the program itself
    #[arg(long)]
    rom: bool,
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
        if self.rom {
            return compare_machines(&binary, &self.engines);
        }
        println!(
            "| engine | program | instructions per token | before the first, and for {} tokens |",
            thousands(LENGTHS[0])
        );
        println!("|---|---|---|---|");
        for engine in &self.engines {
            for program in ["xtask/programs/loop.tok", "programs/matching.wasm"] {
                let (each, first) = measure(&binary, &[program], engine)?;
                println!(
                    "| {engine} | {program} | {} | {} |",
                    rounded(each),
                    thousands(first)
                );
            }
        }
        Ok(())
    }
}

/// The instructions per token on machines with and without code in their weights.
fn compare_machines(binary: &Path, engines: &[String]) -> Result<()> {
    const PROGRAM: &str = "programs/matching.wasm";
    let folder = |name: &str| workspace::target().join("instructions").join(name);
    let write = |arguments: &[&str], name: &str| {
        let out = folder(name);
        let mut command = workspace::command(binary, arguments);
        let done = command.arg("--out").arg(&out).output()?;
        ensure!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        Ok(out.display().to_string())
    };
    let none = write(&["weights", "--rom", "none"], "none")?;
    let all = write(&["weights", "--rom", "all"], "all")?;
    let own = write(&["compile", PROGRAM], "own")?;
    println!(
        "| engine | in the weights | instructions per token | ratio | before the first, and for {} tokens |",
        thousands(LENGTHS[0])
    );
    println!("|---|---|---|---|---|");
    for engine in engines {
        let mut base = None;
        for (name, arguments) in [
            ("nothing, the default machine", &[PROGRAM][..]),
            ("room for code", &[PROGRAM, "--model", &none]),
            ("all modules, none used", &[PROGRAM, "--model", &all]),
            ("the program", &["--model", &own]),
        ] {
            let (each, first) = measure(binary, arguments, engine)?;
            let ratio = each / *base.get_or_insert(each);
            println!(
                "| {engine} | {name} | {} | {ratio:.3} | {} |",
                rounded(each),
                thousands(first)
            );
        }
    }
    Ok(())
}

/// The instructions per token of a program, without one-time work, and those of the shorter run.
fn measure(binary: &Path, arguments: &[&str], engine: &str) -> Result<(f64, u64)> {
    let [first, second] = LENGTHS.map(|tokens| count(binary, arguments, engine, tokens));
    let (first, second) = (first?, second?);
    let each = (second as f64 - first as f64) / (LENGTHS[1] - LENGTHS[0]) as f64;
    Ok((each, first))
}

/// The instructions of a run of this many tokens.
fn count(binary: &Path, arguments: &[&str], engine: &str, tokens: u64) -> Result<u64> {
    let tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let done = workspace::command("valgrind", &tool)
        .arg(binary)
        .arg("run")
        .args(arguments)
        .args(["--quiet", "--engine", engine])
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
