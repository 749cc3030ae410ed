//! `generate`: any model folder decodes a prompt.

mod general;
mod plain;
mod prompt;
mod statistics;

use anyhow::anyhow;
use weightware::{Architecture, Engine};

use crate::args::{GenerateArgs, GenerateEngine};
use crate::failure::{Failure, Result};
use crate::folders;

pub(crate) fn generate(args: &GenerateArgs) -> Result<u8> {
    let is_plain = folders::architecture(&args.model)? == Architecture::Plain;
    let engine = args.engine;
    let refused = |text: String| Err(Failure::Refused(anyhow!(text)));
    if is_plain && let Some(option) = args.general.given() {
        return refused(format!(
            "{option} samples, and the tokens of a plain executor are certain: leave the option out"
        ));
    }
    let is_speculative = args.general.draft.is_some();
    if is_plain && engine != Some(GenerateEngine::Sparse) && !is_speculative {
        for (option, is_given) in [
            ("--k", args.general.k.is_some()),
            ("--mass-error", args.general.mass_error.is_some()),
            ("--stats", args.general.stats),
        ] {
            if is_given {
                return refused(format!("{option} belongs to --engine sparse"));
            }
        }
        let engine = engine.and_then(GenerateEngine::plain);
        return plain::generate(args, engine.unwrap_or(Engine::Plan));
    }
    match engine {
        None | Some(GenerateEngine::Softmax | GenerateEngine::Sparse) => general::generate(args),
        Some(engine) => refused(format!(
            "the engine {engine:?} runs plain models alone; for this model use softmax or sparse"
        )
        .to_lowercase()),
    }
}
