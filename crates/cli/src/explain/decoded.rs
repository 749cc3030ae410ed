//! The decoding of a run up to a token.

use anyhow::{Error, anyhow};
use weightware::{Computer, Engine, Program, RunEnd, Token, TokenId, TraceReader};

use crate::failure::{Failure, Result};
use crate::report::counted;

/// The context of a token, decoded up to the end of the line that holds it.
pub(super) struct Decoded {
    /// The number of the context, from 1.
    pub(super) context: u64,
    /// Tokens of the trace in the contexts before.
    pub(super) before: usize,
    /// The context's prompt.
    pub(super) prompt: Vec<TokenId>,
    /// The context's trace.
    pub(super) trace: Vec<Token>,
    /// The index of the token in it.
    pub(super) index: usize,
}

/// Decodes up to the end of the line that holds the token.
pub(super) fn decode(
    computer: &Computer,
    program: &Program,
    engine: Engine,
    token: i64,
) -> Result<Decoded> {
    let wanted = u64::try_from(token)
        .ok()
        .map(|index| usize::try_from(index).unwrap_or(usize::MAX));
    let (mut decoded, end) = context_of(computer, program, engine, wanted)?;
    let count = decoded.before + decoded.trace.len();
    let wanted = wanted.or_else(|| {
        let back = usize::try_from(token.unsigned_abs()).ok()?;
        count.checked_sub(back)
    });
    let Some(wanted) = wanted.filter(|&index| index < count) else {
        let tokens = counted(count as u64);
        let range = match count {
            0 => "there is none to explain".to_owned(),
            count => format!("N goes from 0 to {}, or from -{count} to -1", count - 1),
        };
        return Err(Failure::Refused(anyhow!(
            "--token {token}: the run has {tokens}, and {}; {range}",
            ended(&end)
        )));
    };
    if wanted < decoded.before {
        // Counted from the end, and not in the last context.
        decoded = context_of(computer, program, engine, Some(wanted))?.0;
    }
    decoded.index = wanted - decoded.before;
    Ok(decoded)
}

/// The context with the token of an index, or else the last one, and how the run ended.
fn context_of(
    computer: &Computer,
    program: &Program,
    engine: Engine,
    index: Option<usize>,
) -> Result<(Decoded, RunEnd)> {
    let limit = index.map(|index| index.saturating_add(TraceReader::LONGEST_LINE) as u64);
    // A model that needs softmax has no plan.
    let run = computer
        .run(program, Engine::Plan, limit)
        .or_else(|_| computer.run(program, engine, limit));
    let mut run = run.map_err(|error| Failure::Refused(Error::new(error)))?;
    loop {
        let mut decoded = Decoded {
            context: run.contexts(),
            before: usize::try_from(run.earlier_tokens()).unwrap_or(usize::MAX),
            prompt: run.prompt().to_vec(),
            trace: vec![],
            index: 0,
        };
        while run.contexts() == decoded.context
            && run.steps(usize::MAX, |token, _| decoded.trace.push(token)) > 0
        {}
        let count = decoded.before + decoded.trace.len();
        if run.contexts() == decoded.context || index.is_some_and(|index| index < count) {
            return Ok((decoded, run.end()));
        }
    }
}

fn ended(end: &RunEnd) -> String {
    match end {
        RunEnd::Outcome(outcome) => format!("the program {outcome}"),
        RunEnd::Horizon { reason, .. } => format!("stops at the horizon ({reason})"),
        RunEnd::UnknownToken { token } => {
            format!("the model then says {token:?}, which means nothing")
        }
        RunEnd::Derailed { token, .. } => {
            format!("derails with `{token}`, which no program makes there")
        }
        RunEnd::MaxTokens | RunEnd::Differs { .. } | RunEnd::Fault { .. } => "goes on".to_owned(),
    }
}
