//! Shifts and rotations by a variable count, 8 q + r = count mod (8 width).
//!
//! ```text
//! lag    = q (left), -q - 1 (right)            j = index - lag
//! power  = 2^r (left), 2^(8 - r) (right), 0 for other classes
//! high   = a[j], low = a[j - 1]                bytes of the shifted value; outside it 0, the sign, or the bytes from the other end
//! result = power high - 256 floor(power high / 256) + floor(power low / 256)
//! ```
//! A floor is a lookup by position: the integer nearest to `(2 y - 255) / 512` is `floor(y / 256)`.

use super::columns::Class::{Rotl, Rotl64, Rotr, Rotr64, Shl, Shl64, ShrS, ShrS64, ShrU, ShrU64};
use super::planned::{self, Planned};
use super::{Machine, PUSH, Parts};
use crate::form::{Dim, LinearForm};

impl Machine {
    pub(crate) fn shift(&mut self, parts: &Parts) {
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

        let (lag, power) = (graph.dim("shift.lag"), graph.dim("shift.power"));
        let columns = &self.columns;
        let left = |whole: Dim| (1, [whole.into(), columns.power.into()]);
        let right = |whole: Dim| (-1, [whole + one, columns.coarse.into()]);
        let (quarter, eighth) = (columns.quarter, columns.eighth);
        let mut counts = vec![
            ("left", 4, class.unless_either(Shl, Rotl), left(quarter)),
            ("right", 4, class.unless_either(ShrU, ShrS), right(quarter)),
            ("rotr", 4, class.unless(Rotr), right(quarter)),
            ("left", 8, class.unless_either(Rotl64, Shl64), left(eighth)),
            (
                "right",
                8,
                class.unless_either(ShrS64, ShrU64),
                right(eighth),
            ),
            ("rotr", 8, class.unless(Rotr64), right(eighth)),
        ];
        if self.planned.contains(&Planned::MergedShifts) {
            let [[left4, right4], [left8, right8]] = planned::unless_shift(parts);
            counts = vec![
                ("left", 4, left4, left(quarter)),
                ("right", 4, right4, right(quarter)),
                ("left", 8, left8, left(eighth)),
                ("right", 8, right8, right(eighth)),
            ];
        }
        for (name, width, unless, (sign, values)) in counts {
            let query = operands.top_at - one * width - unless * PUSH;
            let name = format!("shift.{name}.{width}");
            let [whole, rest] = graph.lookup(&name, query, &positions, values);
            graph.add(lag, sign, whole);
            graph.add(power, 1, rest);
        }
        let rotates = graph.dim("rotates");
        for (first, second) in [(Rotl, Rotr), (Rotr64, Rotl64)] {
            let either = graph.relu("rotates", one - class.unless_either(first, second));
            graph.add(rotates, 1, either);
        }

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
            self.graph.exact(product);
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

    /// Byte j of the shifted value, for j from -width to 2 width - 1.
    fn shifted_byte(&mut self, name: &str, parts: &Parts, j: &LinearForm, rotates: Dim) -> Dim {
        let Parts {
            fetched, operands, ..
        } = parts;
        let graph = &mut self.graph;
        let one = graph.one();
        let positions = graph.positions();

        // `width ([j < 0] - [j >= width])` wraps j around; unless the value is rotated, a push
        // moves j out of the wrapped range.
        let moved = graph.dim(&format!("{name}.moved"));
        let below = -j.clone();
        let above = j.clone() + one - fetched.width;
        for (outside, way) in [(below, 1), (above, -1)] {
            for (offset, sign) in [(0, 1), (1, -1)] {
                let gate = outside.clone() - one * offset;
                let step = graph.reglu(&format!("{name}.step"), fetched.width, gate);
                graph.add(moved, sign * way, step);
            }
            let pushed = graph.relu(&format!("{name}.push"), outside - rotates * 16);
            graph.add(moved, -PUSH, pushed);
        }
        // The index is at most a position, so below 2^26.
        graph.exact(moved);
        let byte = graph.dim(name);
        let query = operands.second_at - fetched.width + j.clone() + moved;
        let [inside] = graph.lookup(name, query, &positions, [self.columns.byte.into()]);
        graph.add(byte, 1, inside);

        // The bytes above the value of shr_s are its sign.
        let not_above = graph.relu(&format!("{name}.not_above"), fetched.width - j.clone());
        let not_above = graph.hold(&format!("{name}.not_above"), not_above);
        let query = operands.second_at
            - one
            - (fetched.class.unless_either(ShrS, ShrS64) + not_above) * PUSH;
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
