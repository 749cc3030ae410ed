//! Contexts that turn: the next context's prompt, as slices of the tokens of this one.

use std::ops::Range;
use std::time::Duration;

use weightware_isa::{Line, Token};
use weightware_model::TokenId;
use weightware_runtime::KeyRange;

use crate::Computer;

/// The prompt of this context, the tokens of which the next one's will consist, and counts.
///
/// The next prompt consists of three slices of earlier tokens, in this order:
///
/// 1. the prompt of this context up to `}`;
/// 2. the line of its prompt that ends with `ready`;
/// 3. its trace from the line that ends with `saving` on, to `turned`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contexts {
    /// The prompt of this context.
    pub(crate) prompt: Vec<TokenId>,
    /// The tokens of the prompt that the run began with.
    pub(crate) first: u64,
    /// Slices 1 and 2 in the prompt; `None` if no context can follow.
    kept: Option<[Range<usize>; 2]>,
    /// Slice 3 so far.
    saved: Vec<TokenId>,
    saving: bool,
    /// The number of tokens before the turn that goes on, from the line of `interrupted` to
    /// `continued`.
    turning: Option<u64>,
    /// Tokens of turns that are complete.
    turns: u64,
    /// The number of contexts that ended.
    pub(crate) ended: u64,
    /// Tokens of the trace in the contexts that ended.
    pub(crate) tokens: u64,
    /// Tokens of the prompts of all contexts after the first, and the time that they took.
    pub(crate) reread: u64,
    pub(crate) reread_time: Duration,
    /// The most positions that a context had that ended.
    longest: u64,
    /// The extent of the live keys of the context that ended last.
    pub(crate) keys: Vec<KeyRange>,
}

impl Contexts {
    /// The slices of a run that begins with a prompt. A prompt without `ready` has one context.
    pub(crate) fn new(computer: &Computer, prompt: &[TokenId]) -> Self {
        let at = |token| {
            let id = computer.id(token);
            prompt.iter().rposition(|&other| other == id)
        };
        let kept = match (at(Token::Close), at(Token::Ready)) {
            (Some(close), Some(ready)) => Some([0..close + 1, ready.saturating_sub(3)..ready + 1]),
            _ => None,
        };
        let later = kept.is_some() && prompt.last() == Some(&computer.id(Token::Turned));
        Self {
            prompt: prompt.to_vec(),
            first: prompt.len() as u64,
            kept,
            turning: later.then_some(0),
            ..Self::default()
        }
    }

    /// Whether a context can follow this one.
    pub(crate) fn go_on(&self) -> bool {
        self.kept.is_some()
    }

    /// Whether a line that ends with this token is a part of the next prompt, or begins or ends a
    /// turn.
    pub(crate) fn keeps(&self, end: Token) -> bool {
        self.saving || matches!(end, Token::Interrupted | Token::Continued | Token::Saving)
    }

    /// Reads a line of the trace that is [kept](Self::keeps); `tokens` is the trace's length at its
    /// end.
    pub(crate) fn read(&mut self, computer: &Computer, line: Line<'_>, tokens: u64) {
        match line.end() {
            // Interrupts within a turn belong to it.
            Some(Token::Interrupted) => {
                let before = tokens - line.tokens().len() as u64;
                self.turning.get_or_insert(before);
            }
            Some(Token::Continued) => {
                self.turns = self.turns(tokens);
                self.turning = None;
            }
            Some(Token::Saving) => self.saving = true,
            _ => {}
        }
        if self.saving {
            let ids = line.tokens().iter().map(|&token| computer.id(token));
            self.saved.extend(ids);
        }
    }

    /// Begins the next context after a trace of this many tokens.
    pub(crate) fn turn(&mut self, tokens: u64) {
        let longest = self.longest(tokens);
        let Some([code, ready]) = &mut self.kept else {
            return;
        };
        self.longest = longest;
        let line = self.prompt[ready.clone()].to_vec();
        self.prompt.truncate(code.end);
        *ready = code.end..code.end + line.len();
        self.prompt.extend(line);
        self.prompt.append(&mut self.saved);
        self.saving = false;
        self.ended += 1;
        self.tokens = tokens;
        self.reread += self.prompt.len() as u64;
    }

    /// Whether a turn goes on.
    pub(crate) fn turning(&self) -> bool {
        self.turning.is_some()
    }

    /// The tokens of turns in a trace of this many tokens.
    pub(crate) fn turns(&self, tokens: u64) -> u64 {
        self.turns + self.turning.map_or(0, |before| tokens - before)
    }

    /// The most positions that a context has had, of a trace of this many tokens.
    pub(crate) fn longest(&self, tokens: u64) -> u64 {
        self.longest
            .max(self.prompt.len() as u64 + tokens - self.tokens)
    }
}
