//! Byte-wise arithmetic: copies, sums, differences and comparisons. The terms of `result` sum up to
//! the byte to output, modulo 256.
//!
//! ```text
//! result = here                        immediate instructions, calls, branches
//!        + b                           set, tee, store, output, exit
//!        + a + b + carry               add: 0 to 511
//!        + a - b - borrow              sub: -256 to 255
//!        + [top = 0] [index = 0]       eqz
//!        + [D >= 1]  [index = 0]       comparisons, D = rise relu(d) + fall relu(-d) + bias
//! difference = second - top + 2^32 (sign of top - sign of second) [signed]
//! d      = 2^36 difference + 4 (lower second - lower top) [64 bits]
//! ```
//! d may exceed 2^53. It is the sum of two exact terms, so it is rounded only once: its sign is
//! right, and it is 0 only if both terms are. The same holds for D. [D >= 1] is a lookup: from
//! position 1 on every token carries a one.
//!
//! Carry and borrow are in the embedding of the previous byte token, in the dimension `result`
//! itself.

use super::columns::Class;
use super::{Machine, PUSH, Parts};

impl Machine {
    pub(crate) fn arithmetic(&mut self, parts: &Parts) {
        let Parts {
            state,
            fetched,
            operands,
            ..
        } = parts;
        let class = &fetched.class;
        let here = fetched.here;
        self.add_byte(
            "copy.here",
            1,
            here,
            &class.unless_either(Class::Immediate, Class::Call),
        );
        self.add_byte(
            "copy.here",
            1,
            here,
            &class.unless_either(Class::BrIf, Class::BrUnless),
        );
        let (a, b) = (operands.a, operands.b);
        self.add_byte(
            "copy.b",
            1,
            b,
            &class.unless_either(Class::GlobalSet, Class::LocalSet),
        );
        self.add_byte(
            "copy.b",
            1,
            b,
            &class.unless_either(Class::Pop, Class::Store),
        );
        self.add_byte("add.b", 1, b, &class.unless(Class::Add));
        self.add_byte("sub.b", -1, b, &class.unless(Class::Sub));
        self.add_byte("sum.a", 1, a, &class.unless_either(Class::Add, Class::Sub));

        let one = self.graph.one();
        let zero = one - operands.top - class.unless(Class::Eqz) - state.index;
        let eqz = self.graph.relu("eqz", zero);
        self.add_to_result(1, eqz);
    }

    pub(crate) fn comparisons(&mut self, parts: &Parts) {
        let Parts {
            state,
            fetched,
            operands,
            lower,
        } = parts;
        let class = &fetched.class;
        let graph = &mut self.graph;
        let one = graph.one();
        let positions = graph.positions();

        let difference = graph.dim("difference");
        let unsigned = class.unless(Class::CompareSigned) * PUSH;
        for (name, at, weight) in [
            ("sign.top", operands.top_at, 1 << 32),
            ("sign.second", operands.second_at, -(1 << 32)),
        ] {
            let query = at - one - unsigned.clone();
            let [negative] = graph.lookup(name, query, &positions, [self.columns.negative.into()]);
            graph.add(difference, weight, negative);
        }
        let words = graph.reglu("difference", operands.second - operands.top, one);
        graph.add(difference, 1, words);
        let d = match lower {
            Some(lower) => difference * (1 << 36) + lower.difference,
            None => difference.into(),
        };
        let scaled = graph.dim("compare");
        let rise = graph.reglu("compare.rise", fetched.rise, d.clone());
        graph.add(scaled, 1, rise);
        let fall = graph.reglu("compare.fall", fetched.fall, -d);
        graph.add(scaled, 1, fall);

        let query = scaled + fetched.bias;
        let [decided] = graph.lookup("compare.decided", query, &positions, [one.into()]);
        let decided = graph.hold("compare.decided", decided);
        let other = class.unless_either(Class::Compare, Class::CompareSigned) + state.index;
        let compare = graph.relu("compare", decided - other);
        self.add_to_result(1, compare);
    }
}
