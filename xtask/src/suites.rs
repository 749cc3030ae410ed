//! Suites of the `tests` package that take too long for `cargo test`, built in release mode without
//! the crates that take minutes to build.

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::workspace;

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// The arguments of the suite; `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Arguments {
    /// Runs a suite with this process's output streams.
    pub(crate) fn run(self, suite: &str) -> Result<()> {
        let words = "run --quiet --release --package weightware-tests --no-default-features -- ";
        let words: Vec<_> = words.split_whitespace().chain([suite]).collect();
        let mut command = workspace::cargo(&words);
        let status = command.args(self.arguments).status().context("cargo")?;
        ensure!(status.success(), "{suite} did not pass");
        Ok(())
    }
}
