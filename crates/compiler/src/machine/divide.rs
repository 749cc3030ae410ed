//! Unsigned long division in base 256, the most significant digit first.
//!
//! ```text
//! W      = sum of d[j] 256^(3 - j) over the digits j < index so far
//! R      = a - W b                              the remainder, exact: W b is at most a
//! b'     = b 256^(3 - index)
//! result = floor(R / b'), the integer nearest to (4 R + 1) / (4 b') - 1/2
//! ```
//! With `fall = 256^(4 - index)` and both sides times 256, the fraction is `(1024 R + 256 - 2 b
//! fall) / (4 b fall)`. Digits are summed for every class, so that the sum is ready before the
//! instruction is fetched. A digit is at most 255, so the positions of the preamble suffice to find
//! it by position.
//!
//! Past the last digit, and if b is 0, the denominator is at least `4 PAST`. Then the fraction is
//! below 1/2 and the result is 0 at every position. With a denominator of 0 the lookup would find
//! the latest position.

use weightware_isa::Trap;

use super::columns::{Class, code};
use super::{Machine, PUSH, Parts};

/// The divisor past the last digit or when b is 0: `1024 R + 256 < 4 PAST` for every R below 2^32.
const PAST: i64 = 1 << 42;

impl Machine {
    pub(crate) fn divide(&mut self, parts: &Parts) {
        let fall = self.falling_power(parts, "div.256^(4-index)");
        let Parts {
            state,
            fetched,
            operands,
            ..
        } = parts;
        let class = &fetched.class;
        let unless = class.unless(Class::DivDigits);
        let graph = &mut self.graph;
        let (one, time) = (graph.one(), graph.time());
        let positions = graph.positions();

        let so_far = graph.dim("div.so_far");
        for digit in 0..3 {
            let missing = graph.relu("div.missing", one * (digit + 1) - state.index);
            let missing = graph.hold(&format!("div.missing.{digit}"), missing);
            let query = time - state.index + one * (digit + 1) - missing * PUSH;
            let [byte] = graph.lookup("div.digit", query, &positions, [self.columns.byte.into()]);
            graph.add(so_far, 256_i64.pow(3 - digit as u32), byte);
        }
        let taken = graph.reglu("div.taken", operands.top, so_far);
        let taken = graph.hold("div.taken", taken);
        let divisor = graph.dim("div.divisor");
        let shifted = graph.reglu("div.divisor", operands.top, fall);
        graph.add(divisor, 1, shifted);
        for (digits, sign) in [(3, 1), (4, -1)] {
            let past = graph.relu("div.past", state.index - one * digits);
            graph.add(divisor, sign * PAST, past);
        }
        let zero = graph.relu("div.zero", one - operands.top);
        graph.add(divisor, PAST, zero);

        // The push exceeds 1024 R + 256 for every R.
        let numerator =
            (operands.second - taken) * 1024 + one * 256 - divisor * 2 - unless.clone() * (1 << 43);
        let [digit] = graph.lookup_fraction(
            "div.result",
            numerator,
            divisor * 4,
            &positions,
            [time.into()],
        );
        self.add_to_result(1, digit);

        let zero = self.graph.relu("trap.divide", one - operands.top - unless);
        self.graph
            .add(self.end, code::trap(Trap::DivideByZero), zero);

        let query = operands.top_at - one - state.index - class.unless(Class::Reverse) * PUSH;
        let [byte] = self
            .graph
            .lookup("reverse", query, &positions, [self.columns.byte.into()]);
        self.add_to_result(1, byte);
    }
}
