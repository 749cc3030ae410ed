//! Programs that together execute every instruction, every token and every way to end.

use std::sync::atomic::{AtomicUsize, Ordering};

use weightware::{Decoder, Engine, FinishReason, TokenId};
use weightware_isa::{Interpreter, Program, Vocabulary};
use weightware_model::Model;

use super::programs::{directed, random, small};
use super::slots::Slots;
use super::{Part, Place};
use crate::execution::FASTEST;

/// Programs with the plain interpreter's traces.
#[derive(Debug)]
pub struct Corpus {
    runs: Vec<Run>,
    /// The slots of the shortest runs.
    slots: Slots,
}

#[derive(Debug)]
struct Run {
    prompt: Vec<TokenId>,
    trace: Vec<TokenId>,
    /// Whether each token occurs.
    holds: Vec<bool>,
    /// The number of mutations that this run noticed first. It decides the order of runs, not the
    /// result.
    noticed: AtomicUsize,
}

/// The greatest length of runs without a plan: building one takes longer.
const SHORT: usize = 40_000;
/// The number of runs that are checked slot by slot, and their instructions.
const WATCHED: (u64, u32) = (3, 12);

impl Corpus {
    /// Builds a corpus of this many random programs of this many instructions, and the directed
    /// ones. Their runs by this model are right.
    ///
    /// # Panics
    /// If the plain interpreter finds a fault in one of them.
    #[must_use]
    pub fn new(model: &Model, count: u64, length: u32) -> Self {
        let mut runs: Vec<Run> = random(count, length)
            .chain(directed())
            .map(|program| run(&program))
            .collect();
        // Any program notices most mutations, so the short ones come first.
        runs.sort_by_key(Run::len);
        let watched: Vec<Run> = random(WATCHED.0, WATCHED.1)
            .chain(small())
            .map(|program| run(&program))
            .collect();
        let slots = Slots::new(
            model,
            watched.iter().map(|run| (&run.prompt[..], &run.trace[..])),
        );
        Self { runs, slots }
    }

    /// The number of tokens that a model must generate to pass.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.runs.iter().map(|run| run.trace.len()).sum()
    }

    /// Whether a model with a changed weight at that place generates another token, or stops.
    #[must_use]
    pub fn notices(&self, model: &Model, place: Place) -> bool {
        // The embedding of a token that never occurs has no effect.
        let token = (place.group.part == Part::Embedding).then_some(place.row);
        let concerned = |run: &&Run| token.is_none_or(|token| run.holds[token]);
        let mut order: Vec<&Run> = self.runs.iter().filter(concerned).collect();
        // First the runs that generate the token, then those that notice the most for their length.
        let said = (place.group.part == Part::Unembedding).then_some(place.row);
        let worth = |run: &Run| (run.noticed.load(Ordering::Relaxed) + 1) as f64 / run.len() as f64;
        order.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        order.sort_by_key(|run| said.is_some_and(|token| !run.holds[token]));
        let mut left = SHORT;
        let short = order.iter().take_while(|run| {
            let first = left == SHORT;
            left = left.saturating_sub(run.len());
            first || left > 0
        });
        let short = short.count();
        let found = match first_difference(model, Engine::Hull, order[..short].iter().copied()) {
            Some((at, _)) => Some(at),
            None => first_difference(model, FASTEST, order[short..].iter().copied())
                .map(|(at, _)| short + at),
        };
        if let Some(run) = found.and_then(|at| order.get(at)) {
            run.noticed.fetch_add(1, Ordering::Relaxed);
        }
        found.is_some()
    }

    /// Whether some slot after some half-layer holds another number in one of the shortest runs.
    #[must_use]
    pub fn notices_in_slots(&self, model: &Model) -> bool {
        self.slots.notice(model)
    }

    /// The first difference of a model: the run, and the number of right tokens of its trace.
    #[must_use]
    pub fn first_difference(&self, model: &Model) -> Option<(usize, usize)> {
        first_difference(model, FASTEST, self.runs.iter())
    }
}

fn first_difference<'r>(
    model: &Model,
    engine: Engine,
    runs: impl Iterator<Item = &'r Run>,
) -> Option<(usize, usize)> {
    let Ok(mut decoder) = Decoder::new(model, engine) else {
        return Some((0, 0));
    };
    runs.enumerate().find_map(|(at, run)| {
        decoder.reset();
        if decoder.prefill(&run.prompt).is_err() {
            return Some((at, 0));
        }
        let mut said = decoder.generate(None);
        let trace = run.trace.iter();
        let right = trace
            .take_while(|&&token| said.next() == Some(token))
            .count();
        let ended = matches!(decoder.finish_reason(), Some(FinishReason::EndToken(_)));
        (right < run.trace.len() || !ended).then_some((at, right))
    })
}

impl Run {
    fn len(&self) -> usize {
        self.prompt.len() + self.trace.len()
    }
}

fn run(program: &Program) -> Run {
    let vocabulary = Vocabulary::new();
    let id = |token| TokenId(vocabulary.id(token));
    let trace = Interpreter::new(program).map(|token| id(token.expect("the program has no fault")));
    let (prompt, trace): (Vec<_>, Vec<_>) =
        (program.full_prompt().map(id).collect(), trace.collect());
    let mut holds = vec![false; vocabulary.tokens().len()];
    for token in prompt.iter().chain(&trace) {
        holds[token.0 as usize] = true;
    }
    Run {
        prompt,
        trace,
        holds,
        noticed: AtomicUsize::new(0),
    }
}
