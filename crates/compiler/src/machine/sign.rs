//! Magnitudes and signs, for signed division.
//!
//! ```text
//! negative  = sign of the top of the stack
//! abs         result = b                      if not negative, else - b - borrow
//! with_sign   result = a                      if not negative, else - a - borrow
//!             traps if second, its high word if of 64 bits, has its sign bit set and the top is not negative
//! ```
//! The borrow is in the embedding of the previous byte token, as for a difference.

use weightware_isa::Trap;

use super::columns::Class;
use super::{BIG, Machine, Parts};

impl Machine {
    pub(crate) fn sign(&mut self, parts: &Parts) {
        let Parts {
            fetched, operands, ..
        } = parts;
        let class = &fetched.class;
        let one = self.graph.one();
        let positions = self.graph.positions();
        let negative = self.columns.negative.into();
        let query = operands.top_at - one;
        let [negative] = self
            .graph
            .lookup("top.negative", query, &positions, [negative]);
        let negative = self.graph.hold("top.negative", negative);

        for (name, kind, byte) in [
            ("abs", Class::Abs, operands.b),
            ("with_sign", Class::WithSign, operands.a),
        ] {
            let unless = class.unless(kind);
            self.add_byte(name, 1, byte, &(unless.clone() + negative));
            self.add_byte(name, -1, byte, &(unless + one - negative));
        }
        let overflow = operands.second - one * ((1 << 31) - 1);
        let excess = overflow - (class.unless(Class::WithSign) + negative) * BIG;
        self.trap_if("trap.with_sign", excess, Trap::IntegerOverflow);
    }
}
