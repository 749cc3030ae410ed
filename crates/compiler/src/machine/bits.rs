//! Bitwise operations by table lookup. The preamble begins with the table: at place xy, counted
//! from 0, is the byte x & y.
//!
//! ```text
//! and    = 16 table[16 a.high + b.high] + table[16 a.low + b.low],   low = byte - 16 high
//! result = and                a + b - and (or)                a + b - 2 and (xor)
//! ```

use super::columns::Class;
use super::{Machine, Parts};

impl Machine {
    pub(crate) fn bits(&mut self, parts: &Parts) {
        let nibbles = self.nibbles(parts);
        let Parts {
            fetched, operands, ..
        } = parts;
        let class = &fetched.class;
        let graph = &mut self.graph;
        let one = graph.one();
        let positions = graph.positions();
        let (a, b) = (operands.a, operands.b);
        let (a_high, b_high) = (nibbles.a, nibbles.b);

        let and = graph.dim("and");
        let low = (a - a_high * 16) * 16 + (b - b_high * 16);
        for (name, weight, pair) in [("and.high", 16, a_high * 16 + b_high), ("and.low", 1, low)] {
            let [byte] = graph.lookup(name, pair + one, &positions, [self.columns.byte.into()]);
            graph.add(and, weight, byte);
        }

        self.add_byte("and", 1, and, &class.unless(Class::And));
        self.add_byte("or", -1, and, &class.unless(Class::Or));
        self.add_byte("xor", -2, and, &class.unless(Class::Xor));
        let either = class.unless_either(Class::Or, Class::Xor);
        self.add_byte("or.a", 1, a, &either);
        self.add_byte("or.b", 1, b, &either);
    }
}
