//! State tracking: running products in a finite group (Merrill et al., *The Illusion of State*,
//! 2024).
//!
//! ```text
//! tokens ^ g1 g2 .. gn;    after gt the model says g1 g2 .. gt
//! ```
//! Without the first token, a model whose positions are rotary could not tell `g` from `g g`: an
//! average of equal values is that value, however it is weighted.
//!
//! The group is Z2, whose product is parity, or S5, the permutations of five things, whose word
//! problem is complete for NC1: no transformer of fixed depth solves it for all lengths.

use serde::{Deserialize, Serialize};
use weightware_model::Tokenizer;

use super::{Batch, Task, numbered};
use crate::random::Random;

/// A finite group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Two elements: parity.
    Z2,
    /// 120 elements.
    S5,
}

/// Settings of state tracking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracking {
    /// The group.
    pub group: Group,
    /// Elements of a training sequence.
    pub length: usize,
    /// Lengths of the tests' sequences.
    pub tests: Vec<usize>,
}

impl Tracking {
    pub(super) fn validate(&self) -> Result<(), String> {
        if self.length == 0 || self.tests.contains(&0) {
            return Err("task: lengths must be positive".into());
        }
        Ok(())
    }

    pub(super) fn open(self) -> Words {
        let elements = match self.group {
            Group::Z2 => vec![vec![0, 1], vec![1, 0]],
            Group::S5 => permutations(5),
        };
        let position = |p: &Vec<usize>| elements.iter().position(|q| q == p).expect("closed");
        let products = elements
            .iter()
            .flat_map(|a| elements.iter().map(|b| b.iter().map(|&i| a[i]).collect()))
            .map(|product: Vec<usize>| position(&product) as u32)
            .collect();
        Words {
            tracking: self,
            order: elements.len(),
            products,
        }
    }
}

/// All permutations of `0..n`, the identity first.
fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(n - 1);
    let insert = |p: &Vec<usize>, at: usize| {
        let mut longer = p.clone();
        longer.insert(at, n - 1);
        longer
    };
    shorter
        .iter()
        .flat_map(|p| (0..n).rev().map(move |at| insert(p, at)))
        .collect()
}

/// The word problem of a group: its table of products.
pub(super) struct Words {
    tracking: Tracking,
    order: usize,
    products: Vec<u32>,
}

impl Words {
    fn batch(&self, random: &mut Random, sequences: usize, length: usize) -> Batch {
        let mut batch = Batch::new(length + 1);
        for _ in 0..sequences {
            let mut tokens = vec![self.order as u32];
            tokens.extend((0..length).map(|_| random.below(self.order) as u32));
            let products = tokens[1..].iter().scan(0, |product: &mut u32, &token| {
                *product = self.products[*product as usize * self.order + token as usize];
                Some(*product)
            });
            batch.push(&tokens, (1..).zip(products));
        }
        batch
    }
}

impl Task for Words {
    fn tokenizer(&self) -> Tokenizer {
        numbered(self.order + 1, |id| match id {
            id if id == self.order => "^".to_owned(),
            id => format!("g{id}"),
        })
    }

    fn context(&self) -> usize {
        self.tracking.length + 1
    }

    fn train(&self, random: &mut Random, sequences: usize) -> Batch {
        self.batch(random, sequences, self.tracking.length)
    }

    fn tests(&self) -> Vec<String> {
        self.tracking
            .tests
            .iter()
            .map(|length| format!("length {length}"))
            .collect()
    }

    fn test(&self, test: usize, _: usize, random: &mut Random, sequences: usize) -> Batch {
        self.batch(random, sequences, self.tracking.tests[test])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_groups() {
        for (group, order) in [(Group::Z2, 2), (Group::S5, 120)] {
            let words = Tracking {
                group,
                length: 1,
                tests: vec![],
            }
            .open();
            assert_eq!(words.order, order);
            let product = |a: usize, b: usize| words.products[a * order + b] as usize;
            let mut random = Random::new(1, crate::random::Stream::Test, 0);
            for a in 0..order {
                assert_eq!((product(0, a), product(a, 0)), (a, a), "0 is the identity");
                let mut row: Vec<usize> = (0..order).map(|b| product(a, b)).collect();
                row.sort_unstable();
                assert!(row.into_iter().eq(0..order), "a row is a permutation");
                let (b, c) = (random.below(order), random.below(order));
                assert_eq!(product(product(a, b), c), product(a, product(b, c)));
            }
        }
        let words = Tracking {
            group: Group::S5,
            length: 1,
            tests: vec![],
        }
        .open();
        assert!(
            (0..120).any(|a| words.products[a] != words.products[120 * a]
                || words.products[120 + a] != words.products[120 * a + 1]),
            "S5 does not commute"
        );
    }
}
