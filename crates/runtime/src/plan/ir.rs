//! The intermediate representation: kernels, straight-line code over f64 registers.

use weightware_analysis::KeyLayout;

/// The index of a register, which holds a number.
pub(crate) type Register = u16;

/// A guard: the sum of a register and a constant is a position that must be less than that of the
/// last token.
pub(crate) type Guard = (Register, f64);

/// Consecutive entries of one of a kernel's arrays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// Four products `weight * register`; zeros replace missing ones.
pub(crate) type Quad = [(f64, Register); 4];

/// A product in a sum of degree 2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product {
    pub(crate) weight: f64,
    pub(crate) register: Register,
    /// The second factor; [`ONE`] if there is none.
    pub(crate) factor: Register,
}

/// The entry of a table for the token at a place, as a term of a sum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gathered {
    pub(crate) weight: f64,
    /// The place less the register of the sum.
    pub(crate) plus: f64,
    pub(crate) table: u32,
}

/// An instruction, one step of a kernel.
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
    /// The entry of a column of a table of the weights at an integer.
    Look {
        to: Register,
        argument: Register,
        column: u32,
    },
    /// Checks that a number is at most a limit.
    Limit { number: Register, most: f64 },
    /// The position nearest to an integer.
    ClampIndex { to: Register, query: Register },
    /// The position nearest to a number.
    NearestIndex {
        to: Register,
        query: Register,
        head: u32,
    },
    /// The position whose key `(a t, -b t^2)` has the greatest score; `scale` is the index of two
    /// products whose weights are a and b.
    ArgmaxIndex {
        to: Register,
        query: [Register; 2],
        scale: u32,
        head: u32,
    },
    /// The entry of a table for the token at a place; `table` is the index of its first entry.
    Load {
        to: Register,
        place: Register,
        table: u32,
    },
    /// The entry of a table for the token at the position nearest to the integer `from + plus`.
    LoadNearest {
        to: Register,
        from: Register,
        plus: f64,
        table: u32,
    },
    /// `start` plus weighted entries of tables for tokens at positions nearest to integers.
    Gather {
        to: Register,
        start: f64,
        from: Register,
        items: Span,
    },
    /// The number of a stream at a place.
    LoadStream {
        to: Register,
        place: Register,
        stream: u32,
    },
    /// Appends a number to a stream.
    StoreStream { stream: u32, value: Register },
    /// Adds a number to a running sum.
    Add {
        sum: u32,
        to: Register,
        value: Register,
    },
    /// The integer nearest to a number that is close to one.
    RoundToInt { to: Register, of: Register },
    /// The average of a running sum: the sum divided by the number of tokens.
    Mean { to: Register, sum: Register },
    /// Replaces the highest key of a group if this key is higher.
    UpdateMax {
        group: u16,
        y: Register,
        values: Span,
        /// The register of the highest y so far; two registers for each value follow.
        height: Register,
    },
    /// Inserts a key and its values into a table.
    Insert {
        group: u16,
        x: Register,
        y: Register,
        values: Span,
    },
    /// The entry of a table that has the greatest score.
    Find {
        to: Register,
        group: u16,
        query: [Register; 2],
    },
    /// The entry of a table that is nearest to an integer.
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
    /// The entry nearest to the integer `from + plus`, and a value of it.
    FindLoad {
        to: Register,
        entry: Register,
        group: u16,
        value: u16,
        from: Register,
        plus: f64,
    },
    /// Inserts a key and its values into a hull.
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

/// The register that holds the position.
pub(crate) const TIME: Register = 0;
/// The register that holds 1.
pub(crate) const ONE: Register = 1;
/// The register that holds the counter of the dispatch key.
pub(crate) const INDEX: Register = 2;
/// The register that holds 0.
pub(crate) const ZERO: Register = 3;
/// The first of the registers that hold running sums, highest keys and their values, see
/// [`RegisterLayout`].
const FIXED: usize = 4;

/// Registers with a fixed role: running sums, and the y and values of highest keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegisterLayout {
    /// The first register of each group.
    latest: Vec<usize>,
    sums: usize,
    end: usize,
}

impl RegisterLayout {
    /// The registers for the sums of a key layout, and for its groups in which the highest key
    /// wins.
    pub(crate) fn of(layout: &KeyLayout) -> Self {
        let groups = layout.groups.iter();
        let latest = groups.map(|group| group.latest.then_some(group.values.len()));
        Self::new(layout.sums.len(), latest)
    }

    /// The registers for a number of sums, and for groups by their number of values. A group that
    /// keeps all keys (`None`) has no registers.
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

    /// The register of the y of a group's highest key.
    pub(crate) fn height(&self, group: u32) -> Register {
        self.latest[group as usize] as Register
    }

    /// The register of a value at the highest key of a group; the next one holds the nearest
    /// integer.
    pub(crate) fn latest(&self, group: u32, value: usize) -> Register {
        (self.latest[group as usize] + 1 + 2 * value) as Register
    }

    /// The fixed role of a register; `None` if kernels may use it freely.
    pub(crate) fn role(&self, register: Register) -> Option<Role> {
        let at = usize::from(register);
        if self.sums().contains(&at) {
            return Some(Role::Sum(at - FIXED));
        }
        if at < FIXED || at >= self.end {
            return None;
        }
        // A group without registers has the same first register as the next group.
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

    /// The first free register, if enough registers are left for kernels.
    pub(crate) fn end(&self) -> Option<Register> {
        Some(self.end as Register).filter(|_| self.end < usize::from(Register::MAX) / 2)
    }
}

/// The role of a register of a [`RegisterLayout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A running sum.
    Sum(usize),
    /// The y of a group's highest key.
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
    /// One token, in all cases.
    Token(u32),
    /// The argmax for the columns that the unembedding reads.
    Columns(Vec<Register>),
    /// The argmax if only one column varies; the line has the other columns.
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
    /// Conditions on the registers of the token before, which are checked before the kernel runs.
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
