//! The corpus and the rungs that run it, and the larger suites.
//!
//! A [`Case`] is a file of `cases/`: a module or token program, its input, and the expected output
//! and end. A [`Rung`] is one way to run it. The [`Ladder`] runs cases on rungs: all rungs that
//! have tokens must generate those of the plain interpreter, token by token. [`spec`] runs the
//! official WebAssembly test suite.
#![forbid(unsafe_code)]

mod beside;
mod case;
#[path = "../../crates/compiler/tests/common/mod.rs"]
mod common;
mod exact;
mod execution;
pub mod far;
pub mod fuzz;
pub mod general;
mod golden;
pub mod horizon;
mod host;
pub mod hostile;
mod ladder;
mod linked;
pub mod long;
pub mod mutate;
mod random;
pub mod real;
pub mod spec;
mod streams;
#[path = "../../crates/cli/src/thousands.rs"]
mod thousands;
pub mod tokens;
pub mod verify;
mod wasi;

pub use beside::{Beside, Stopped, beside};
pub use case::{Case, Expected, Rung, cases};
pub use execution::{Ending, Executor, FASTEST, Loaded, Ran};
pub use golden::check as check_golden;
pub use host::run as run_wasmi;
pub use ladder::{Ladder, Trace};
pub use random::Random;
pub use streams::Streams;
