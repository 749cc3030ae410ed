//! The tasks: generated sequences, seeded and without end.

mod copying;
mod corpus;
mod needle;
mod recall;
mod text;
mod tracking;

use serde::{Deserialize, Serialize};
use weightware_model::Tokenizer;

use crate::error::Result;
use crate::random::Random;

pub use copying::Copying;
pub use corpus::corpus;
pub use needle::Needle;
pub use recall::Recall;
pub use text::Text;
pub use tracking::Tracking;

/// Sequences of equal length, and what the model is to say in some rows of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Number of sequences.
    pub sequences: usize,
    /// Tokens of each.
    pub length: usize,
    /// `[sequences * length]`.
    pub tokens: Vec<u32>,
    /// Supervised rows, ascending; `None`: all. All sequences of a test have
    /// equally many.
    pub rows: Option<Vec<u32>>,
    /// The token that should follow each supervised row.
    pub targets: Vec<u32>,
}

impl Batch {
    fn new(length: usize) -> Self {
        Self {
            sequences: 0,
            length,
            tokens: vec![],
            rows: Some(vec![]),
            targets: vec![],
        }
    }

    /// Appends a sequence whose `(position, target)` pairs are supervised.
    fn push(&mut self, tokens: &[u32], supervised: impl IntoIterator<Item = (usize, u32)>) {
        assert_eq!(
            tokens.len(),
            self.length,
            "sequences of a batch have equal lengths"
        );
        let first = self.tokens.len();
        self.tokens.extend_from_slice(tokens);
        self.sequences += 1;
        for (position, target) in supervised {
            if let Some(rows) = &mut self.rows {
                rows.push((first + position) as u32);
            }
            self.targets.push(target);
        }
    }
}

/// A source of batches.
pub trait Task: Send + Sync {
    /// The vocabulary.
    fn tokenizer(&self) -> Tokenizer;

    /// The length of the longest training sequence.
    fn context(&self) -> usize;

    /// A batch for training.
    fn train(&self, random: &mut Random, sequences: usize) -> Batch;

    /// The names of the tests; the first is of the training distribution.
    fn tests(&self) -> Vec<String>;

    /// A batch of a test. `first` counts the test's sequences before; an empty batch ends the test.
    fn test(&self, test: usize, first: usize, random: &mut Random, sequences: usize) -> Batch;
}

/// The task of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TaskSettings {
    /// Multi-query associative recall.
    Recall(Recall),
    /// Copying.
    Copying(Copying),
    /// Running products in a group.
    Tracking(Tracking),
    /// Pairs at any place among fillers.
    Needle(Needle),
    /// A language model of characters.
    Text(Text),
}

impl TaskSettings {
    pub(crate) fn validate(&self) -> core::result::Result<(), String> {
        match self {
            Self::Recall(task) => task.validate(),
            Self::Copying(task) => task.validate(),
            Self::Tracking(task) => task.validate(),
            Self::Needle(task) => task.validate(),
            Self::Text(task) => task.validate(),
        }
    }

    /// The source of batches; it reads the text if there is one.
    ///
    /// # Errors
    /// If the text cannot be read, or is too short.
    pub fn open(&self) -> Result<Box<dyn Task>> {
        Ok(match self.clone() {
            Self::Recall(task) => Box::new(task),
            Self::Copying(task) => Box::new(task),
            Self::Tracking(task) => Box::new(task.open()),
            Self::Needle(task) => Box::new(task),
            Self::Text(task) => Box::new(task.open()?),
        })
    }
}

/// A tokenizer of words that are numbered.
fn numbered(vocab: usize, name: impl Fn(usize) -> String) -> Tokenizer {
    Tokenizer::new((0..vocab).map(name).collect())
}
