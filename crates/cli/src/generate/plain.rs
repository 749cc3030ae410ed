//! `generate` with plain models.

use std::io::Write;

use anyhow::Error;
use weightware::{Decoder, DecoderOptions, Engine, FinishReason};

use super::prompt;
use crate::args::GenerateArgs;
use crate::failure::{BUDGET, Failure, HORIZON, INTERRUPTED, Result, printable};
use crate::folders;
use crate::interrupt::Interrupt;
use crate::report::counted;
use crate::say;
use crate::screen::{Screen, Stream};

pub(super) fn generate(args: &GenerateArgs, engine: Engine) -> Result<u8> {
    let model = folders::model(&args.model)?;
    let prompt = prompt::read(&args.prompt, &model.tokenizer)?;
    let options = DecoderOptions { force: args.force };
    let mut decoder = Decoder::with_options(&model, engine, options).map_err(|error| {
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
