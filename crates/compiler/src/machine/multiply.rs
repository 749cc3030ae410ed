//! Multiplication mod 2^32.
//!
//! ```text
//! a' = a mod 2^16, b' = b mod 2^16                 0 for other classes
//! X  = a' b + (a - a') b'                          a b mod 2^32, and below 2^50: exact
//! F[i] = floor(X / 256^i) = round((2 X + 1 - 256^i) 256^(4 - i) / 2^33)
//! result = F[index] - 256 F[index + 1]
//! ```

use super::columns::Class;
use super::{Machine, PUSH, Parts};

impl Machine {
    pub(crate) fn multiply(&mut self, parts: &Parts) {
        let powers = self.powers(parts);
        let Parts {
            fetched, operands, ..
        } = parts;
        let unless = fetched.class.unless(Class::Mul) * PUSH;
        let graph = &mut self.graph;
        let one = graph.one();
        let positions = graph.positions();

        let mut half = |name: &str, at| {
            let dim = graph.dim(name);
            for (back, weight) in [(4, 1), (3, 256)] {
                let query = at - one * back - unless.clone();
                let [byte] = graph.lookup(name, query, &positions, [self.columns.byte.into()]);
                graph.add(dim, weight, byte);
            }
            dim
        };
        let a_low = half("mul.a_low", operands.second_at);
        let b_low = half("mul.b_low", operands.top_at);
        let low = graph.reglu("mul.low", operands.top, a_low);
        let high = graph.reglu("mul.high", operands.second - a_low, b_low);
        let product = graph.dim("product");
        graph.add(product, 1, low);
        graph.add(product, 1, high);

        let mut floor = |name: &str, power, shift| {
            let scaled = graph.reglu(name, product * 2 + one - power, powers.fall);
            graph.hold_rounded(name, scaled, shift)
        };
        let here = floor("floor", powers.rise.clone(), 33);
        let next = floor("floor.next", powers.rise * 256, 41);
        let byte = graph.reglu("mul.byte", here - next * 256, one);
        self.add_to_result(1, byte);
    }
}
