//! Multiplication modulo 2^32, and the high word of a product.
//!
//! ```text
//! a' = a mod 2^16, b' = b mod 2^16                 0 for other classes
//! X  = a' b + (a - a') b'                          a b mod 2^32, and below 2^50: exact
//!    + (lower_second second - top) / 2^32          mul_high: the high word of the product, if top is the low one
//! F[i] = floor(X / 256^i) = round((2 X + 1 - 256^i) 256^(4 - i) / 2^33)
//! result = F[index] - 256 F[index + 1]
//! ```
//! For mul_high the product of two words is rounded to 53 of its 64 bits. After the division it is
//! within 2^-21 of an integer. The floors do not change, since they are at least 2^-25 away from
//! their nearest jump.

use super::columns::Class;
use super::{BIG, Machine, PUSH, Parts};
use crate::form::Dim;

impl Machine {
    /// Returns X, which is 0 for other classes.
    pub(crate) fn multiply(&mut self, parts: &Parts) -> Dim {
        let fall = self.falling_power(parts, "mul.256^(4-index)");
        let rise = self.rising_power(parts, "mul.256^index");
        let Parts {
            fetched,
            operands,
            lower,
            ..
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
        if let Some(lower) = lower {
            let unless = fetched.class.unless(Class::MulHigh) * BIG;
            let factor = operands.second - unless.clone();
            let whole = graph.reglu("mul_high.product", lower.second, factor);
            graph.add_scaled(product, 1, 32, whole);
            let low = graph.relu("mul_high.low", operands.top - unless);
            graph.add_scaled(product, -1, 32, low);
        }

        let mut floor = |name: &str, power, shift| {
            let scaled = graph.reglu(name, product * 2 + one - power, fall);
            graph.hold_rounded(name, scaled, shift)
        };
        let rise = rise + one * (1 << 24);
        let here = floor("floor", rise.clone(), 33);
        let next = floor("floor.next", rise * 256, 41);
        let byte = graph.reglu("mul.byte", here - next * 256, one);
        self.add_to_result(1, byte);
        product
    }
}
