//! Adaptive-width arrays of exact sums, one sum for each slot.

use weightware_hull::{ExactSum, exact_sum};

use crate::cache::bytes_of;

/// An array of exact sums, stored as bytes, 32-bit integers, floats or expansions: the first type
/// that holds all sums exactly. It widens on demand, and never narrows.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Byte(Vec<u8>),
    Int(Vec<i32>),
    Float(Vec<f64>),
    Exact(Vec<ExactSum>),
}

impl Store {
    pub(super) fn new() -> Self {
        Self::Byte(Vec::new())
    }

    /// One more than the greatest slot that was ever set.
    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Byte(v) => v.len(),
            Self::Int(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Exact(v) => v.len(),
        }
    }

    /// The sum at `slot`, rounded if it is not a float.
    #[inline(always)]
    pub(super) fn get(&self, slot: usize) -> f64 {
        match self {
            Self::Byte(v) => v[slot].into(),
            Self::Int(v) => v[slot].into(),
            Self::Float(v) => v[slot],
            Self::Exact(v) => v[slot].value(),
        }
    }

    /// The sum at `slot` divided by `count`.
    #[inline(always)]
    pub(super) fn mean(&self, slot: usize, count: f64) -> f64 {
        match self {
            Self::Exact(v) => v[slot].mean(count as u64),
            _ if count == 1.0 => self.get(slot),
            _ => self.get(slot) / count,
        }
    }

    /// Replaces the sum at `slot`, or appends one if `slot` is the length.
    #[inline]
    pub(super) fn set(&mut self, slot: usize, number: f64) {
        if slot == self.len() {
            self.append(number);
        } else {
            self.replace(slot, number);
        }
    }

    /// Appends a sum.
    #[inline]
    pub(super) fn append(&mut self, number: f64) {
        // A cast saturates, so equality proves that it was lossless.
        match self {
            Self::Byte(v) if f64::from(number as u8) == number => v.push(number as u8),
            Self::Int(v) if f64::from(number as i32) == number => v.push(number as i32),
            Self::Float(v) => v.push(number),
            _ => self.append_wider(number),
        }
    }

    #[cold]
    fn append_wider(&mut self, number: f64) {
        if let Self::Exact(v) = self {
            v.push(exact(number));
        } else {
            self.widen();
            self.append(number);
        }
    }

    #[inline(never)]
    fn replace(&mut self, slot: usize, number: f64) {
        match self {
            Self::Byte(v) if f64::from(number as u8) == number => v[slot] = number as u8,
            Self::Int(v) if f64::from(number as i32) == number => v[slot] = number as i32,
            Self::Float(v) => v[slot] = number,
            Self::Exact(v) => v[slot] = exact(number),
            _ => {
                self.widen();
                self.replace(slot, number);
            }
        }
    }

    /// Adds to the sum at `slot`.
    #[inline]
    pub(super) fn add(&mut self, slot: usize, term: f64) {
        if let Self::Exact(v) = self {
            return v[slot].add(term);
        }
        match exact_sum(self.get(slot), term) {
            Some(sum) => self.set(slot, sum),
            None => {
                self.widen();
                self.add(slot, term);
            }
        }
    }

    /// Moves the sum at `from` to the sum at `slot`.
    #[cold]
    pub(super) fn merge(&mut self, slot: usize, from: usize) {
        if let Self::Exact(v) = self {
            let from = std::mem::take(&mut v[from]);
            v[slot].merge(&from);
        } else {
            self.add(slot, self.get(from));
            self.set(from, 0.0);
        }
    }

    /// The exact sum at `slot`.
    #[inline]
    pub(super) fn sum(&self, slot: usize) -> ExactSum {
        match self {
            Self::Exact(v) => v[slot].clone(),
            _ => exact(self.get(slot)),
        }
    }

    #[cold]
    fn widen(&mut self) {
        *self = match self {
            Self::Byte(v) => Self::Int(v.iter().map(|&n| n.into()).collect()),
            Self::Int(v) => Self::Float(v.iter().map(|&n| n.into()).collect()),
            Self::Float(v) => Self::Exact(v.iter().map(|&n| exact(n)).collect()),
            Self::Exact(_) => unreachable!("an exact sum holds every number and is never widened"),
        };
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Byte(v) => bytes_of(v),
            Self::Int(v) => bytes_of(v),
            Self::Float(v) => bytes_of(v),
            Self::Exact(v) => bytes_of(v),
        }
    }
}

#[inline]
fn exact(number: f64) -> ExactSum {
    let mut sum = ExactSum::new();
    sum.add(number);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widens_without_loss() {
        let mut store = Store::new();
        let numbers = [0.0, 255.0, -1.0, 256.0, 2e9, 3e9, 0.5, f64::MIN, 7.0];
        for (slot, &number) in numbers.iter().enumerate() {
            store.set(slot, number);
            for (slot, &number) in numbers[..=slot].iter().enumerate() {
                assert_eq!(store.get(slot), number);
            }
        }
        store.set(2, 1.0);
        assert_eq!((store.get(2), store.len()), (1.0, numbers.len()));
    }

    #[test]
    fn sums_are_exact() {
        let mut store = Store::new();
        store.set(0, 1e16);
        store.set(1, 5.0);
        store.add(0, 1.0);
        store.add(0, 1.0);
        assert_eq!(store.mean(0, 2.0), 5e15 + 1.0);
        store.add(0, -1e16);
        assert_eq!((store.get(0), store.mean(1, 2.0)), (2.0, 2.5));
    }
}
