//! A buffer of decoded tokens over a slice.

use weightware_model::TokenId;

/// A buffer over a slice: the tokens generated so far, and space for more.
#[derive(Debug)]
pub(crate) struct TokenBuffer<'t> {
    tokens: &'t mut [TokenId],
    count: usize,
}

impl<'t> TokenBuffer<'t> {
    /// An empty buffer over a slice.
    pub(crate) fn into(tokens: &'t mut [TokenId]) -> Self {
        Self { tokens, count: 0 }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count == self.tokens.len()
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn last(&self) -> Option<TokenId> {
        self.tokens[..self.count].last().copied()
    }

    /// Appends a token.
    ///
    /// # Panics
    /// If the buffer is full.
    #[inline]
    pub(crate) fn push(&mut self, token: TokenId) {
        self.tokens[self.count] = token;
        self.count += 1;
    }

    /// Appends a token, if there is one.
    pub(crate) fn extend(&mut self, token: Option<TokenId>) {
        if let Some(token) = token {
            self.push(token);
        }
    }
}
