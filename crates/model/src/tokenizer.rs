//! Token strings and their ids.

/// The index of a token in the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub u32);

/// Token strings in id order; no string holds white space, so a text splits into tokens at white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokenizer {
    strings: Vec<String>,
}

impl Tokenizer {
    /// A tokenizer of the given strings, in id order.
    #[must_use]
    pub fn new(strings: Vec<String>) -> Self {
        Self { strings }
    }

    /// Token strings in id order.
    #[must_use]
    pub fn strings(&self) -> &[String] {
        &self.strings
    }
}
