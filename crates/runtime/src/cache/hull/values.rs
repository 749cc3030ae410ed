//! A stream of values, as many heads may share it, summed per slot of its keys' index.

use weightware_hull::{ExactSum, Inserted};

use super::store::Store;

/// One of a head's two values over time.
#[derive(Debug)]
pub(super) struct Values {
    sums: Store,
    total: ExactSum,
    /// How many values of heads share the stream.
    pub(super) members: u32,
    /// The last token whose value is in the sums, and that value.
    pub(super) stamp: u64,
    pub(super) value: f64,
    /// The sums that the last value changed, as they were before, in the order of the changes.
    undo: Vec<(usize, ExactSum)>,
    /// The token at which the stream split off, and from which one.
    pub(super) born: u64,
    pub(super) parent: (usize, usize),
}

impl Values {
    pub(super) fn new(members: u32) -> Self {
        Self {
            sums: Store::new(),
            total: ExactSum::new(),
            members,
            stamp: 0,
            value: 0.0,
            undo: Vec::new(),
            born: 0,
            parent: (0, 0),
        }
    }

    /// Appends the value of the token `stamp`, whose key was inserted as stated.
    #[inline]
    pub(super) fn push(&mut self, stamp: u64, value: f64, inserted: Inserted) {
        self.stamp = stamp;
        self.value = value;
        self.total.add(value);
        self.undo.clear();
        match inserted {
            Inserted::Interior => {}
            Inserted::New(slot) => self.set(slot, value),
            Inserted::Same(slot) => {
                let slot = slot as usize;
                self.undo.push((slot, self.sums.sum(slot)));
                self.sums.add(slot, value);
            }
            Inserted::Merging { slot, merges } => {
                self.set(slot, value);
                for merge in merges {
                    let into = merge.into as usize;
                    self.undo.push((into, self.sums.sum(into)));
                    self.sums.merge(into, merge.from as usize);
                }
            }
        }
    }

    #[inline]
    fn set(&mut self, slot: u32, value: f64) {
        let slot = slot as usize;
        // The slot may have been another key's, which an undo would bring back.
        self.undo.push((slot, self.sums.sum(slot)));
        self.sums.set(slot, value);
    }

    /// The sums as they were before the token `stamp`, to be shared by none yet.
    pub(super) fn before(&self, stamp: u64, parent: (usize, usize)) -> Self {
        let mut sums = self.sums.clone();
        let mut total = self.total.clone();
        if self.stamp == stamp {
            // Exact sums can be undone.
            total.add(-self.value);
            for (slot, old) in self.undo.iter().rev() {
                sums.restore(*slot, old);
            }
        }
        Self {
            sums,
            total,
            born: stamp,
            parent,
            ..Self::new(0)
        }
    }

    /// Gives the memory back, when nobody shares the stream any more.
    pub(super) fn clear(&mut self) {
        self.sums = Store::new();
    }

    /// The average value of the `count` keys on a slot.
    #[inline]
    pub(super) fn mean(&self, slot: u32, count: f64) -> f64 {
        self.sums.mean(slot as usize, count)
    }

    /// The sum of the values of all keys on a slot.
    #[inline]
    pub(super) fn sum(&self, slot: u32) -> ExactSum {
        self.sums.sum(slot as usize)
    }

    /// The sum of all values.
    #[inline]
    pub(super) fn total(&self) -> &ExactSum {
        &self.total
    }

    pub(super) fn bytes(&self) -> usize {
        self.sums.bytes() + size_of::<Self>()
    }
}
