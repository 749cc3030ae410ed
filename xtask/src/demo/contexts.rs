//! A run in several contexts, each of which is recorded as a run of its own.

use anyhow::{Context as _, Result, ensure};
use weightware::{Computer, Engine, Model, Options, Profile, Source, profile_model};

use super::exit_code;
use super::proof::Recorded;
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
    let mut run = computer.run(&program, Engine::Hull, None)?;
    let begin = |name, prompt: &[_]| Recorded {
        name,
        prompt: prompt.len(),
        tokens: prompt.to_vec(),
    };
    let mut contexts = vec![begin(NAMES[0], run.prompt())];
    let tokenizer = &computer.model().tokenizer;
    while let Some((token, _)) = run.step() {
        let string = token.to_string();
        let id = tokenizer.id(&string).context(string)?;
        contexts.last_mut().expect("one has begun").tokens.push(id);
        let number = contexts.len();
        if run.contexts() > number as u64 {
            let name = NAMES.get(number).context("more contexts than expected")?;
            contexts.push(begin(name, run.prompt()));
        }
    }
    exit_code(&run.end())?;
    ensure!(contexts.len() == NAMES.len(), "{} contexts", contexts.len());
    Ok(contexts)
}
