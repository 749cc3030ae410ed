//! The oracle: a scan over all past keys with exact comparisons.

use std::cmp::Ordering;

use weightware_hull::{ExactSum, Point, compare_scores};

use super::{Cache, Full, bytes_of};
use crate::qkv::Qkv;

/// Keys and values of every head.
#[derive(Debug)]
pub(crate) struct Hardmax {
    heads: Vec<Vec<(Point, [f64; 2])>>,
}

impl Hardmax {
    pub(crate) fn new(heads: usize) -> Self {
        Self {
            heads: vec![Vec::new(); heads],
        }
    }
}

impl Cache for Hardmax {
    const EXACT: bool = true;

    fn begin(&mut self) {}

    fn attend(&mut self, first: usize, qkv: &[Qkv], answers: &mut [[f64; 2]]) -> Result<(), Full> {
        for ((call, answer), head) in qkv.iter().zip(answers).zip(&mut self.heads[first..]) {
            head.push((call.key, call.value));
            let mut best = call.key;
            let mut count = 0;
            let mut sums = [ExactSum::new(), ExactSum::new()];
            for &(key, value) in head.iter() {
                let order = compare_scores(call.query, key, best);
                if order == Ordering::Greater || count == 0 && order != Ordering::Less {
                    best = key;
                    count = 0;
                    sums = Default::default();
                }
                if order != Ordering::Less {
                    count += 1;
                    sums[0].add(value[0]);
                    sums[1].add(value[1]);
                }
            }
            *answer = sums.map(|sum| sum.mean(count));
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.heads.iter().map(bytes_of).sum()
    }
}
