//! Sign and zero extension of the low `size` bytes, `size` = rise.
//!
//! ```text
//! result = b                                    within the size
//!        + 255 (sign of the byte size - 1)      past it, if the extension is signed
//! ```

use super::columns::Class;
use super::{Machine, PUSH, Parts, Size};

impl Machine {
    pub(crate) fn extend(&mut self, parts: &Parts, size: &Size) {
        let Parts {
            fetched, operands, ..
        } = parts;
        let class = &fetched.class;
        let either = class.unless_either(Class::Extend, Class::ExtendUnsigned);
        self.add_byte("extend", 1, operands.b, &(either + size.beyond));

        let unless = class.unless(Class::Extend);

        let one = self.graph.one();
        let positions = self.graph.positions();
        let query =
            operands.top_at - one - fetched.width + fetched.rise - (unless + size.within) * PUSH;
        let [sign] = self.graph.lookup(
            "extend.sign",
            query,
            &positions,
            [self.columns.negative.into()],
        );
        self.add_to_result(255, sign);
    }
}
