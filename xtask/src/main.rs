//! Demos, checks, benches and builds of the workspace: `cargo xtask help` lists them.
//!
//! This binary parses, calls and prints. Anything that a library could use does not belong here.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "commands print")]

mod bench;
mod chart;
mod check;
mod compare;
mod costs;
mod demo;
mod figures;
mod horizons;
mod imports;
mod instructions;
mod live;
#[path = "../../crates/hull/benches/rivals/log_axes.rs"]
mod log_axes;
mod modules;
mod programs;
mod proof;
mod schedule;
mod suites;
#[path = "../../crates/cli/src/thousands.rs"]
mod thousands;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Demos, checks, benches and builds of the workspace.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows what the transformer computes, token by token
    #[command(subcommand)]
    Demo(demo::Demo),
    /// Formatting, lints, tests and documentation of the workspace; what CI runs
    Test(check::Arguments),
    /// Writes docs/costs.md: tokens per instruction, hardware per module
    Costs(costs::Arguments),
    /// Writes docs/horizons.md: the proven limits of the profiles, and the share that programs use
    Certify(horizons::Arguments),
    /// Writes docs/proof.md: the proof of the next token, instruction by instruction
    Proof(proof::Arguments),
    /// Compiles the library modules from C
    Modules(modules::Arguments),
    /// Solves the default machine's schedule again, or shows the committed one
    Schedule(schedule::Arguments),
    /// Speed and memory of the engines side by side, as a markdown table, and a chart
    Bench(bench::Arguments),
    /// The examples of the public reference implementation, from the same C source
    Compare(compare::Arguments),
    /// The official WebAssembly 1.0 test suite, through the weights
    Spec(suites::Arguments),
    /// Every instruction and random programs at far positions, up to the horizon
    Far(suites::Arguments),
    /// Random modules, compared with an independent engine
    Fuzz(suites::Arguments),
    /// General models of every kind, compared with stock PyTorch
    General(suites::Arguments),
    /// Damaged inputs, for everything that reads bytes
    Hostile(suites::Arguments),
    /// Adversarial programs up to the horizon, by all engines
    Horizon(suites::Arguments),
    /// Long runs of C programs, by an independent engine and by all engines
    Long(suites::Arguments),
    /// Changes one weight at a time: a test must notice each change
    Mutate(suites::Arguments),
    /// Libraries from crates.io, compiled from C with a driver, beside an independent engine
    Real(suites::Arguments),
    /// Tokens of whole programs for each instruction that they execute, and what each pass of the
    /// lowering saves
    Tokens(suites::Arguments),
    /// Programs that installed toolchains compile, beside an independent engine
    Toolchains(suites::Arguments),
    /// Every arithmetic instruction on many operands
    Verify(suites::Arguments),
    /// Machine instructions per token, counted by valgrind: the same on a busy machine
    Instructions(instructions::Arguments),
    /// Which files of a crate import which: levels and circles
    Imports(imports::Arguments),
    /// Rebuilds the committed modules from their C sources with clang: programs, and the frontend's
    /// floating point
    Programs(programs::Arguments),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Test(arguments) => arguments.run(),
        Command::Costs(arguments) => arguments.run(),
        Command::Certify(arguments) => arguments.run(),
        Command::Proof(arguments) => arguments.run(),
        Command::Modules(arguments) => arguments.run(),
        Command::Schedule(arguments) => arguments.run(),
        Command::Bench(arguments) => arguments.run(),
        Command::Compare(arguments) => arguments.run(),
        Command::Spec(arguments) => arguments.run("spec"),
        Command::Far(arguments) => arguments.run("far"),
        Command::Fuzz(arguments) => arguments.run("fuzz"),
        Command::General(arguments) => arguments.run("general"),
        Command::Hostile(arguments) => arguments.run("hostile"),
        Command::Horizon(arguments) => arguments.run("horizon"),
        Command::Long(arguments) => arguments.run("long"),
        Command::Mutate(arguments) => arguments.run("mutate"),
        Command::Real(arguments) => arguments.run("real"),
        Command::Tokens(arguments) => arguments.run("tokens"),
        Command::Toolchains(arguments) => arguments.run("toolchains"),
        Command::Verify(arguments) => arguments.run("verify"),
        Command::Instructions(arguments) => arguments.run(),
        Command::Imports(arguments) => arguments.run(),
        Command::Programs(arguments) => arguments.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
