//! Stock softmax over all past keys, in the numerically stable form.

use std::f64::consts::FRAC_1_SQRT_2;

use weightware_hull::Point;

use super::per_head::{Past, Scan};

/// Softmax attention: the average value of all keys, weighted by the exponentials of their scores.
#[derive(Debug, Default)]
pub(crate) struct SoftmaxScan {
    scores: Vec<f64>,
}

impl Scan for SoftmaxScan {
    const EXACT: bool = false;

    fn attend(&mut self, query: Point, past: &[Past]) -> [f64; 2] {
        let score = |(key, _): &Past| (query.x * key.x + query.y * key.y) * FRAC_1_SQRT_2;
        self.scores.clear();
        self.scores.extend(past.iter().map(score));
        // Like stock kernels: the greatest score gets weight 1.
        let greatest = self.scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let (mut weights, mut sums) = (0.0, [0.0; 2]);
        for (score, (_, value)) in self.scores.iter().zip(past) {
            let weight = (score - greatest).exp();
            weights += weight;
            sums[0] += weight * value[0];
            sums[1] += weight * value[1];
        }
        sums.map(|sum| sum / weights)
    }
}
