//! `generate`.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Error, anyhow};
use weightware::{Decoder, DecoderOptions, FinishReason, Model, TokenId};

use crate::args::GenerateArgs;
use crate::failure::{BUDGET, Failure, HORIZON, INTERRUPTED, Result, printable};
use crate::interrupt::Interrupt;
use crate::report::counted;
use crate::say;
use crate::screen::{Screen, Stream};
use crate::{input, stdin};

/// The longest prompt, in bytes.
const LONGEST_PROMPT: u64 = 1 << 30;

pub(crate) fn generate(args: &GenerateArgs) -> Result<u8> {
    let model = input::model(&args.model)?;
    let prompt = prompt(&args.prompt, &model)?;
    let options = DecoderOptions { force: args.force };
    let mut decoder =
        Decoder::with_options(&model, args.engine.into(), options).map_err(|error| {
            Failure::Refused(Error::new(error).context(args.model.display().to_string()))
        })?;
    // A prompt beyond the horizon leaves the decoder finished, which is reported below.
    if let Err(stop) = decoder.prefill(&prompt)
        && decoder.finish_reason().is_none()
    {
        return Err(Failure::Refused(Error::new(stop).context("--prompt")));
    }

    let interrupt = Interrupt::watch()?;
    let mut screen = Screen::new(true, true);
    let mut tokens = 0_u64;
    let mut interrupted = false;
    let mut generated = decoder.generate(args.max_tokens);
    for token in generated.by_ref() {
        let separator = if tokens == 0 { "" } else { " " };
        let string = model.tokenizer.string(token).unwrap_or("?");
        write!(screen.output(Stream::Stdout), "{separator}{string}").map_err(Failure::stdout)?;
        tokens += 1;
        screen.tick(String::new)?;
        if interrupt.pressed() {
            interrupted = true;
            break;
        }
    }
    let finish = generated.finish_reason();
    screen.output(Stream::Stdout).push(b'\n');
    screen.close()?;

    let (status, remark) = match finish {
        Some(FinishReason::EndToken(_)) => (0, None),
        Some(FinishReason::Horizon { position, reason }) => (
            HORIZON,
            Some(format!(
                "horizon: stopped before position {position} (prompt included, counted from 0) since tokens from there \
                 on would not be certified: {reason}; shorten the prompt"
            )),
        ),
        _ if interrupted => (
            INTERRUPTED,
            Some(format!("interrupted after {}", counted(tokens))),
        ),
        Some(FinishReason::MaxTokens) | None => (
            BUDGET,
            Some(format!("budget: stopped after {}", counted(tokens))),
        ),
    };
    if let Some(remark) = remark {
        say(&printable(&remark));
    }
    Ok(status)
}

/// The tokens of `TOKENS`, `@FILE` or `-`.
fn prompt(argument: &str, model: &Model) -> Result<Vec<TokenId>> {
    let refused = |error: Error| Failure::Refused(error.context(format!("--prompt {argument}")));
    let bytes = match argument.strip_prefix('@') {
        Some(file) => fs::read(Path::new(file)).map_err(|error| refused(Error::new(error)))?,
        None if argument == "-" => stdin::up_to("the prompt", LONGEST_PROMPT, false)?,
        None => argument.as_bytes().to_vec(),
    };
    let text = String::from_utf8(bytes).map_err(|error| refused(Error::new(error)))?;
    let tokens = model.tokenizer.encode(&text).map_err(|error| match error.as_unknown_word() {
        Some((word, index)) => Failure::Refused(anyhow!(
            "--prompt: word {index} (counted from 0), `{word}`, is not a token of the model; its tokenizer.json lists \
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
