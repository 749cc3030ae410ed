//! The oracle: a scan over all past keys with exact comparisons.

use std::cmp::Ordering;

use crate::standin::{Point, compare_scores};

use super::sum::ExactSum;
use super::{Cache, Call, Inexact, bytes_of};

/// Keys and values of every head.
#[derive(Debug)]
pub(crate) struct Hardmax {
    heads: Vec<Vec<(Point, [f64; 2])>>,
    sums: [ExactSum; 2],
}

impl Hardmax {
    pub(crate) fn new(heads: usize) -> Self {
        Self {
            heads: vec![Vec::new(); heads],
            sums: Default::default(),
        }
    }
}

impl Cache for Hardmax {
    fn begin(&mut self) {}

    fn attend(
        &mut self,
        first: usize,
        calls: &[Call],
        answers: &mut [[f64; 2]],
    ) -> Result<(), Inexact> {
        for ((call, answer), head) in calls.iter().zip(answers).zip(&mut self.heads[first..]) {
            head.push((call.key, call.value));
            let mut best = call.key;
            let mut count = 0.0;
            for &(key, value) in head.iter() {
                let order = compare_scores(call.query, key, best);
                if order == Ordering::Greater || count == 0.0 && order != Ordering::Less {
                    best = key;
                    count = 0.0;
                    self.sums.iter_mut().for_each(ExactSum::clear);
                }
                if order != Ordering::Less {
                    count += 1.0;
                    self.sums[0].add(value[0]);
                    self.sums[1].add(value[1]);
                }
            }
            *answer = [0, 1].map(|j| self.sums[j].rounded() / count);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.heads.iter().map(bytes_of).sum()
    }
}
