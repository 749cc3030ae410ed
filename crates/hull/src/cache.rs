//! Keys with values: averages over the winners.

use alloc::vec::Vec;
use core::mem;

use crate::sum::MAX_TERM;
use crate::{Error, ExactSum, Hint, HullIndex, Inserted, LinearIndex, Point, Winners};

/// A store of keys and two-dimensional values that answers as hard-max attention does.
///
/// The two implementations give the same bits for the same pushes, in whatever order: the winners
/// are decided exactly, and their values averaged by [`ExactSum::mean`].
pub trait KeyValueIndex {
    /// Appends a key and its value.
    ///
    /// # Errors
    /// If a coordinate is out of the [domain](Point::in_domain), or a value is not finite or above
    /// `2^900` in magnitude.
    fn push(&mut self, key: Point, value: [f64; 2]) -> Result<(), Error>;

    /// The average of the values of all keys whose score with `q` is the greatest.
    ///
    /// # Errors
    /// If `q` is out of the [domain](Point::in_domain), or there are no keys.
    fn query(&mut self, q: Point) -> Result<[f64; 2], Error>;

    /// The number of keys pushed.
    fn len(&self) -> u64;

    /// Whether no keys were pushed.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The sum and number of values.
#[derive(Clone, Debug, Default)]
struct Accumulator {
    sums: [ExactSum; 2],
    count: u64,
}

impl Accumulator {
    #[inline]
    fn add(&mut self, value: [f64; 2]) {
        for (sum, value) in self.sums.iter_mut().zip(value) {
            sum.add(value);
        }
        self.count += 1;
    }

    fn merge(&mut self, other: &Accumulator) {
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            sum.merge(other);
        }
        self.count += other.count;
    }

    fn mean(&self) -> Result<[f64; 2], Error> {
        if self.count == 0 {
            return Err(Error::empty());
        }
        Ok([self.sums[0].mean(self.count), self.sums[1].mean(self.count)])
    }
}

fn check(value: [f64; 2]) -> Result<(), Error> {
    // NaN fails the comparison.
    if value.iter().all(|v| v.abs() <= MAX_TERM) {
        Ok(())
    } else {
        Err(Error::value(value))
    }
}

/// A [`HullIndex`] with values: `O(log n)` per query, plus the number of distinct keys that tie.
///
/// Every distinct key that can still win takes 61 bytes, the others none.
#[derive(Clone, Debug, Default)]
pub struct HullCache {
    hull: HullIndex,
    hint: Hint,
    /// By slot.
    values: Vec<Accumulator>,
    /// Of all keys, for the query (0, 0).
    total: Accumulator,
}

impl HullCache {
    /// A cache without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The index of the keys.
    pub fn hull(&self) -> &HullIndex {
        &self.hull
    }

    fn set(&mut self, slot: u32, value: [f64; 2]) {
        let slot = slot as usize;
        if slot == self.values.len() {
            self.values.push(Accumulator::default());
        } else {
            self.values[slot] = Accumulator::default();
        }
        self.values[slot].add(value);
    }
}

impl KeyValueIndex for HullCache {
    fn push(&mut self, key: Point, value: [f64; 2]) -> Result<(), Error> {
        check(value)?;
        match self.hull.push(key)? {
            Inserted::Interior => {}
            Inserted::New(slot) => self.set(slot, value),
            Inserted::Merging { slot, merges } => {
                self.set(slot, value);
                for merge in merges {
                    let from = mem::take(&mut self.values[merge.from as usize]);
                    self.values[merge.into as usize].merge(&from);
                }
            }
            Inserted::Same(slot) => self.values[slot as usize].add(value),
        }
        self.total.add(value);
        Ok(())
    }

    fn query(&mut self, q: Point) -> Result<[f64; 2], Error> {
        match self.hull.winners(q, &mut self.hint)? {
            Winners::Empty => Err(Error::empty()),
            Winners::All => self.total.mean(),
            Winners::One(slot) => self.values[slot as usize].mean(),
            Winners::Many(slots) => {
                let mut all = Accumulator::default();
                for slot in slots {
                    all.merge(&self.values[slot as usize]);
                }
                all.mean()
            }
        }
    }

    fn len(&self) -> u64 {
        self.hull.len()
    }
}

/// A [`LinearIndex`] with values: the oracle of [`HullCache`], `O(n)` per query.
#[derive(Clone, Debug, Default)]
pub struct LinearCache {
    index: LinearIndex,
    values: Vec<[f64; 2]>,
    winners: Vec<u32>,
}

impl LinearCache {
    /// A cache without keys.
    pub fn new() -> Self {
        Self::default()
    }
}

impl KeyValueIndex for LinearCache {
    fn push(&mut self, key: Point, value: [f64; 2]) -> Result<(), Error> {
        check(value)?;
        self.index.push(key)?;
        self.values.push(value);
        Ok(())
    }

    fn query(&mut self, q: Point) -> Result<[f64; 2], Error> {
        self.index.winners(q, &mut self.winners)?;
        let mut all = Accumulator::default();
        for &id in &self.winners {
            all.add(self.values[id as usize]);
        }
        all.mean()
    }

    fn len(&self) -> u64 {
        self.index.len() as u64
    }
}
