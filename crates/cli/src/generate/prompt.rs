//! The prompt of `generate`.

use std::fs;
use std::path::Path;

use anyhow::{Error, anyhow};
use weightware::{Splitting, TokenId, Tokenizer};

use crate::failure::{Failure, Result};
use crate::stdin;

/// The longest prompt, in bytes.
const LONGEST_PROMPT: u64 = 1 << 30;

/// The tokens of `TOKENS`, `@FILE` or `-`.
pub(super) fn read(argument: &str, tokenizer: &Tokenizer) -> Result<Vec<TokenId>> {
    let refused = |error: Error| Failure::Refused(error.context(format!("--prompt {argument}")));
    let bytes = match argument.strip_prefix('@') {
        Some(file) => fs::read(Path::new(file)).map_err(|error| refused(Error::new(error)))?,
        None if argument == "-" => stdin::up_to("the prompt", LONGEST_PROMPT, false)?,
        None => argument.as_bytes().to_vec(),
    };
    let text = String::from_utf8(bytes).map_err(|error| refused(Error::new(error)))?;
    let unit = match tokenizer.splitting() {
        Splitting::Words => "word",
        Splitting::Characters => "character",
    };
    let tokens = tokenizer.encode(&text).map_err(|error| match error.as_unknown_word() {
        Some((word, index)) => Failure::Refused(anyhow!(
            "--prompt: {unit} {index} (counted from 0), `{word}`, is not a token of the model; its tokenizer.json lists \
             them"
        )),
        None => refused(Error::new(error)),
    })?;
    if tokens.is_empty() {
        return Err(refused(anyhow!(
            "the prompt holds no token; give at least one"
        )));
    }
    Ok(tokens)
}
