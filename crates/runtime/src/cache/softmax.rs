//! The standard cache: stock softmax over all past keys.

use std::f64::consts::FRAC_1_SQRT_2;

use super::{Cache, Full, bytes_of};
use crate::qkv::Qkv;

/// Keys and values of every head, and the weights of all past tokens at every query.
#[derive(Debug)]
pub(crate) struct Softmax {
    heads: Vec<Vec<[f64; 4]>>,
    scores: Vec<f64>,
}

impl Softmax {
    pub(crate) fn new(heads: usize) -> Self {
        Self {
            heads: vec![Vec::new(); heads],
            scores: Vec::new(),
        }
    }
}

impl Cache for Softmax {
    const EXACT: bool = false;

    fn begin(&mut self) {}

    fn attend(&mut self, first: usize, qkv: &[Qkv], answers: &mut [[f64; 2]]) -> Result<(), Full> {
        for ((call, answer), head) in qkv.iter().zip(answers).zip(&mut self.heads[first..]) {
            head.push([call.key.x, call.key.y, call.value[0], call.value[1]]);
            let [x, y] = [call.query.x, call.query.y];
            self.scores.clear();
            self.scores
                .extend(head.iter().map(|k| (x * k[0] + y * k[1]) * FRAC_1_SQRT_2));
            // The stable form, as stock kernels have it: the greatest score gets weight 1.
            let greatest = self.scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
            let (mut weights, mut sums) = (0.0, [0.0; 2]);
            for (score, k) in self.scores.iter().zip(head.iter()) {
                let weight = (score - greatest).exp();
                weights += weight;
                sums[0] += weight * k[2];
                sums[1] += weight * k[3];
            }
            *answer = sums.map(|sum| sum / weights);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.heads.iter().map(bytes_of).sum()
    }
}
