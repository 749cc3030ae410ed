//! Suites that take too long for `cargo test`: `cargo xtask spec`, `far`, `fuzz`, `general`,
//! `hostile`, `horizon`, `long`, `mutate`, `real`, `tokens`, `toolchains` and `verify`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "commands print")]

mod command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "weightware-tests", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The official WebAssembly 1.0 test suite, through the weights
    Spec(command::spec::Arguments),
    /// Every instruction and random programs at far positions, up to the horizon
    Far(command::far::Arguments),
    /// Random modules, compared with an independent engine
    Fuzz(command::fuzz::Arguments),
    /// General models of every kind, compared with stock PyTorch
    General(command::general::Arguments),
    /// Damaged inputs, for everything that reads bytes
    Hostile(command::hostile::Arguments),
    /// Adversarial programs up to the horizon, by all engines
    Horizon(command::horizon::Arguments),
    /// Long runs of C programs, by an independent engine and by all engines
    Long(command::long::Arguments),
    /// Changes one weight at a time: a test must notice each change
    Mutate(command::mutate::Arguments),
    /// Libraries from crates.io, compiled from C with a driver, beside an independent engine
    Real(command::real::Arguments),
    /// Tokens of whole programs for each instruction that they execute, and what each pass of the
    /// lowering saves
    Tokens(command::tokens::Arguments),
    /// Programs that installed toolchains compile, beside an independent engine
    Toolchains(command::toolchains::Arguments),
    /// Every arithmetic instruction on many operands
    Verify(command::verify::Arguments),
}

fn main() -> ExitCode {
    let passed = match Cli::parse().command {
        Command::Spec(arguments) => arguments.run(),
        Command::Far(arguments) => arguments.run(),
        Command::Fuzz(arguments) => arguments.run(),
        Command::General(arguments) => arguments.run(),
        Command::Hostile(arguments) => arguments.run(),
        Command::Horizon(arguments) => arguments.run(),
        Command::Long(arguments) => arguments.run(),
        Command::Mutate(arguments) => arguments.run(),
        Command::Real(arguments) => arguments.run(),
        Command::Tokens(arguments) => arguments.run(),
        Command::Toolchains(arguments) => arguments.run(),
        Command::Verify(arguments) => arguments.run(),
    };
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
