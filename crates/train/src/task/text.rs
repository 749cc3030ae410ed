//! A language model of characters: a file's text, or one that [`corpus()`] generates.
//!
//! The first nine tenths are for training: windows at uniformly drawn places. The last tenth is for
//! validation: windows one after another, so that every character is predicted once, with the
//! characters of its own window as context.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use weightware_model::Tokenizer;

use super::{Batch, Task, corpus};
use crate::error::{Error, Result};
use crate::random::Random;

/// Settings of the character model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// The file; if it is absent, a corpus is generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<PathBuf>,
    /// Characters to generate if there is no file.
    #[serde(default = "characters")]
    pub characters: usize,
    /// Characters of a window.
    pub length: usize,
}

fn characters() -> usize {
    300_000
}

impl Text {
    pub(super) fn validate(&self) -> core::result::Result<(), String> {
        if self.length == 0 {
            return Err("task.length is 0, must be positive".into());
        }
        Ok(())
    }

    pub(super) fn open(self) -> Result<Characters> {
        let (text, place) = match &self.text {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
                (text, path.display().to_string())
            }
            None => (corpus(self.characters), "the generated corpus".to_owned()),
        };
        let alphabet: BTreeSet<char> = text.chars().collect();
        let alphabet: Vec<char> = alphabet.into_iter().collect();
        let id = |c| {
            alphabet
                .binary_search(&c)
                .expect("the alphabet has all characters") as u32
        };
        let tokens: Vec<u32> = text.chars().map(id).collect();
        let cut = tokens.len() / 10 * 9;
        if tokens.len() - cut <= self.length || cut <= self.length {
            return Err(Error::invalid(
                place,
                format!(
                    "a tenth of {} characters is no window of {}",
                    tokens.len(),
                    self.length
                ),
                "use a longer text or a smaller task.length",
            ));
        }
        Ok(Characters {
            length: self.length,
            alphabet,
            tokens,
            cut,
        })
    }
}

/// The characters of a text.
pub(super) struct Characters {
    length: usize,
    alphabet: Vec<char>,
    tokens: Vec<u32>,
    /// Where validation begins.
    cut: usize,
}

impl Characters {
    fn push(&self, batch: &mut Batch, first: usize) {
        let window = &self.tokens[first..=first + self.length];
        batch.push(
            &window[..self.length],
            window[1..].iter().copied().enumerate(),
        );
    }
}

impl Task for Characters {
    fn tokenizer(&self) -> Tokenizer {
        Tokenizer::characters(self.alphabet.iter().map(char::to_string).collect())
    }

    fn context(&self) -> usize {
        self.length
    }

    fn train(&self, random: &mut Random, sequences: usize) -> Batch {
        let mut batch = Batch::new(self.length);
        for _ in 0..sequences {
            self.push(&mut batch, random.below(self.cut - self.length));
        }
        batch.rows = None;
        batch
    }

    fn tests(&self) -> Vec<String> {
        vec!["validation".to_owned()]
    }

    fn test(&self, _: usize, first: usize, _: &mut Random, sequences: usize) -> Batch {
        let mut batch = Batch::new(self.length);
        let windows = (self.tokens.len() - 1 - self.cut) / self.length;
        for window in first..(first + sequences).min(windows) {
            self.push(&mut batch, self.cut + window * self.length);
        }
        batch.rows = None;
        batch
    }
}
