//! Decoding of a course in lockstep with the plain interpreter.

use weightware::{Computer, Decoder, Engine, FinishReason, Program, TokenId};
use weightware_isa::{Interpreter, Token};

use super::{Course, Leads};
use crate::beside::is_store;

/// Tokens decoded at once.
const BATCH: usize = 256;

/// A run that agreed with the plain interpreter up to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// The tokens of prompt and trace.
    pub tokens: u64,
    /// The stores of the trace.
    pub stores: u64,
    /// The reason for which decoding ended.
    pub finish: Option<FinishReason>,
    /// The least leads within cases.
    pub leads: Leads,
    /// The number of assumptions that the plan engine dropped.
    pub deoptimizations: u32,
}

/// The first token that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its position.
    pub position: u64,
    /// The token of the run at that position, or the reason for which there is none.
    pub found: String,
    /// The token of the plain interpreter.
    pub expected: String,
}

/// Runs a course up to its horizon. If the engine computes logits, those of tokens in cases are
/// checked.
///
/// # Errors
/// The first difference.
pub fn run(computer: &Computer, course: &Course, engine: Engine) -> Result<Ran, Difference> {
    // Plans compute only the logits that they need.
    let looks = !engine.is_planned();
    let cases = course.stops.iter().filter(|_| looks);
    let cases = cases.map(|stop| stop.start..stop.start + stop.tokens);
    follow(computer, &course.program, engine, cases)
}

/// Runs a program to its end or to the horizon, and checks the logits at some positions.
pub(super) fn follow(
    computer: &Computer,
    program: &Program,
    engine: Engine,
    watched: impl Iterator<Item = std::ops::Range<u64>>,
) -> Result<Ran, Difference> {
    let differs = |position, found: String, expected: String| Difference {
        position,
        found,
        expected,
    };
    let prompt = computer.prompt(program);
    let mut position = prompt.len() as u64;
    let none = || "nothing".to_owned();
    let mut decoder = Decoder::new(computer.model(), engine)
        .map_err(|error| differs(0, error.to_string(), none()))?;
    decoder
        .prefill(&prompt)
        .map_err(|stop| differs(position, stop.to_string(), none()))?;
    drop(prompt);
    let mut interpreter = Interpreter::new(program);
    let mut ids = [TokenId(0); BATCH];
    let (mut stores, mut leads) = (0, Leads::default());
    let mut watched = watched.peekable();
    loop {
        while watched.next_if(|range| range.end <= position).is_some() {}
        let (batch, looks) = match watched.peek() {
            Some(range) if range.start <= position => (1, true),
            Some(range) => ((range.start - position).min(BATCH as u64) as usize, false),
            None => (BATCH, false),
        };
        let decoded = decoder.generate_into(&mut ids[..batch]);
        for &id in &ids[..decoded] {
            let expected = next(&mut interpreter);
            let found = computer.meaning(id);
            if found.is_none() || found != expected {
                let show =
                    |token: Option<Token>| token.map_or_else(none, |token| token.to_string());
                return Err(differs(position, show(found), show(expected)));
            }
            if let (true, Some(token)) = (looks, found) {
                let best = leads.note(computer, &decoder.logits(), position, token);
                if best != Some(token) {
                    let best = format!("{best:?}, by its logit");
                    return Err(differs(position, best, token.to_string()));
                }
            }
            stores += u64::from(expected.as_ref().is_some_and(is_store));
            position += 1;
        }
        if decoded < batch {
            break;
        }
    }
    let finish = decoder.finish_reason();
    let ended = interpreter.outcome().is_some();
    match finish {
        Some(FinishReason::Horizon { .. }) if !ended => {}
        Some(FinishReason::EndToken(_)) if ended => {}
        _ => {
            let expected = next(&mut interpreter);
            let expected = expected.map_or_else(none, |token| token.to_string());
            return Err(differs(position, format!("{finish:?}"), expected));
        }
    }
    Ok(Ran {
        tokens: position,
        stores,
        finish,
        leads,
        deoptimizations: decoder.stats().deoptimizations,
    })
}

/// The next token, also after an end.
fn next(interpreter: &mut Interpreter<'_>) -> Option<Token> {
    match interpreter.next() {
        None if interpreter.go_on() => interpreter.next()?.ok(),
        token => token?.ok(),
    }
}
