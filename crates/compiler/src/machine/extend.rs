//! Sign extension of the low byte or half, `size` = rise.
//!
//! ```text
//! result = b                                    within the size
//!        + 255 (sign of the byte size - 1)      past it
//! ```

use super::columns::Class;
use super::{Machine, PUSH, Parts, Size};

impl Machine {
    pub(crate) fn extend(&mut self, parts: &Parts, size: &Size) {
        let Parts {
            fetched, operands, ..
        } = parts;
        let unless = fetched.class.unless(Class::Extend);
        self.add_byte("extend", 1, operands.b[0], &(unless.clone() + size.beyond));

        let one = self.graph.one();
        let positions = self.graph.positions();
        let query = operands.top_at - one * 5 + fetched.rise - (unless + size.within) * PUSH;
        let [sign] = self.graph.lookup(
            "extend.sign",
            query,
            &positions,
            [self.columns.negative.into()],
        );
        self.add_to_result(255, sign);
    }
}
