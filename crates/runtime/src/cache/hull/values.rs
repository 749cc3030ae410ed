//! Streams of values, summed for each slot of their keys' index.

use weightware_hull::ExactSum;

use super::keys::Change;
use super::store::Store;

/// A stream of values: one of the two parts of a head's value over time.
#[derive(Debug)]
pub(super) struct Values {
    sums: Store,
    /// The sum of the values whose keys are inside the hull and have no slot.
    lost: ExactSum,
    /// The sum of all values, kept as long as queries use it.
    total: Option<Total>,
}

#[derive(Debug)]
struct Total {
    sum: ExactSum,
    /// The number of further values after which the total is dropped: the number of slots at its
    /// last use.
    patience: usize,
}

impl Values {
    pub(super) fn new() -> Self {
        Self {
            sums: Store::new(),
            lost: ExactSum::new(),
            total: None,
        }
    }

    /// Appends a value, given the change that its key made to the slots.
    #[inline]
    pub(super) fn push(&mut self, value: f64, change: &Change) {
        if self.total.is_some() {
            self.add_to_total(value);
        }
        match change {
            Change::Append => self.sums.append(value),
            Change::Join(slot) => self.sums.add(*slot as usize, value),
            Change::Nothing => self.lost.add(value),
            Change::Replace(slot) => self.begin(*slot, value),
            Change::Merge(slot, merges) => {
                self.begin(*slot, value);
                for merge in merges {
                    self.sums.merge(merge.into as usize, merge.from as usize);
                }
            }
        }
    }

    /// Begins the sum of a slot that is new, or was that of keys inside the hull.
    #[cold]
    fn begin(&mut self, slot: u32, value: f64) {
        let slot = slot as usize;
        if slot < self.sums.len() {
            self.lost.merge(&self.sums.sum(slot));
        }
        self.sums.set(slot, value);
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

    #[inline(never)]
    fn add_to_total(&mut self, value: f64) {
        if let Some(total) = &mut self.total {
            total.sum.add(value);
            match total.patience.checked_sub(1) {
                Some(patience) => total.patience = patience,
                None => self.total = None,
            }
        }
    }

    /// The sum of all values. If it is not kept, the sums of the slots are added up, which on
    /// average costs no more than keeping it would have.
    pub(super) fn total(&mut self) -> &ExactSum {
        let Self { sums, lost, total } = self;
        let total = total.get_or_insert_with(|| {
            let mut sum = lost.clone();
            (0..sums.len()).for_each(|slot| sum.merge(&sums.sum(slot)));
            Total { sum, patience: 0 }
        });
        total.patience = sums.len();
        &total.sum
    }

    pub(super) fn bytes(&self) -> usize {
        self.sums.bytes() + size_of::<Self>()
    }
}
