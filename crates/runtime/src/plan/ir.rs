//! The intermediate representation: kernels, straight-line code over f64 registers.

use weightware_analysis::KeyLayout;

/// The index of a number that a kernel computes.
pub(crate) type Register = u16;

/// A position, as the sum of a register and a constant, that must be less than that of the last
/// token.
pub(crate) type Guard = (Register, f64);

/// Consecutive entries of one of a kernel's arrays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// `weight * register`, four times; zeros fill up.
pub(crate) type Quad = [(f64, Register); 4];

/// A product of a sum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product {
    pub(crate) weight: f64,
    pub(crate) register: Register,
    /// Another factor; register [`ONE`] holds 1.
    pub(crate) factor: Register,
}

/// A table's entry for the token at a place, as part of a sum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gathered {
    pub(crate) weight: f64,
    /// The distance of the place from a register.
    pub(crate) plus: f64,
    pub(crate) table: u32,
}

/// One step of a kernel.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Inst {
    /// The token's embedding in a slot.
    Token { to: Register, slot: u16 },
    /// `from + plus`, which is exact.
    Offset {
        to: Register,
        from: Register,
        plus: f64,
    },
    /// `plus + weight * from`.
    Scaled {
        to: Register,
        from: Register,
        plus: f64,
        weight: f64,
    },
    /// `start + quad`, in order.
    Linear { to: Register, start: f64, quad: u32 },
    /// `to + quad`, in order.
    Accumulate { to: Register, quad: u32 },
    /// `start + products`, of degree 2; exact.
    Quadratic {
        to: Register,
        start: f64,
        products: Span,
    },
    /// `base + (start + quad)`, in order.
    Rounded {
        to: Register,
        base: Register,
        start: f64,
        quad: u32,
    },
    /// `base + to`.
    AddBase { to: Register, base: Register },
    /// `max(gate, 0) * value`.
    Gated {
        to: Register,
        gate: Register,
        value: Register,
    },
    /// `gate * value`.
    Product {
        to: Register,
        gate: Register,
        value: Register,
    },
    /// The position nearest to a whole number.
    ClampIndex { to: Register, query: Register },
    /// The position nearest to a number.
    NearestIndex {
        to: Register,
        query: Register,
        head: u32,
    },
    /// The position at which keys `(2 t, -t^2)`, up to a factor, score most.
    ArgmaxIndex {
        to: Register,
        query: [Register; 2],
        scale: u32,
        head: u32,
    },
    /// A table's entry for the token at a place; `table` is the table's first entry.
    Load {
        to: Register,
        place: Register,
        table: u32,
    },
    /// A table's entry for the token at the position nearest to the whole number `from + plus`.
    LoadNearest {
        to: Register,
        from: Register,
        plus: f64,
        table: u32,
    },
    /// `start` plus weighted entries of tables for tokens at positions nearest to whole numbers.
    Gather {
        to: Register,
        start: f64,
        from: Register,
        items: Span,
    },
    /// A number kept at a place.
    LoadStream {
        to: Register,
        place: Register,
        stream: u32,
    },
    /// Keeps a number.
    StoreStream { stream: u32, value: Register },
    /// Adds to a running sum.
    Add {
        sum: u32,
        to: Register,
        value: Register,
    },
    /// The integer nearest to a number that is close to one.
    RoundToInt { to: Register, of: Register },
    /// The average of a running sum.
    Mean { to: Register, sum: Register },
    /// A key of a group where only the highest counts.
    UpdateMax {
        group: u16,
        y: Register,
        values: Span,
        /// The highest y so far; the values' registers follow, two each.
        height: Register,
    },
    /// A key of a table.
    Insert {
        group: u16,
        x: Register,
        y: Register,
        values: Span,
    },
    /// The entry of a table that scores most.
    Find {
        to: Register,
        group: u16,
        query: [Register; 2],
    },
    /// The entry nearest to a whole number.
    FindIndex {
        to: Register,
        group: u16,
        query: Register,
    },
    /// A value of an entry.
    LoadEntry {
        to: Register,
        group: u16,
        entry: Register,
        value: u16,
    },
    /// The entry nearest to the whole number `from + plus`, and a value of it.
    FindLoad {
        to: Register,
        entry: Register,
        group: u16,
        value: u16,
        from: Register,
        plus: f64,
    },
    /// A key and its values, into a hull.
    PushHull {
        hull: u32,
        key: [Register; 2],
        values: [Register; 2],
    },
    /// Both parts of a hull's output.
    QueryHull {
        hull: u32,
        query: [Register; 2],
        to: [Register; 2],
    },
}

/// Holds the position.
pub(crate) const TIME: Register = 0;
/// Holds 1.
pub(crate) const ONE: Register = 1;
/// Holds the number by which kernels are chosen.
pub(crate) const INDEX: Register = 2;
/// Holds 0.
pub(crate) const ZERO: Register = 3;
/// The first of the registers that hold running sums, highest keys and their values, see
/// [`RegisterLayout`].
const FIXED: usize = 4;

/// Registers with a fixed role: running sums, and the y and values of highest keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegisterLayout {
    /// By group.
    latest: Vec<usize>,
    sums: usize,
    end: usize,
}

impl RegisterLayout {
    /// The registers for the sums of a key layout, and for its groups where only the highest key
    /// counts.
    pub(crate) fn of(layout: &KeyLayout) -> Self {
        let groups = layout.groups.iter();
        let latest = groups.map(|group| group.latest.then_some(group.values.len()));
        Self::new(layout.sums.len(), latest)
    }

    /// The registers for a number of sums, and for groups by their number of values; none for
    /// groups that keep all keys.
    pub(crate) fn new(sums: usize, latest: impl Iterator<Item = Option<usize>>) -> Self {
        let mut end = FIXED + sums;
        let starts = latest.map(|values| {
            let start = end;
            end += values.map_or(0, |values| 1 + 2 * values);
            start
        });
        let latest = starts.collect();
        Self { latest, sums, end }
    }

    /// The registers of all sums.
    pub(crate) fn sums(&self) -> std::ops::Range<usize> {
        FIXED..FIXED + self.sums
    }

    /// The register of a sum.
    pub(crate) fn sum(&self, sum: u32) -> Register {
        (FIXED + sum as usize) as Register
    }

    /// The register of the highest key's y of a group.
    pub(crate) fn height(&self, group: u32) -> Register {
        self.latest[group as usize] as Register
    }

    /// The register of a value at the highest key of a group; the next one holds the nearest
    /// integer.
    pub(crate) fn latest(&self, group: u32, value: usize) -> Register {
        (self.latest[group as usize] + 1 + 2 * value) as Register
    }

    /// The fixed role of a register; none if kernels may use it freely.
    pub(crate) fn role(&self, register: Register) -> Option<Role> {
        let at = usize::from(register);
        if self.sums().contains(&at) {
            return Some(Role::Sum(at - FIXED));
        }
        if at < FIXED || at >= self.end {
            return None;
        }
        // Groups without registers begin where the next one does.
        let group = self
            .latest
            .partition_point(|&start| start <= at)
            .checked_sub(1)?;
        let offset = at - self.latest[group];
        Some(match offset.checked_sub(1) {
            None => Role::Height { group },
            Some(offset) => Role::Latest {
                group,
                value: offset / 2,
                is_rounded: offset % 2 == 1,
            },
        })
    }

    /// The first free register, if there is any.
    pub(crate) fn end(&self) -> Option<Register> {
        Some(self.end as Register).filter(|_| self.end < usize::from(Register::MAX) / 2)
    }
}

/// The role of a register of a [`RegisterLayout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A running sum.
    Sum(usize),
    /// The highest key's y of a group.
    Height { group: usize },
    /// A value at the highest key of a group, or the integer nearest to it.
    Latest {
        group: usize,
        value: usize,
        is_rounded: bool,
    },
}

/// The prediction at the end of a kernel.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// No prediction.
    None,
    /// Always one token.
    Token(u32),
    /// The columns that the unembedding reads.
    Columns(Vec<Register>),
    /// The column that varies; the line has the others.
    Column { register: Register, line: u32 },
}

/// A kernel: instructions, their operands, guards, and a prediction.
#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) ops: Vec<Inst>,
    pub(crate) products: Vec<Product>,
    pub(crate) quads: Vec<Quad>,
    pub(crate) gathered: Vec<Gathered>,
    pub(crate) registers: Vec<Register>,
    pub(crate) output: Output,
    /// Conditions on the registers of the token before, checked before the kernel runs.
    pub(crate) guards: Vec<Guard>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_have_the_roles_that_they_were_laid_out_for() {
        let values = [None, Some(2), None, Some(0), Some(1), None];
        let layout = RegisterLayout::new(3, values.into_iter());
        let mut known = 0;
        for sum in 0..3 {
            let role = layout.role(layout.sum(sum));
            assert_eq!(role, Some(Role::Sum(sum as usize)));
            known += 1;
        }
        for (group, values) in values.into_iter().enumerate() {
            let Some(values) = values else { continue };
            let role = layout.role(layout.height(group as u32));
            assert_eq!(role, Some(Role::Height { group }));
            known += 1;
            for value in 0..values {
                for is_rounded in [false, true] {
                    let register = layout.latest(group as u32, value) + Register::from(is_rounded);
                    let role = layout.role(register);
                    let expected = Role::Latest {
                        group,
                        value,
                        is_rounded,
                    };
                    assert_eq!(role, Some(expected));
                    known += 1;
                }
            }
        }
        let others = [TIME, ONE, INDEX, ZERO, layout.end().unwrap(), Register::MAX];
        assert_eq!(others.map(|register| layout.role(register)), [None; 6]);
        assert_eq!(known, usize::from(layout.end().unwrap()) - FIXED);
    }
}
