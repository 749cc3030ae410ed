//! Functions of the byte index that are 0 from 4 on: piecewise linear, from rectified linear
//! neurons.
//!
//! ```text
//! f(index) = sum of c[k] relu(k - index) over k = 1 to 4, the c solved from the right
//! ```
//! Each reader builds its own copy: a few neurons cost less than a slot that lives from the first
//! reader to the last.

use super::{Machine, Parts};
use crate::form::Dim;

impl Machine {
    /// `256^(4 - index)`, 0 from index 4 on.
    pub(crate) fn falling_power(&mut self, parts: &Parts, name: &str) -> Dim {
        self.of_index(parts, name, |index| 1 << (8 * (4 - index)))
    }

    /// `256^index - 256^3`, 0 from index 3 on.
    pub(crate) fn rising_power(&mut self, parts: &Parts, name: &str) -> Dim {
        self.of_index(parts, name, |index| (1 << (8 * index)) - (1 << 24))
    }

    fn of_index(&mut self, parts: &Parts, name: &str, f: impl Fn(i64) -> i64) -> Dim {
        let graph = &mut self.graph;
        let one = graph.one();
        let dim = graph.dim(name);
        let mut coefficients = [0; 5];
        for k in (1..=4).rev() {
            let beyond: i64 = (k + 1..=4)
                .map(|l| coefficients[l] * (l - k + 1) as i64)
                .sum();
            coefficients[k] = f(k as i64 - 1) - beyond;
        }
        for (k, c) in (0..).zip(coefficients).filter(|&(_, c)| c != 0) {
            let rest = graph.relu(name, one * k - parts.state.index);
            graph.add(dim, c, rest);
        }
        dim
    }
}
