//! A stream of keys and its index.

use weightware_hull::{Error, HullIndex, Inserted, Point};

use super::store::Store;

/// All keys of a stream, and how many of them fell on each slot of the index.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) index: HullIndex,
    counts: Store,
    /// Whether some slot counts more than one key.
    repeats: bool,
    /// Where the last key went.
    pub(super) inserted: Inserted,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            index: HullIndex::new(),
            counts: Store::new(),
            repeats: false,
            inserted: Inserted::Interior,
        }
    }

    /// Appends a key.
    #[inline]
    pub(super) fn push(&mut self, key: Point) -> Result<(), Error> {
        self.inserted = self.index.push(key)?;
        match self.inserted {
            Inserted::Interior => {}
            Inserted::New(slot) if self.repeats => self.counts.set(slot as usize, 1.0),
            // While every slot counts one key, the counts are not looked at.
            Inserted::New(_) => {}
            Inserted::Merging { slot, merges } => {
                self.begin_counts();
                self.counts.set(slot as usize, 1.0);
                for merge in merges {
                    let more = self.counts.get(merge.from as usize);
                    self.counts.add(merge.into as usize, more);
                }
            }
            Inserted::Same(slot) => {
                self.begin_counts();
                self.counts.add(slot as usize, 1.0);
            }
        }
        Ok(())
    }

    #[inline]
    fn begin_counts(&mut self) {
        if !self.repeats {
            self.repeats = true;
            (0..self.index.slots()).for_each(|slot| self.counts.set(slot, 1.0));
        }
    }

    /// How many keys fell on a slot.
    #[inline]
    pub(super) fn count(&self, slot: u32) -> f64 {
        if self.repeats {
            self.counts.get(slot as usize)
        } else {
            1.0
        }
    }

    /// How many keys there are.
    pub(super) fn total(&self) -> u64 {
        self.index.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.index.heap_bytes() + self.counts.bytes() + size_of::<Self>()
    }
}
