//! The demos.

mod add;
mod adder;
mod caches;
mod contexts;
mod evidence;
mod fibonacci;
mod matching;
mod parity;
mod primes;
mod proof;
mod puzzle;
mod puzzle_list;
mod real;
mod sha256;
mod sudoku;
mod train;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use weightware::{Engine, Outcome, RunEnd};

pub(crate) use add::PROGRAM as ADD;
pub(crate) use caches::long_loop;
pub(crate) use matching::compute as matching;
pub(crate) use sudoku::{INKALA, INKALA_SOLUTION, inkala};

/// A demo; its exit status states whether the result was right.
#[derive(Debug, Subcommand)]
pub(crate) enum Demo {
    /// Adds 3 and 5: the whole prompt and the whole trace
    Add(EngineArgument),
    /// Adds numbers of ten digits: transformers of one and of two layers, hand-compiled, and their
    /// counts
    Adder(adder::Arguments),
    /// Compiles a C function into weights, and shows its instructions, its neurons and its trace
    Fibonacci(fibonacci::Arguments),
    /// Counts verbs modulo two: a transformer of two layers, one trace token a word
    Parity(parity::Arguments),
    /// Assigns ten rows to ten columns at the least cost, by the Hungarian algorithm
    Matching(EngineArgument),
    /// Solves a Sudoku by search, by default Arto Inkala's
    Sudoku(sudoku::Arguments),
    /// Digests by SHA-256, which consists of bitwise operations and rotations
    Sha256(sha256::Arguments),
    /// Primes by trial division, which consists of multiplications and divisions
    Primes(primes::Arguments),
    /// SQL in SQLite, compiled from its C sources
    Sql(real::Sql),
    /// A Lua program in Lua, compiled from its C sources
    Lua(real::Lua),
    /// Plan, hull cache and linear caches on the same program
    Caches(caches::Arguments),
    /// Trains a transformer with heads of dimension 2 for some minutes, and lets it write
    Train(train::Arguments),
    /// Evidence that the weights do the work: stock PyTorch or candle predicts the same tokens
    Proof(proof::Arguments),
}

impl Demo {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Add(EngineArgument { engine }) => add::run(engine),
            Self::Adder(arguments) => arguments.run(),
            Self::Fibonacci(arguments) => arguments.run(),
            Self::Parity(arguments) => arguments.run(),
            Self::Matching(EngineArgument { engine }) => matching::run(engine),
            Self::Sudoku(arguments) => arguments.run(),
            Self::Sha256(arguments) => arguments.run(),
            Self::Primes(arguments) => arguments.run(),
            Self::Sql(arguments) => arguments.run(),
            Self::Lua(arguments) => arguments.run(),
            Self::Caches(arguments) => arguments.run(),
            Self::Train(arguments) => arguments.run(),
            Self::Proof(arguments) => arguments.run(),
        }
    }
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct EngineArgument {
    /// How past tokens are attended to: plan, hull, hardmax or softmax; jit in builds with that
    /// feature
    #[arg(long, default_value = "plan")]
    pub(crate) engine: Engine,
}

/// The exit code of a program that ended by itself; halting counts as 0.
fn exit_code(end: &RunEnd) -> Result<u32> {
    match end {
        RunEnd::Outcome(Outcome::Halted) => Ok(0),
        RunEnd::Outcome(Outcome::Exited(code)) => Ok(*code),
        RunEnd::Outcome(trapped) => bail!("the program {trapped}"),
        RunEnd::MaxTokens => bail!("the limit on tokens is reached"),
        RunEnd::Horizon { position, reason } => bail!("horizon at position {position}: {reason}"),
        RunEnd::UnknownToken { token } => bail!("the model said {token}, which means nothing here"),
        RunEnd::Derailed { at, token } => bail!(
            "wrong: no program makes token {} of the trace, {token}",
            at.index
        ),
        RunEnd::Differs {
            at,
            expected,
            found,
        } => bail!(
            "wrong: token {} of the trace is {found}, not {expected}",
            at.index
        ),
        RunEnd::Fault { at, fault } => bail!("no program: {fault}, from token {} on", at.index),
    }
}
