//! Sparse rows and columns of the weights.

use weightware_model::Matrix;

/// A residual stream is kept in an array that every 16-bit slot number indexes, so that no access needs a check.
pub(crate) const WIDTH: usize = 1 << 16;

/// A vector of slots, of which the first `d_model` are used.
pub(crate) type Slots = Box<[f64; WIDTH]>;

/// The zero vector.
pub(crate) fn zero_slots() -> Slots {
    match vec![0.0; WIDTH].into_boxed_slice().try_into() {
        Ok(slots) => slots,
        Err(_) => unreachable!("the length is WIDTH"),
    }
}

/// One weight that is not zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry {
    pub(crate) slot: u16,
    pub(crate) weight: f64,
}

/// The weights of `row` that are not zero, in ascending slot order.
pub(crate) fn sparse_row(matrix: &Matrix, row: usize) -> Vec<Entry> {
    sparse(matrix.row(row).iter().copied())
}

/// The weights of `column` that are not zero, in ascending row order.
pub(crate) fn sparse_column(matrix: &Matrix, column: usize) -> Vec<Entry> {
    sparse((0..matrix.rows).map(|row| matrix.row(row)[column]))
}

fn sparse(weights: impl Iterator<Item = f64>) -> Vec<Entry> {
    weights
        .enumerate()
        .filter(|&(_, weight)| weight != 0.0)
        .map(|(slot, weight)| Entry {
            slot: slot as u16,
            weight,
        })
        .collect()
}

/// Lists of entries, one after the other in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    entries: Vec<Entry>,
    ends: Vec<u32>,
}

impl Lists {
    pub(crate) fn push(&mut self, list: &[Entry]) {
        self.entries.extend_from_slice(list);
        self.ends.push(self.entries.len() as u32);
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All lists in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Entry]> {
        self.ends.iter().scan(0, |start, &end| {
            let list = &self.entries[*start as usize..end as usize];
            *start = end;
            Some(list)
        })
    }

    /// The distinct slots of all lists, ascending.
    pub(crate) fn slots(&self) -> Vec<u16> {
        let mut slots: Vec<u16> = self.entries.iter().map(|e| e.slot).collect();
        slots.sort_unstable();
        slots.dedup();
        slots
    }
}

/// The dot product: products added in ascending slot order, every operation rounded, never fused.
///
/// A sum that starts at +0 is never -0, and adding a zero product would not change it: leaving out zero weights gives
/// the bits of the dense product.
#[inline]
pub(crate) fn dot(row: &[Entry], x: &[f64; WIDTH]) -> f64 {
    let mut sum = 0.0;
    for entry in row {
        sum += entry.weight * x[usize::from(entry.slot)];
    }
    sum
}

/// Adds `factor` times a column.
#[inline]
pub(crate) fn scatter(column: &[Entry], factor: f64, into: &mut [f64; WIDTH]) {
    for entry in column {
        into[usize::from(entry.slot)] += entry.weight * factor;
    }
}

/// Adds the sums of `delta` to `x` and clears them.
#[inline]
pub(crate) fn merge(slots: &[u16], delta: &mut [f64; WIDTH], x: &mut [f64; WIDTH]) {
    for &slot in slots {
        let slot = usize::from(slot);
        x[slot] += delta[slot];
        delta[slot] = 0.0;
    }
}
