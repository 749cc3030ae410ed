//! `cargo xtask test`: the checks that CI runs.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::figures::seconds;
use crate::workspace;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Leave out what needs candle, which takes minutes to build
    #[arg(long)]
    quick: bool,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let mut left_out = vec![];
        if self.quick {
            let metadata = ["metadata", "--no-deps", "--format-version", "1"];
            let metadata = workspace::output(&mut workspace::cargo(&metadata))?;
            let packages = needing(&serde_json::from_str(&metadata)?, "candle-core");
            println!("left out: {}", packages.join(", "));
            left_out = packages
                .into_iter()
                .flat_map(|name| ["--exclude".to_owned(), name])
                .collect();
        }
        let cargo = |arguments: &str| {
            let arguments: Vec<_> = arguments.split(' ').collect();
            workspace::cargo(&arguments)
        };
        let workspace = |arguments: &str| {
            let mut command = cargo(arguments);
            command.args(&left_out);
            command
        };

        let mut clippy = workspace("clippy --workspace --all-targets");
        clippy.args(["--", "-D", "warnings"]);
        let mut documentation = workspace("doc --workspace --no-deps");
        documentation.env("RUSTDOCFLAGS", "-D warnings");
        let mut tests = workspace("test --workspace");
        // Tests run in parallel; further threads of candle would wait for each other in loops.
        tests.env("RAYON_NUM_THREADS", "1");
        let steps = [
            ("rustfmt", cargo("fmt --all --check")),
            ("clippy", clippy),
            ("documentation", documentation),
            ("tests", tests),
        ];
        let mut times = vec![];
        for (name, command) in steps {
            times.push((name, step(name, command)?));
        }
        println!();
        for (name, time) in &times {
            println!("{name:14} {}", seconds(*time));
        }
        println!(
            "{:14} {}",
            "all",
            seconds(times.iter().map(|(_, time)| *time).sum())
        );
        Ok(())
    }
}

/// Runs a step with this process's output streams.
fn step(name: &str, mut command: Command) -> Result<Duration> {
    let start = Instant::now();
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy())
        .collect();
    let line = format!("cargo {}", words.join(" "));
    println!("== {name}: {line}");
    let status = command.status().with_context(|| line.clone())?;
    let time = start.elapsed();
    ensure!(
        status.success(),
        "{name} failed after {}: {line}",
        seconds(time)
    );
    println!("== {name}: {}", seconds(time));
    Ok(time)
}

/// The workspace's packages that depend on another one, directly or indirectly.
fn needing(metadata: &Value, dependency: &str) -> Vec<String> {
    let packages = metadata["packages"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let mut found = vec![dependency.to_owned()];
    loop {
        let next = packages.iter().find_map(|package| {
            let name = package["name"].as_str()?;
            let mut dependencies = package["dependencies"].as_array()?.iter();
            let needs = dependencies.any(|one| found.iter().any(|found| one["name"] == **found));
            (needs && !found.iter().any(|found| found == name)).then(|| name.to_owned())
        });
        match next {
            Some(name) => found.push(name),
            None => return found.split_off(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_needs_a_package() {
        let metadata = serde_json::json!({"packages": [
            {"name": "tests", "dependencies": [{"name": "own-candle"}, {"name": "isa"}]},
            {"name": "own-candle", "dependencies": [{"name": "candle-core"}]},
            {"name": "isa", "dependencies": []},
        ]});
        assert_eq!(needing(&metadata, "candle-core"), ["own-candle", "tests"]);
        assert!(needing(&metadata, "nothing").is_empty());
    }
}
