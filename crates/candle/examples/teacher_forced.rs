//! Confirms a run in one pass: compares every generated token with the model's prediction from the
//! tokens before it.
//!
//! ```text
//! cargo run --release -p weightware-candle --example teacher_forced -- MODEL_DIR TOKENS_FILE PROMPT_LENGTH
//! ```
//!
//! TOKENS_FILE holds prompt and generated tokens, as text split at white space. The exit status is
//! 1 if a token differs.
#![allow(clippy::print_stdout)] // an example may talk

use std::{collections::HashMap, env, error::Error, fs, path::Path, process::ExitCode};

use weightware_candle::PlainForward;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [dir, file, prompt_length] = arguments.as_slice() else {
        return Err("usage: teacher_forced MODEL_DIR TOKENS_FILE PROMPT_LENGTH".into());
    };
    let ids = vocabulary(Path::new(dir))?;
    let text = fs::read_to_string(file)?;
    let id = |token: &str| {
        ids.get(token)
            .copied()
            .ok_or_else(|| format!("unknown token {token:?}"))
    };
    let tokens = text
        .split_whitespace()
        .map(id)
        .collect::<Result<Vec<_>, _>>()?;
    let prompt_length: usize = prompt_length.parse()?;
    if prompt_length == 0 || prompt_length > tokens.len() {
        return Err(format!(
            "{file} has {} tokens: PROMPT_LENGTH must be 1 to that",
            tokens.len()
        )
        .into());
    }

    let predictions = PlainForward::load(Path::new(dir))?.predict_all(&tokens)?;
    let pairs = || {
        predictions[prompt_length - 1..]
            .iter()
            .zip(&tokens[prompt_length..])
    };
    let mismatches = pairs()
        .filter(|(prediction, token)| prediction.token != **token)
        .count();
    let margin = pairs()
        .map(|(prediction, _)| prediction.margin)
        .fold(f64::INFINITY, f64::min);
    println!(
        "compared {}, mismatches {mismatches}, least margin {margin}",
        pairs().count()
    );
    if let Some(first) = pairs().position(|(prediction, token)| prediction.token != *token) {
        println!(
            "first mismatch: the token at position {}",
            prompt_length + first
        );
    }
    Ok(if mismatches == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The token strings and ids of a word-level `tokenizer.json`.
fn vocabulary(dir: &Path) -> Result<HashMap<String, u32>, Box<dyn Error>> {
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.join("tokenizer.json"))?)?;
    Ok(serde_json::from_value(json["model"]["vocab"].clone())?)
}
