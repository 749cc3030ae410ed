//! Criterion benches; those of the hull index are in its crate. Ids are paths, such as
//! `decode/fib/hull`. Inputs are seeded, and every iteration starts from fresh state.
#![forbid(unsafe_code)]

pub mod record;

use weightware::{Program, Source};

/// A program of the repository's `programs` folder, without input.
///
/// # Panics
/// If the program does not exist.
#[must_use]
pub fn program(name: &str) -> Program {
    let path = format!("{}/../programs/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    Source::parse(&bytes)
        .expect("a supported module")
        .program(b"")
}

/// An endless loop: locals, arithmetic, loads and stores, a branch.
///
/// # Panics
/// Never.
#[must_use]
pub fn endless() -> Program {
    include_str!("../../xtask/programs/loop.tok")
        .parse()
        .expect("a token program")
}
