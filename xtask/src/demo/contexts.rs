//! A run in several contexts, each of which is recorded as a run of its own.

use anyhow::{Result, ensure};
use weightware::{Computer, Model, Options, Profile, Source, profile_model};

use super::proof::{self, Recorded};
use crate::workspace;

/// The tokens after which a context is full, beside its prompt and the restored state.
pub(super) const CONTEXT: u64 = 60;

const NAMES: [&str; 3] = ["turn 1", "turn 2", "turn 3"];

/// The weights of the default machine, for contexts of this length.
pub(super) fn model() -> Model {
    profile_model(Profile::STOCK.with_context(CONTEXT))
}

/// Runs the program with the hull cache, and returns its contexts.
pub(super) fn record(computer: &Computer) -> Result<Vec<Recorded>> {
    let path = workspace::path("xtask/programs/turns.wat");
    let options = Options::default().with_turns(true);
    let program = Source::read_with(&path, &options)?.program(b"");
    let contexts = proof::record(computer, &NAMES, &program)?;
    ensure!(contexts.len() == NAMES.len(), "{} contexts", contexts.len());
    Ok(contexts)
}
