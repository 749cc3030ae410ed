//! Shifts and rotations by a variable count, 8 q + r = count mod 32.
//!
//! ```text
//! lag    = q (left), -q - 1 (right)            j = index - lag
//! power  = 2^r (left), 2^(8 - r) (right), 0 for other classes
//! high   = a[j], low = a[j - 1]                bytes of the word shifted; outside it 0, the sign, or round the corner
//! result = power high - 256 floor(power high / 256) + floor(power low / 256)
//! ```
//! A floor is a lookup by position: the integer nearest to `(2 y - 255) / 512` is `floor(y / 256)`.

use super::columns::Class;
use super::{Machine, PUSH, Parts};
use crate::form::{Dim, Form};

impl Machine {
    pub(crate) fn shift(&mut self, parts: &Parts) {
        let Parts {
            state,
            fetched,
            operands,
        } = parts;
        let class = &fetched.class;
        let graph = &mut self.graph;
        let one = graph.one();
        let positions = graph.positions();

        let (lag, power) = (graph.dim("shift.lag"), graph.dim("shift.power"));
        let (left, right) = (
            [self.columns.quarter.into(), self.columns.power.into()],
            [self.columns.quarter + one, self.columns.coarse.into()],
        );
        let counts = [
            (
                "shift.left",
                class.unless_either(Class::Shl, Class::Rotl),
                1,
                left,
            ),
            (
                "shift.right",
                class.unless_either(Class::ShrU, Class::ShrS),
                -1,
                right.clone(),
            ),
            ("shift.rotr", class.unless(Class::Rotr), -1, right),
        ];
        for (name, unless, sign, values) in counts {
            let query = operands.top_at - one * 4 - unless * PUSH;
            let [whole, rest] = graph.lookup(name, query, &positions, values);
            graph.add(lag, sign, whole);
            graph.add(power, 1, rest);
        }
        let rotates = graph.relu(
            "rotates",
            one - class.unless_either(Class::Rotl, Class::Rotr),
        );
        let rotates = graph.hold("rotates", rotates);

        let j = state.index - lag;
        let high = self.shifted_byte("shift.high", parts, &j, rotates);
        let low = self.shifted_byte("shift.low", parts, &(j - one), rotates);

        for (name, byte, weight, whole) in [
            ("shift.high", high, -256, true),
            ("shift.low", low, 1, false),
        ] {
            let product = self.graph.reglu(&format!("{name}.product"), byte, power);
            if whole {
                self.add_to_result(1, product);
            }
            let product = self.graph.hold(&format!("{name}.product"), product);
            let [floor] = self.graph.lookup_fraction(
                &format!("{name}.floor"),
                product * 2 - one * 255,
                one * 512,
                &positions,
                [self.graph.time().into()],
            );
            self.add_to_result(weight, floor);
        }
    }

    /// Byte j of the word shifted, for j from -4 to 7.
    fn shifted_byte(&mut self, name: &str, parts: &Parts, j: &Form, rotates: Dim) -> Dim {
        let Parts {
            fetched, operands, ..
        } = parts;
        let graph = &mut self.graph;
        let one = graph.one();
        let positions = graph.positions();

        // 4 [j < 0] - 4 [j > 3] leads round the corner; unless the word is rotated, a push leads out of it.
        let moved = graph.dim(&format!("{name}.moved"));
        let below = -j.clone();
        let above = j.clone() - one * 3;
        for (outside, way) in [(below, 4), (above, -4)] {
            for (offset, sign) in [(0, 1), (1, -1)] {
                let step = graph.relu(&format!("{name}.step"), outside.clone() - one * offset);
                graph.add(moved, sign * way, step);
            }
            let pushed = graph.relu(&format!("{name}.push"), outside - rotates * 8);
            graph.add(moved, -PUSH, pushed);
        }
        let byte = graph.dim(name);
        let query = operands.second_at - one * 4 + j.clone() + moved;
        let [inside] = graph.lookup(name, query, &positions, [self.columns.byte.into()]);
        graph.add(byte, 1, inside);

        // Above the word of shr_s stands its sign.
        let not_above = graph.relu(&format!("{name}.not_above"), one * 4 - j.clone());
        let not_above = graph.hold(&format!("{name}.not_above"), not_above);
        let query =
            operands.second_at - one - (fetched.class.unless(Class::ShrS) + not_above) * PUSH;
        let [sign] = graph.lookup(
            &format!("{name}.sign"),
            query,
            &positions,
            [self.columns.negative.into()],
        );
        graph.add(byte, 255, sign);
        byte
    }
}
