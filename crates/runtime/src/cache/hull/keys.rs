//! A stream of keys, as many heads may share it, and its index.

use weightware_hull::{Error, HullIndex, Inserted, Point};

use crate::cache::bytes_of;

use super::store::Store;

/// At least so many keys lie between two snapshots, which are copies of the index; few in tests, so that they happen.
const HISTORY: usize = if cfg!(test) { 8 } else { 1 << 16 };

/// All keys of a stream, and how many of them fell on each slot of the index.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) index: HullIndex,
    counts: Store,
    /// Whether some slot counts more than one key.
    repeats: bool,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            index: HullIndex::new(),
            counts: Store::new(),
            repeats: false,
        }
    }

    /// Appends a key. Slots depend on the keys alone: two indexes that were given the same keys agree on them.
    pub(super) fn push(&mut self, key: Point) -> Result<Inserted, Error> {
        let inserted = self.index.push(key)?;
        match inserted {
            Inserted::Interior => {}
            Inserted::New(slot) => self.counts.set(slot as usize, 1.0),
            Inserted::Merging { slot, merges } => {
                self.counts.set(slot as usize, 1.0);
                for merge in merges {
                    let more = self.counts.get(merge.from as usize);
                    self.counts.add(merge.into as usize, more);
                }
                self.repeats = true;
            }
            Inserted::Same(slot) => {
                self.counts.add(slot as usize, 1.0);
                self.repeats = true;
            }
        }
        Ok(inserted)
    }

    /// How many keys fell on a slot.
    #[inline]
    pub(super) fn count(&self, slot: u32) -> f64 {
        // Spares the look at a far place where keys are positions.
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
        self.index.heap_bytes() + self.counts.bytes()
    }
}

/// What rebuilds a stream of keys as it was one key ago: an index cannot forget.
#[derive(Debug, Clone)]
pub(super) struct Past {
    snapshot: Keys,
    history: Vec<Point>,
}

impl Past {
    /// The past of the empty stream.
    pub(super) fn new() -> Self {
        Self {
            snapshot: Keys::new(),
            history: Vec::new(),
        }
    }

    /// Notes that `key` is about to be appended to `keys`.
    pub(super) fn note(&mut self, keys: &Keys, key: Point) {
        // A long index is copied rarely: then keys cost less than copies.
        if self.history.len() >= HISTORY.max(2 * keys.index.vertices()) {
            self.snapshot = keys.clone();
            self.history = Vec::new();
        }
        self.history.push(key);
    }

    /// The stream without its last key.
    pub(super) fn before_last(&self) -> Result<Keys, Error> {
        let mut keys = self.snapshot.clone();
        let (_, earlier) = self
            .history
            .split_last()
            .unwrap_or((&Point { x: 0.0, y: 0.0 }, &[]));
        for &key in earlier {
            keys.push(key)?;
        }
        Ok(keys)
    }

    /// This past, had `key` come last instead.
    pub(super) fn with_last(&self, key: Point) -> Self {
        let mut past = self.clone();
        if let Some(last) = past.history.last_mut() {
            *last = key;
        }
        past
    }

    pub(super) fn bytes(&self) -> usize {
        self.snapshot.bytes() + bytes_of(&self.history)
    }
}
