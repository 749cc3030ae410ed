//! Copying of random strings, with tests on longer ones (Jelassi et al., *Repeat After Me*, 2024).
//!
//! ```text
//! ^ x1 x2 .. xn | [x1 x2 .. xn $]
//! ```
//! All sequences of a batch have one length, drawn uniformly. A sequence counts as right if every
//! token is: then greedy decoding writes the same string.

use serde::{Deserialize, Serialize};
use weightware_model::Tokenizer;

use super::{Batch, Task, numbered};
use crate::random::Random;

/// Settings of copying.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copying {
    /// Different letters.
    pub letters: usize,
    /// The shortest and the longest string in training.
    pub lengths: [usize; 2],
    /// Lengths of the tests' strings.
    pub tests: Vec<usize>,
}

const BEGIN: u32 = 0;
const BAR: u32 = 1;
const END: u32 = 2;
const FIRST: usize = 3;

impl Copying {
    pub(super) fn validate(&self) -> Result<(), String> {
        let [shortest, longest] = self.lengths;
        if self.letters == 0 || shortest == 0 || shortest > longest || self.tests.contains(&0) {
            return Err("task: letters and lengths must be positive, [shortest, longest]".into());
        }
        Ok(())
    }

    fn batch(&self, random: &mut Random, sequences: usize, length: usize) -> Batch {
        let mut batch = Batch::new(2 * length + 2);
        for _ in 0..sequences {
            let string: Vec<u32> = (0..length)
                .map(|_| (FIRST + random.below(self.letters)) as u32)
                .collect();
            let mut tokens = vec![BEGIN];
            tokens.extend(&string);
            tokens.push(BAR);
            tokens.extend(&string);
            let targets = string.iter().copied().chain([END]);
            batch.push(&tokens, (length + 1..).zip(targets));
        }
        batch
    }
}

impl Task for Copying {
    fn tokenizer(&self) -> Tokenizer {
        numbered(FIRST + self.letters, |id| match id as u32 {
            BEGIN => "^".to_owned(),
            BAR => "|".to_owned(),
            END => "$".to_owned(),
            _ => format!("x{}", id - FIRST),
        })
    }

    fn context(&self) -> usize {
        2 * self.lengths[1] + 2
    }

    fn train(&self, random: &mut Random, sequences: usize) -> Batch {
        let [shortest, longest] = self.lengths;
        let length = shortest + random.below(longest - shortest + 1);
        self.batch(random, sequences, length)
    }

    fn tests(&self) -> Vec<String> {
        self.tests
            .iter()
            .map(|length| format!("length {length}"))
            .collect()
    }

    fn test(&self, test: usize, _: usize, random: &mut Random, sequences: usize) -> Batch {
        self.batch(random, sequences, self.tests[test])
    }
}
