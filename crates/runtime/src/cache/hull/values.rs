//! A stream of values, summed per slot of its keys' index.

use weightware_hull::{ExactSum, Inserted};

use super::store::Store;

/// One of a head's two values over time.
#[derive(Debug)]
pub(super) struct Values {
    sums: Store,
    total: ExactSum,
}

impl Values {
    pub(super) fn new() -> Self {
        Self {
            sums: Store::new(),
            total: ExactSum::new(),
        }
    }

    /// Appends a value, whose key was inserted as stated.
    #[inline]
    pub(super) fn push(&mut self, value: f64, inserted: &Inserted) {
        self.total.add(value);
        match inserted {
            Inserted::Interior => {}
            Inserted::New(slot) => self.sums.set(*slot as usize, value),
            Inserted::Same(slot) => self.sums.add(*slot as usize, value),
            Inserted::Merging { slot, merges } => {
                self.sums.set(*slot as usize, value);
                for merge in merges {
                    self.sums.merge(merge.into as usize, merge.from as usize);
                }
            }
        }
    }

    /// The average value of the `count` keys on a slot.
    #[inline]
    pub(super) fn mean(&self, slot: u32, count: f64) -> f64 {
        self.sums.mean(slot as usize, count)
    }

    /// The sum of the values of all keys on a slot.
    pub(super) fn sum(&self, slot: u32) -> ExactSum {
        self.sums.sum(slot as usize)
    }

    /// The sum of all values.
    pub(super) fn total(&self) -> &ExactSum {
        &self.total
    }

    pub(super) fn bytes(&self) -> usize {
        self.sums.bytes() + size_of::<Self>()
    }
}
