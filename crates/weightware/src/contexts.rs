//! Contexts that turn: the next context's prompt, as slices of the tokens of this one.

use weightware_isa::{Line, Token};
use weightware_model::TokenId;

use crate::Computer;

/// The tokens of which the next context's prompt will consist, and counts.
///
/// The prompt consists of three slices of earlier tokens, in this order:
///
/// 1. the prompt of this context up to `}`;
/// 2. the line of its prompt that ends with `ready`;
/// 3. its trace from the line that ends with `saving` on, to `turned`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contexts {
    /// Slices 1 and 2.
    text: Vec<TokenId>,
    /// Slice 3 so far.
    saved: Vec<TokenId>,
    saving: bool,
    /// The number of contexts that ended.
    pub(crate) ended: u64,
    /// Tokens of the trace in the contexts that ended.
    pub(crate) tokens: u64,
    /// Tokens of the prompts of all contexts after the first.
    pub(crate) prompts: u64,
}

impl Contexts {
    /// The slices of a run that begins with a prompt. A prompt without `ready` has one context.
    pub(crate) fn new(computer: &Computer, prompt: &[TokenId]) -> Self {
        let at = |token| {
            let id = computer.id(token);
            prompt.iter().rposition(|&other| other == id)
        };
        let mut contexts = Self::default();
        if let (Some(close), Some(ready)) = (at(Token::Close), at(Token::Ready)) {
            contexts.text.extend(&prompt[..=close]);
            contexts
                .text
                .extend(&prompt[ready.saturating_sub(3)..=ready]);
        }
        contexts
    }

    /// Whether a context can follow this one.
    pub(crate) fn go_on(&self) -> bool {
        !self.text.is_empty()
    }

    /// Whether a line that ends with this token is a part of the next prompt.
    pub(crate) fn keeps(&self, end: Token) -> bool {
        self.saving || end == Token::Saving
    }

    /// Keeps a line of the trace, if it is a part of the next prompt.
    pub(crate) fn read(&mut self, computer: &Computer, line: Line<'_>) {
        self.saving |= line.end() == Some(Token::Saving);
        if self.saving {
            let ids = line.tokens().iter().map(|&token| computer.id(token));
            self.saved.extend(ids);
        }
    }

    /// The next context's prompt.
    pub(crate) fn turn(&mut self, tokens: u64) -> Vec<TokenId> {
        let mut prompt = self.text.clone();
        prompt.append(&mut self.saved);
        self.saving = false;
        self.ended += 1;
        self.tokens = tokens;
        self.prompts += prompt.len() as u64;
        prompt
    }
}
