//! Needles: pairs of a key and a value at any place among fillers, and questions for them.
//!
//! ```text
//! f f k3=v1 f f f k1=v9 .. f   ?k1 [v9] ?k7 [v2] ..      each key once, then questions
//! ```
//! A pair is one token, so that one attention head can find it: the question's query must be
//! nearest to the pair's key among all keys. The questions stand at the end, and the loss counts
//! their answers only. Lengths of training batches are drawn from a list.

use serde::{Deserialize, Serialize};
use weightware_model::Tokenizer;

use super::{Batch, Task, numbered};
use crate::random::Random;

/// Settings of needles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needle {
    /// Keys; each sequence of a test has a pair for each of them.
    pub keys: usize,
    /// The fewest and the most pairs of a training sequence, drawn uniformly by their logarithm,
    /// and as many as it holds: few of them teach what a question means, many of them teach
    /// precision.
    pub pairs: [usize; 2],
    /// Values.
    pub values: usize,
    /// Kinds of fillers.
    pub fillers: usize,
    /// Questions at the end of a training sequence or of a test.
    pub questions: usize,
    /// Tokens of training sequences: each batch has one of these lengths.
    pub lengths: Vec<usize>,
    /// Tokens of the sequences of each test.
    pub tests: Vec<usize>,
}

impl Needle {
    pub(super) fn validate(&self) -> Result<(), String> {
        let counts = [self.keys, self.values, self.fillers, self.questions];
        if counts.contains(&0) || self.lengths.is_empty() {
            return Err("task: a count is 0, or there is no length".to_owned());
        }
        let [fewest, most] = self.pairs;
        if fewest == 0 || fewest > most || most > self.keys {
            return Err(format!(
                "task.pairs is {:?}, of {} keys",
                self.pairs, self.keys
            ));
        }
        let training = self.lengths.iter().map(|&length| (length, 1));
        let tests = self.tests.iter().map(|&length| (length, self.keys));
        let mut all = training.chain(tests);
        match all.find(|&(length, pairs)| length < pairs + self.questions) {
            Some((length, pairs)) => Err(format!(
                "task: {length} tokens do not hold {pairs} pairs and {} questions",
                self.questions
            )),
            None => Ok(()),
        }
    }

    /// The vocabulary: fillers, questions, values, pairs.
    fn question(&self, key: usize) -> u32 {
        (self.fillers + key) as u32
    }

    fn value(&self, value: usize) -> u32 {
        (self.fillers + self.keys + value) as u32
    }

    fn pair(&self, key: usize, value: usize) -> u32 {
        (self.fillers + self.keys + self.values + key * self.values + value) as u32
    }

    /// `length` tokens with all pairs among fillers, and for each key the place of its pair, the
    /// question and its answer.
    pub(crate) fn haystack(&self, random: &mut Random, length: usize) -> Haystack {
        self.some(random, length, self.keys)
    }

    /// A haystack with pairs of some of the keys.
    fn some(&self, random: &mut Random, length: usize, pairs: usize) -> Haystack {
        let mut tokens: Vec<u32> = (0..length)
            .map(|_| random.below(self.fillers) as u32)
            .collect();
        let mut keys: Vec<usize> = (0..self.keys).collect();
        random.shuffle(&mut keys);
        let mut needles = Vec::with_capacity(pairs);
        for &key in &keys[..pairs] {
            // Few places are taken, or the first free ones are found soon.
            let place = loop {
                let place = random.below(length);
                if (tokens[place] as usize) < self.fillers {
                    break place;
                }
            };
            let value = random.below(self.values);
            tokens[place] = self.pair(key, value);
            needles.push(Found {
                place,
                question: self.question(key),
                answer: self.value(value),
            });
        }
        Haystack { tokens, needles }
    }

    fn push(&self, batch: &mut Batch, random: &mut Random, pairs: usize) {
        let first = batch.length - self.questions;
        let Haystack {
            mut tokens,
            needles,
        } = self.some(random, first, pairs);
        let asked: Vec<Found> = (0..self.questions)
            .map(|_| needles[random.below(pairs)])
            .collect();
        tokens.extend(asked.iter().map(|needle| needle.question));
        let answers = asked.iter().map(|needle| needle.answer);
        batch.push(&tokens, (first..).zip(answers));
    }
}

/// Tokens with needles.
#[derive(Debug, Clone)]
pub(crate) struct Haystack {
    pub(crate) tokens: Vec<u32>,
    pub(crate) needles: Vec<Found>,
}

/// A needle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) place: usize,
    pub(crate) question: u32,
    pub(crate) answer: u32,
}

impl Task for Needle {
    fn tokenizer(&self) -> Tokenizer {
        let (fillers, keys, values) = (self.fillers, self.keys, self.values);
        numbered(fillers + keys + values + keys * values, |id| {
            if id < fillers {
                return format!("f{id}");
            }
            let id = id - fillers;
            if id < keys {
                return format!("?k{id}");
            }
            let id = id - keys;
            if id < values {
                return format!("v{id}");
            }
            let id = id - values;
            format!("k{}=v{}", id / values, id % values)
        })
    }

    fn context(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }

    fn train(&self, random: &mut Random, sequences: usize) -> Batch {
        // Longer batches have fewer sequences, so that all have about equally many tokens.
        let length = self.lengths[random.below(self.lengths.len())];
        let shortest = self.lengths.iter().copied().min().unwrap_or(length);
        let mut batch = Batch::new(length);
        for _ in 0..(sequences * shortest / length).max(1) {
            let [fewest, most] = self.pairs.map(|pairs| pairs as f64);
            let pairs = fewest * libm::pow((most + 1.0) / fewest, random.uniform());
            self.push(
                &mut batch,
                random,
                (pairs as usize)
                    .min(self.pairs[1])
                    .min(length - self.questions),
            );
        }
        batch
    }

    fn tests(&self) -> Vec<String> {
        let name = |length: &usize| format!("{} keys in {length}", self.keys);
        self.tests.iter().map(name).collect()
    }

    fn test(&self, test: usize, _: usize, random: &mut Random, sequences: usize) -> Batch {
        let mut batch = Batch::new(self.tests[test]);
        for _ in 0..sequences {
            self.push(&mut batch, random, self.keys);
        }
        batch
    }
}
