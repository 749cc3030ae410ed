//! Leading zeros, trailing zeros and ones: a count carried from byte to byte, the lowest byte
//! first.
//!
//! ```text
//! upper, lower = of the nibbles of b: zeros above the highest one, below the lowest one, or ones, by the class
//! so far       = byte of the current token               0 before the first byte: an end token has none
//! clz          upper + [upper = 4] lower + [b = 0] so far
//! ctz          so far + [so far = 8 index] (lower + [lower = 4] upper)
//! popcnt       so far + lower + upper
//! result       = the count, within the size; 0 past it
//! ```
//! The last count is the lowest byte of the result, and the zeros past the size are its other
//! bytes. The preamble has the counts of the 16 nibbles, after the table of bytes and in the order
//! of the classes. `so far` is at most 8 index. So `relu(x + 8 (so far - 8 index))`, for x up to 4,
//! is x if the two are equal, else 0.

use weightware_isa::Program;

use super::columns::Class;
use super::{Machine, Parts, Size};
use crate::form::LinearForm;

impl Machine {
    pub(crate) fn count(&mut self, parts: &Parts, size: &Size) {
        let nibbles = self.nibbles(parts);
        let Parts {
            state,
            fetched,
            operands,
            ..
        } = parts;
        let class = &fetched.class;
        let graph = &mut self.graph;
        let one = graph.one();
        let positions = graph.positions();

        let (byte, high) = (operands.b, nibbles.b);
        let table = class.beyond(Class::Clz) * 16 + graph.constant(Program::NIBBLES_AT as i64);
        let mut nibble = |name: &str, nibble: LinearForm| {
            let query = table.clone() + nibble;
            let [count] = graph.lookup(name, query, &positions, [self.columns.byte.into()]);
            graph.hold(name, count)
        };
        let upper = nibble("count.upper", high.into());
        let lower = nibble("count.lower", byte - high * 16);

        let so_far = self.columns.byte;
        let goes_on = (so_far - state.index * 8) * 8;
        let sums = [
            ("clz", Class::Clz, LinearForm::from(upper)),
            ("clz", Class::Clz, lower + (upper - one * 4) * 8),
            ("clz", Class::Clz, so_far - byte * (1 << 9)),
            ("ctz", Class::Ctz, so_far.into()),
            ("ctz", Class::Ctz, goes_on.clone() + lower),
            ("ctz", Class::Ctz, goes_on + upper + (lower - one * 4) * 8),
            ("popcnt", Class::Popcnt, so_far + lower + upper),
        ];
        for (name, kind, sum) in sums {
            // For another class, `so far` and the counts are any bytes: 2^13 outweighs them.
            let unless = (class.unless(kind) + size.beyond) * (1 << 13);
            let part = self.graph.relu(name, sum - unless);
            self.add_to_result(1, part);
        }
    }
}
