//! The contexts of a run, in reports: their counts, and why there is no further one.

use std::time::Duration;

use serde_json::{Value, json};
use weightware::{Computer, Program, Run};

use crate::input::Loaded;
use crate::thousands::thousands;

/// The counts of a run's contexts, and whether it can go on in another one.
pub(crate) struct Contexts {
    /// Contexts of this run.
    pub(crate) count: u64,
    /// The number of the last one; a resumed run begins in a later context than the first.
    pub(crate) number: u64,
    /// The tokens after which a context of the model is full, if it ever is.
    tokens: Option<u64>,
    /// Tokens of the trace that belong to turns.
    pub(crate) turn_tokens: u64,
    /// Whether the last of these turns is not complete.
    turning: bool,
    /// Tokens of later contexts' prompts.
    reread: u64,
    reread_time: Duration,
    /// Why the program has one context.
    why_one: Option<String>,
}

/// A turn in which a run stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The program cannot go on in another context.
    Never,
    /// The program can, and runs.
    Running {
        /// The tokens after which the context would have been full.
        context: u64,
    },
    /// The state is being saved or restored.
    Turning,
}

impl Contexts {
    /// The contexts of a run that began with the context of the number `first`.
    pub(crate) fn new(
        run: &Run<'_>,
        computer: &Computer,
        first: u64,
        program: Option<&Program>,
        loaded: Option<&Loaded>,
    ) -> Self {
        let why_one = match (run.turns(), computer.model().config.context) {
            (true, Some(_)) => None,
            (true, None) => Some("the model has no handler for full contexts".to_owned()),
            (false, _) => Some(why_one(program, loaded)),
        };
        Self {
            count: run.contexts(),
            number: first + run.contexts() - 1,
            tokens: computer.model().config.context,
            turn_tokens: run.turn_tokens(),
            turning: run.turning(),
            reread: run.reread_tokens(),
            reread_time: run.reread_time(),
            why_one,
        }
    }

    /// The part of a turn in which the run was.
    pub(crate) fn turn(&self) -> Turn {
        match (&self.why_one, self.turning, self.tokens) {
            (None, true, _) => Turn::Turning,
            (None, false, Some(context)) => Turn::Running { context },
            _ => Turn::Never,
        }
    }

    /// Where a position is, if there are several contexts.
    pub(crate) fn place(&self) -> String {
        match self.number {
            1 => String::new(),
            number => format!(" of context {number}"),
        }
    }

    /// Why the run has one context, as a part of a message.
    pub(crate) fn one_alone(&self) -> String {
        let why = self.why_one.as_ref();
        why.map_or_else(String::new, |why| {
            format!("; it does not go on in another context: {why}")
        })
    }

    /// A remedy for a state that is too large when a context is full.
    pub(crate) fn longer(&self) -> String {
        self.tokens.map_or_else(String::new, |tokens| {
            format!(
                ", or give contexts more than {} tokens by --context",
                thousands(tokens)
            )
        })
    }

    /// The number of contexts, and how long they are.
    pub(crate) fn count(&self) -> String {
        let last = match self.number == self.count {
            true => String::new(),
            false => format!(", the last of which is context {}", self.number),
        };
        match (self.tokens, &self.why_one) {
            (Some(tokens), None) => {
                format!("{}{last}; one is full after {tokens} tokens", self.count)
            }
            _ => format!("{}{last}", self.count),
        }
    }

    fn share(&self, part: u64, trace: u64) -> f64 {
        part as f64 / (trace + self.reread).max(1) as f64
    }

    /// The parts of a trace of this many tokens and of later prompts, if there is a turn.
    pub(crate) fn rows(&self, trace: u64) -> Vec<(&'static str, String)> {
        if self.turn_tokens == 0 {
            return vec![];
        }
        let part = |tokens, more: &str| {
            let share = 100.0 * self.share(tokens, trace);
            format!("{tokens} tokens{more}, {share:.1} % of trace and later prompts")
        };
        let seconds = format!(" in {:.3} s", self.reread_time.as_secs_f64());
        vec![
            ("program", part(trace - self.turn_tokens, "")),
            ("turns", part(self.turn_tokens, "")),
            ("later prompts", part(self.reread, &seconds)),
        ]
    }

    /// The counts for tools.
    pub(crate) fn json(&self, trace: u64) -> Value {
        json!({
            "count": self.count,
            "last": self.number,
            "length": self.tokens,
            "turn_tokens": self.turn_tokens,
            "turn_share": self.share(self.turn_tokens, trace),
            "reread_tokens": self.reread,
            "reread_share": self.share(self.reread, trace),
            "reread_seconds": self.reread_time.as_secs_f64(),
            "why_one": self.why_one,
        })
    }
}

/// Why a program has one context.
pub(crate) fn why_one(program: Option<&Program>, loaded: Option<&Loaded>) -> String {
    if program.is_some_and(|program| program.turns.is_some()) {
        return "the prompt is not that of a program".to_owned();
    }
    match loaded {
        None => "its prompt has no handler".to_owned(),
        Some(loaded) => loaded.why_one().to_owned(),
    }
}
