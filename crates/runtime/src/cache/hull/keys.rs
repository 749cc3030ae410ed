//! Streams of keys, each with an extreme-point index.

use weightware_hull::{Error, HullIndex, Inserted, Merges, Point};

use super::store::Store;

/// A stream of keys: its index, and the number of keys on each slot of the index.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) index: HullIndex,
    counts: Store,
    /// Whether some slot has more than one key.
    repeats: bool,
    /// The change that the last key made to the slots.
    pub(super) change: Change,
}

/// The change that a key makes to the slots of its index.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// The key is inside the hull and has no slot.
    Nothing,
    /// The key has a new slot after all others.
    Append,
    /// The key has the slot of keys that are now inside the hull.
    Replace(u32),
    /// The key joins the equal keys of a slot.
    Join(u32),
    /// The key has a slot, new or not, and then slots are merged.
    Merge(u32, Merges),
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            index: HullIndex::new(),
            counts: Store::new(),
            repeats: false,
            change: Change::Nothing,
        }
    }

    /// Appends a key.
    #[inline]
    pub(super) fn push(&mut self, key: Point) -> Result<(), Error> {
        let slots = self.index.slots();
        self.change = match self.index.push(key)? {
            Inserted::Interior => Change::Nothing,
            Inserted::New(slot) if slot as usize == slots => Change::Append,
            Inserted::New(slot) => Change::Replace(slot),
            Inserted::Same(slot) => Change::Join(slot),
            Inserted::Merging { slot, merges } => Change::Merge(slot, merges),
        };
        match self.change {
            Change::Nothing => {}
            // While every slot has one key, counts are not stored.
            Change::Append | Change::Replace(_) if !self.repeats => {}
            Change::Append => self.counts.append(1.0),
            Change::Replace(slot) => self.counts.set(slot as usize, 1.0),
            Change::Join(slot) => {
                self.begin_counts(slots);
                self.counts.add(slot as usize, 1.0);
            }
            Change::Merge(slot, merges) => {
                self.begin_counts(slots);
                self.counts.set(slot as usize, 1.0);
                for merge in merges {
                    self.counts.merge(merge.into as usize, merge.from as usize);
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn begin_counts(&mut self, slots: usize) {
        if !self.repeats {
            self.repeats = true;
            (0..slots).for_each(|_| self.counts.append(1.0));
        }
    }

    /// The number of keys on a slot.
    #[inline]
    pub(super) fn count(&self, slot: u32) -> f64 {
        if self.repeats {
            self.counts.get(slot as usize)
        } else {
            1.0
        }
    }

    /// The number of keys.
    pub(super) fn total(&self) -> u64 {
        self.index.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.index.heap_bytes() + self.counts.bytes() + size_of::<Self>()
    }
}
