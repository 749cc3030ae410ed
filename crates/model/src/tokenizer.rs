//! Token strings and their ids.

use std::collections::HashMap;

use crate::Error;
use crate::error::quoted;

/// The index of a token in the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub u32);

/// How a text is split into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Splitting {
    /// At white space, which belongs to no token.
    Words,
    /// Each character is a token.
    Characters,
}

/// Token strings in id order: words, or single characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokenizer {
    splitting: Splitting,
    strings: Vec<String>,
    ids: HashMap<String, TokenId>,
}

impl Tokenizer {
    /// Creates a tokenizer of the given words, in id order.
    ///
    /// It does not check the strings: [`Model::validate`](crate::Model::validate) refuses a string
    /// that is empty, contains white space or occurs twice.
    #[must_use]
    pub fn new(strings: Vec<String>) -> Self {
        Self::splitting_at(Splitting::Words, strings)
    }

    /// Creates a tokenizer whose tokens are the given characters, in id order.
    ///
    /// It does not check the strings: `validate` of a model refuses one that is not one character.
    #[must_use]
    pub fn characters(strings: Vec<String>) -> Self {
        Self::splitting_at(Splitting::Characters, strings)
    }

    fn splitting_at(splitting: Splitting, strings: Vec<String>) -> Self {
        let mut ids = HashMap::with_capacity(strings.len());
        for (id, string) in (0..).zip(&strings) {
            ids.entry(string.clone()).or_insert(TokenId(id));
        }
        Self {
            splitting,
            strings,
            ids,
        }
    }

    /// How a text is split into tokens.
    #[must_use]
    pub fn splitting(&self) -> Splitting {
        self.splitting
    }

    /// Token strings in id order.
    #[must_use]
    pub fn strings(&self) -> &[String] {
        &self.strings
    }

    /// The id of the token that is written so, if the vocabulary has it.
    #[must_use]
    pub fn id(&self, string: &str) -> Option<TokenId> {
        self.ids.get(string).copied()
    }

    /// The word that a token is written as; `None` for an id outside the vocabulary.
    #[must_use]
    pub fn string(&self, id: TokenId) -> Option<&str> {
        self.strings.get(id.0 as usize).map(String::as_str)
    }

    /// Splits a text and returns its tokens.
    ///
    /// # Errors
    /// If a word or a character is not a token; the error names it and its index.
    pub fn encode(&self, text: &str) -> Result<Vec<TokenId>, Error> {
        let token = |(index, word): (usize, &str)| {
            let id = self.id(word);
            id.ok_or_else(|| Error::unknown_word(word, index))
        };
        match self.splitting {
            Splitting::Words => text.split_whitespace().enumerate().map(token).collect(),
            Splitting::Characters => {
                let characters = text.char_indices();
                let characters = characters.map(|(at, c)| &text[at..at + c.len_utf8()]);
                characters.enumerate().map(token).collect()
            }
        }
    }

    /// Joins the strings of tokens: words by single spaces, characters by nothing.
    ///
    /// An id outside the vocabulary becomes `<ID?>`, which [`encode`](Self::encode) does not
    /// accept: decoding is for readers.
    #[must_use]
    pub fn decode(&self, tokens: &[TokenId]) -> String {
        let mut text = String::new();
        for (i, &token) in tokens.iter().enumerate() {
            if i > 0 && self.splitting == Splitting::Words {
                text.push(' ');
            }
            match self.string(token) {
                Some(string) => text.push_str(string),
                None => text.push_str(&format!("<{}?>", token.0)),
            }
        }
        text
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        for (id, string) in self.strings.iter().enumerate() {
            let wrong = match self.splitting {
                Splitting::Words if string.is_empty() => Some("is empty"),
                Splitting::Words if string.chars().any(char::is_whitespace) => {
                    Some("holds white space")
                }
                Splitting::Characters if string.chars().count() != 1 => Some("is not a character"),
                _ => None,
            };
            if let Some(wrong) = wrong {
                return Err(Error::invalid(
                    format!("the string of token {id}, {}, {wrong}", quoted(string)),
                    "give every token a word or character of its own",
                ));
            }
            let first = self.ids[string].0 as usize;
            if first != id {
                return Err(Error::invalid(
                    format!("tokens {first} and {id} are both {}", quoted(string)),
                    "give every token a word of its own",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_and_decodes() {
        let tokenizer = Tokenizer::new(["a", "b", "c"].map(String::from).to_vec());
        let tokens = tokenizer.encode(" c\ta\n\na ").unwrap();
        assert_eq!(tokens, [TokenId(2), TokenId(0), TokenId(0)]);
        assert_eq!(tokenizer.decode(&tokens), "c a a");
        assert_eq!(tokenizer.decode(&[TokenId(7)]), "<7?>");
    }

    #[test]
    fn characters_are_tokens_too() {
        let tokenizer = Tokenizer::characters(["a", " ", "é"].map(String::from).to_vec());
        let tokens = tokenizer.encode("é a").unwrap();
        assert_eq!(tokens, [TokenId(2), TokenId(1), TokenId(0)]);
        assert_eq!(tokenizer.decode(&tokens), "é a");
        let error = tokenizer.encode("ab").unwrap_err();
        assert_eq!(error.as_unknown_word(), Some(("b", 1)));
        assert!(tokenizer.validate().is_ok());
        assert!(Tokenizer::characters(vec!["ab".into()]).validate().is_err());
    }

    #[test]
    fn an_unknown_word_is_located() {
        let tokenizer = Tokenizer::new(vec!["a".into()]);
        let error = tokenizer.encode("a a what a").unwrap_err();
        assert_eq!(error.as_unknown_word(), Some(("what", 2)));
        assert_eq!(
            error.to_string(),
            "word 2, \"what\", is not in the vocabulary"
        );
    }

    #[test]
    fn odd_strings_are_refused() {
        for strings in [
            vec!["a", "a"],
            vec!["a b"],
            vec![""],
            vec!["a\u{a0}b"],
            vec!["\n"],
        ] {
            let tokenizer = Tokenizer::new(strings.into_iter().map(String::from).collect());
            assert!(tokenizer.validate().is_err());
        }
    }
}
