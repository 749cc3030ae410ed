//! Contexts that turn: the next context's prompt, as slices of the tokens of this one.

use weightware_isa::{Line, Token};
use weightware_model::TokenId;

use crate::Computer;

/// The tokens of which the next context's prompt will consist, and counts.
///
/// The prompt consists of four slices of earlier tokens, in this order:
///
/// 1. the prompt of this context up to `}`;
/// 2. the line of its prompt that ends with `ready`;
/// 3. the last line of its trace, which ends with `turned`;
/// 4. the lines of its trace that end with `loaded`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contexts {
    /// Slices 1 and 2.
    text: Vec<TokenId>,
    /// Slice 4 so far.
    sections: Vec<TokenId>,
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

    /// Keeps a line of the trace, if it is a part of the next prompt.
    pub(crate) fn read(&mut self, computer: &Computer, line: Line<'_>) {
        if line.end() == Some(Token::Loaded) {
            let ids = line.tokens().iter().map(|&token| computer.id(token));
            self.sections.extend(ids);
        }
    }

    /// The next context's prompt, after the line that ended this one.
    pub(crate) fn turn(&mut self, last: &[TokenId], tokens: u64) -> Vec<TokenId> {
        let mut prompt = self.text.clone();
        prompt.extend(last);
        prompt.append(&mut self.sections);
        self.ended += 1;
        self.tokens = tokens;
        self.prompts += prompt.len() as u64;
        prompt
    }
}
