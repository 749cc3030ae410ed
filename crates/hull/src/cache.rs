//! Key-value caches for hard-max attention: averages of values over the winning keys.

use alloc::vec::Vec;
use core::mem;

use crate::rank::gain;
use crate::sum::MAX_TERM;
use crate::{Error, ExactSum, Hint, HullIndex, Inserted, LinearIndex, Point, Winners};

/// A store of keys and values of `N` components that answers as hard-max attention does.
///
/// The two implementations give the same bits for the same keys and values, pushed in any order:
/// the winners are decided exactly, and their values are averaged by [`ExactSum::mean`].
pub trait KeyValueIndex<const N: usize = 2> {
    /// Appends a key and its value.
    ///
    /// # Errors
    /// If a coordinate is out of the [domain](Point::in_domain), or a value is not finite or above
    /// `2^900` in magnitude.
    fn push(&mut self, key: Point, value: [f64; N]) -> Result<(), Error>;

    /// Returns the average of the values of all keys whose score with `q` is the greatest.
    ///
    /// # Errors
    /// If `q` is out of the [domain](Point::in_domain), or there are no keys.
    fn query(&mut self, q: Point) -> Result<[f64; N], Error>;

    /// The number of keys pushed.
    fn len(&self) -> u64;

    /// Whether no keys were pushed.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The sum of values, and their number.
#[derive(Clone, Debug)]
struct Accumulator<const N: usize> {
    sums: [ExactSum; N],
    count: u64,
}

impl<const N: usize> Default for Accumulator<N> {
    fn default() -> Self {
        Self {
            sums: core::array::from_fn(|_| ExactSum::new()),
            count: 0,
        }
    }
}

impl<const N: usize> Accumulator<N> {
    #[inline]
    fn add(&mut self, value: [f64; N]) {
        for (sum, value) in self.sums.iter_mut().zip(value) {
            sum.add(value);
        }
        self.count += 1;
    }

    fn merge(&mut self, other: &Self) {
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            sum.merge(other);
        }
        self.count += other.count;
    }

    fn mean(&self) -> Result<[f64; N], Error> {
        if self.count == 0 {
            return Err(Error::empty());
        }
        Ok(core::array::from_fn(|i| self.sums[i].mean(self.count)))
    }
}

pub(crate) fn check(value: &[f64]) -> Result<(), Error> {
    // NaN is in no range.
    match value.iter().find(|v| !(0.0..=MAX_TERM).contains(&v.abs())) {
        None => Ok(()),
        Some(&bad) => Err(Error::value(bad)),
    }
}

/// A [`HullIndex`] with values: `O(log n)` per query, plus the number of distinct keys that tie.
///
/// Every vertex of the hull takes the memory of [`HullIndex`] and `16 N + 8` bytes for its values;
/// other keys take none (more where sums of values are not floating-point numbers, see
/// [`ExactSum`]).
///
/// A clone is an independent snapshot.
#[derive(Clone, Debug, Default)]
pub struct HullCache<const N: usize = 2> {
    hull: HullIndex,
    hint: Hint,
    /// The values of each slot.
    values: Vec<Accumulator<N>>,
    /// The values of all keys, for the query `(0, 0)`.
    total: Accumulator<N>,
}

impl<const N: usize> HullCache<N> {
    /// A cache without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The index over the keys.
    pub fn hull(&self) -> &HullIndex {
        &self.hull
    }

    fn set(&mut self, slot: u32, value: [f64; N]) {
        let slot = slot as usize;
        if slot == self.values.len() {
            self.values.push(Accumulator::default());
        } else {
            self.values[slot] = Accumulator::default();
        }
        self.values[slot].add(value);
    }
}

impl<const N: usize> KeyValueIndex<N> for HullCache<N> {
    fn push(&mut self, key: Point, value: [f64; N]) -> Result<(), Error> {
        check(&value)?;
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

    fn query(&mut self, q: Point) -> Result<[f64; N], Error> {
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
pub struct LinearCache<const N: usize = 2> {
    index: LinearIndex,
    values: Vec<[f64; N]>,
    winners: Vec<u32>,
}

impl<const N: usize> LinearCache<N> {
    /// A cache without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The average of all values, weighted by softmax over the scores: the oracle of
    /// [`SparseCache`](crate::SparseCache).
    ///
    /// # Errors
    /// If `q` is out of the [domain](Point::in_domain), or there are no keys.
    pub fn softmax(&mut self, q: Point) -> Result<[f64; N], Error> {
        self.index.winners(q, &mut self.winners)?;
        let best = *self.winners.first().ok_or_else(Error::empty)?;
        let best = self.index.points()[best as usize];
        let (mut value, mut sum) = ([0.0; N], 0.0);
        for (&key, terms) in self.index.points().iter().zip(&self.values) {
            let weight = libm::exp(gain(q, key, best).0.min(0.0));
            sum += weight;
            for (value, term) in value.iter_mut().zip(terms) {
                *value += weight * term;
            }
        }
        Ok(value.map(|v| v / sum))
    }
}

impl<const N: usize> KeyValueIndex<N> for LinearCache<N> {
    fn push(&mut self, key: Point, value: [f64; N]) -> Result<(), Error> {
        check(&value)?;
        self.index.push(key)?;
        self.values.push(value);
        Ok(())
    }

    fn query(&mut self, q: Point) -> Result<[f64; N], Error> {
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
