//! Powers of 256 by the byte index: piecewise linear functions of it, from rectified linear neurons.
//!
//! ```text
//! rest[k] = relu(k - index), k = 1 to 4
//! rise    = 256^index        for index 0 to 3, then 256^3
//! fall    = 256^(4 - index)  for index 0 to 3, then 0
//! ```

use super::{Machine, Parts};
use crate::form::{Dim, Form};

#[derive(Debug, Clone)]
pub(crate) struct Powers {
    pub(crate) rise: Form,
    pub(crate) fall: Dim,
}

impl Machine {
    /// The powers, made once for all modules that need them.
    pub(crate) fn powers(&mut self, parts: &Parts) -> Powers {
        if let Some(powers) = &self.powers {
            return powers.clone();
        }
        let graph = &mut self.graph;
        let one = graph.one();
        let (rise, fall) = (graph.dim("256^index"), graph.dim("256^(4-index)"));
        let rise_at = |index: i64| 256_i64.pow(index.min(3) as u32) - 256_i64.pow(3);
        let fall_at = |index: i64| {
            if index < 4 {
                256_i64.pow(4 - index as u32)
            } else {
                0
            }
        };
        // f(index) = sum of c[k] relu(k - index), solved from the right: f is 0 from index 4 on.
        for (dim, f) in [(rise, &rise_at as &dyn Fn(i64) -> i64), (fall, &fall_at)] {
            let mut coefficients = [0; 5];
            for k in (1..=4).rev() {
                let beyond: i64 = (k + 1..=4)
                    .map(|l| coefficients[l as usize] * (l - k + 1))
                    .sum();
                coefficients[k as usize] = f(k - 1) - beyond;
            }
            for k in (1..=4).filter(|&k| coefficients[k as usize] != 0) {
                let rest = graph.relu(
                    &format!("{}.{k}", graph.name(dim).to_owned()),
                    one * k - parts.state.index,
                );
                graph.add(dim, coefficients[k as usize], rest);
            }
        }
        let powers = Powers {
            rise: rise + one * 256_i64.pow(3),
            fall,
        };
        self.powers = Some(powers.clone());
        powers
    }
}
