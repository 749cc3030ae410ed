//! Multi-query associative recall, after Zoology (Arora et al. 2023).
//!
//! ```text
//! k1 v1 k2 v2 .. kn vn   _ _ k2 [v2] _ _ kn [vn] ..      n pairs, then each key once, in any order
//! ```
//! Half of the vocabulary are keys, half are values; `_` is token 0, no key. Queries stand at
//! uniformly drawn even places after the pairs, where Zoology draws gaps by a power law. The loss
//! counts the values of queries only.

use serde::{Deserialize, Serialize};
use weightware_model::Tokenizer;

use super::{Batch, Task, numbered};
use crate::random::Random;

/// Settings of associative recall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    /// Tokens: `vocab / 2 - 1` keys, and the values.
    pub vocab: usize,
    /// Tokens of a training sequence.
    pub length: usize,
    /// The fewest and the most pairs of a training sequence, drawn uniformly.
    pub pairs: [usize; 2],
    /// `[length, pairs]` of each test.
    pub tests: Vec<[usize; 2]>,
}

impl Recall {
    pub(super) fn validate(&self) -> Result<(), String> {
        let keys = (self.vocab / 2).saturating_sub(1);
        let [fewest, most] = self.pairs;
        if fewest == 0 || fewest > most {
            return Err(format!(
                "task.pairs is {:?}, must be [fewest, most]",
                self.pairs
            ));
        }
        let all = self.tests.iter().copied().chain([[self.length, most]]);
        for [length, pairs] in all {
            if pairs == 0 || pairs > keys || pairs > length / 4 {
                return Err(format!(
                    "task: {pairs} pairs in {length} tokens need 4 tokens each and {keys} keys"
                ));
            }
        }
        Ok(())
    }

    fn push(&self, batch: &mut Batch, random: &mut Random, pairs: usize) {
        let half = self.vocab / 2;
        let mut keys: Vec<u32> = (1..half as u32).collect();
        for i in 0..pairs {
            keys.swap(i, i + random.below(half - 1 - i));
        }
        let mut known: Vec<(u32, u32)> = keys[..pairs]
            .iter()
            .map(|&key| (key, (half + random.below(self.vocab - half)) as u32))
            .collect();
        let mut tokens: Vec<u32> = known
            .iter()
            .flat_map(|&(key, value)| [key, value])
            .collect();
        tokens.resize(batch.length, 0);

        let mut places: Vec<usize> = (pairs..batch.length / 2).collect();
        random.shuffle(&mut places);
        places.truncate(pairs);
        places.sort_unstable();
        random.shuffle(&mut known);
        for (&place, &(key, value)) in places.iter().zip(&known) {
            tokens[2 * place] = key;
            tokens[2 * place + 1] = value;
        }
        let values = known.iter().map(|&(_, value)| value);
        batch.push(&tokens, places.iter().map(|place| 2 * place).zip(values));
    }
}

impl Task for Recall {
    fn tokenizer(&self) -> Tokenizer {
        let half = self.vocab / 2;
        numbered(self.vocab, |id| match id {
            0 => "_".to_owned(),
            id if id < half => format!("k{id}"),
            id => format!("v{}", id - half),
        })
    }

    fn context(&self) -> usize {
        self.length
    }

    fn train(&self, random: &mut Random, sequences: usize) -> Batch {
        let mut batch = Batch::new(self.length);
        let [fewest, most] = self.pairs;
        for _ in 0..sequences {
            let pairs = fewest + random.below(most - fewest + 1);
            self.push(&mut batch, random, pairs);
        }
        batch
    }

    fn tests(&self) -> Vec<String> {
        let name = |[length, pairs]: &[usize; 2]| format!("{pairs} pairs in {length}");
        self.tests.iter().map(name).collect()
    }

    fn test(&self, test: usize, _: usize, random: &mut Random, sequences: usize) -> Batch {
        let [length, pairs] = self.tests[test];
        let mut batch = Batch::new(length);
        (0..sequences).for_each(|_| self.push(&mut batch, random, pairs));
        batch
    }
}
