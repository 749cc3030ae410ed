//! Softmax attention over the best few keys, with a proved bound of what it leaves out.

mod answer;
mod hull;

pub use answer::{Attention, Budget, Method};
pub use hull::WINDOW;

use alloc::vec::Vec;

use crate::best::Best;
use crate::cache::check;
use crate::columns::Columns;
use crate::nested::{Indexed, Ranking};
use crate::ranges::Ranges;
use crate::rank::{Found, gain};
use crate::{Error, Point, Point3};
use hull::{BATCH, Hull};

/// Keys and values under softmax attention, restricted to the best few keys of each query.
///
/// Softmax over `n` keys is `Σ e^(q·k_i) v_i / Σ e^(q·k_i)`. A query takes the best `k` keys, or as
/// many as it needs to leave out at most a given share of the probability: see [`Budget`]. The
/// answer is the softmax average over those keys, with bounds of what the others would change: see
/// [`Attention`]. The caller multiplies temperature and `1/√d` into the query.
///
/// # How a query is answered
///
/// ```text
/// keys   0 ............................. indexed ......... len
///        nested hulls (2-D), box trees (3-D)     | the tail: 256 to 511 keys
/// ```
///
/// Below a [break-even](Self::break_even) there is no index, and a vectorised scan answers all
/// queries. Above it an index answers for all keys but the latest ones, which a scan adds. Both
/// find the same keys, ranked exactly as [`Layers`](crate::Layers) ranks them, and sum in the order
/// of the ranks, so that answers for [`Budget::Keys`] are equal to the bit.
///
/// # Complexity
///
/// With an index of two dimensions a query takes `O(k + log n)` where keys are on few layers,
/// `O(k log n)` at worst, and the scan of the tail. A push takes that of
/// [`Layers`](crate::Layers), in batches of 256. In three dimensions see [`Index3`](crate::Index3).
/// A query for more keys than the limit is a scan, `O(n)`.
///
/// At a million normally distributed keys a token takes 4 µs for the best 32, and 680 to 900 µs by
/// the scan (`cargo run --release -p weightware-hull --example sparse`).
///
/// Memory is 16 bytes per key (24 in three dimensions), `8 N` per value, and that of the index.
///
/// When not to use it: where thousands of keys have scores that differ by less than about 1, a few
/// keys do not represent them, and `missed` is close to 1.
///
/// ```
/// use weightware_hull::{Budget, Point, SparseCache};
///
/// let mut cache = SparseCache::new(32);
/// for t in 0..10_000 {
///     let t = f64::from(t);
///     cache.push(Point::new(2.0 * t, -t * t), [t])?;
/// }
/// // Scores fall by the square of the distance from 42.25.
/// let q = Point::new(42.25, 1.0);
/// let attention = cache.attend(q, Budget::Keys(8))?;
/// assert!((attention.value[0] - 42.25).abs() < 0.01);
/// assert!(attention.missed < 1e-2);
/// let precise = cache.attend(q, Budget::MassError(1e-9))?;
/// assert!(precise.missed <= 1e-9);
/// assert!((attention.value[0] - precise.value[0]).abs() <= attention.output_error[0]);
/// # Ok::<(), weightware_hull::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SparseCache<const N: usize = 2, K: Indexed = Point> {
    keys: Columns<K>,
    values: Vec<[f64; N]>,
    ranges: Ranges<N>,
    limit: usize,
    break_even: usize,
    /// Whether the break-even rises where pushes into the index take long.
    adapts: bool,
    hull: Option<Hull<K>>,
    best: Best<K>,
    /// The best keys of the query, best first: as many as wanted and the next one.
    ranked: Vec<Found<K>>,
    /// The weights of the first of them, where the best key weighs 1.
    weights: Vec<f64>,
    scratch: Vec<f64>,
}

/// A [`SparseCache`] of keys of three dimensions.
pub type SparseCache3<const N: usize = 2> = SparseCache<N, Point3>;

/// A share of the probability too small for a closer look.
const NEGLIGIBLE: f64 = 1e-12;

/// How many keys a scan looks at while a push moves one key to the next layer.
const MOVE: usize = 350;

/// How many keys a query for a share of the probability begins with.
const FIRST: usize = 8;

impl<const N: usize, K: Indexed> SparseCache<N, K> {
    /// Creates a cache whose index can find up to `limit` keys for a query.
    pub fn new(limit: usize) -> Self {
        Self {
            adapts: true,
            ..Self::with_break_even(limit, K::Index::break_even(limit))
        }
    }

    /// Creates a cache that has an index from `break_even` keys on: from the first possible moment
    /// if that is 0, never if it is `usize::MAX`.
    pub fn with_break_even(limit: usize, break_even: usize) -> Self {
        Self {
            keys: Columns::new(),
            values: Vec::new(),
            ranges: Ranges::new(),
            // So that no sum overflows.
            limit: limit.min(i32::MAX as usize),
            break_even: break_even.max(WINDOW + BATCH),
            adapts: false,
            hull: None,
            best: Best::default(),
            ranked: Vec::new(),
            weights: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The greatest number of keys that the index can find for a query.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// From this number of keys on there is an index. It rises where pushes displace many keys of
    /// the index, unless [`Self::with_break_even`] gave it.
    pub fn break_even(&self) -> usize {
        self.break_even
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.keys.len() == 0
    }

    /// A key and its value, by the number of its push; `None` beyond the last one.
    pub fn entry(&self, id: usize) -> Option<(K, [f64; N])> {
        let value = *self.values.get(id)?;
        Some((self.keys.get(id), value))
    }

    /// How many keys the index holds; a scan finds the later ones.
    pub fn indexed(&self) -> usize {
        self.hull.as_ref().map_or(0, Hull::len)
    }

    /// The memory allocated for keys, values and index, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.keys.heap_bytes()
            + self.values.capacity() * size_of::<[f64; N]>()
            + self.ranges.heap_bytes()
            + self.hull.as_ref().map_or(0, Hull::heap_bytes)
    }

    /// Appends a key and its value.
    ///
    /// # Errors
    /// If a coordinate is out of the [domain](Point::in_domain), or a value is not finite or above
    /// `2^900` in magnitude, or all 2^32 - 1 ids are taken.
    pub fn push(&mut self, key: K, value: [f64; N]) -> Result<(), Error> {
        check(&value)?;
        let key = key.checked()?;
        if self.keys.len() >= u32::MAX as usize {
            return Err(Error::full());
        }
        self.keys.push(key);
        self.ranges.push(self.values.len(), value);
        self.values.push(value);
        self.index()
    }

    /// Brings a batch of keys into the index, if there are enough.
    ///
    /// Above the break-even, each push brings in a batch until only the tail is left: so no push
    /// takes longer than that of a batch.
    fn index(&mut self) -> Result<(), Error> {
        let (len, indexed) = (self.keys.len(), self.indexed());
        if len < self.break_even || len < indexed + WINDOW + BATCH {
            return Ok(());
        }
        let (limit, arch) = (self.limit, self.keys.arch());
        let hull = self.hull.get_or_insert_with(|| Hull::new(limit, arch));
        let before = hull.moves();
        for id in indexed..indexed + BATCH {
            hull.push(self.keys.get(id))?;
        }
        if self.adapts && !hull.lags(len) {
            let moves = (hull.moves() - before) as usize / BATCH;
            let usual = 4 + limit / 8;
            let later = K::Index::break_even(limit) + moves.saturating_sub(usual) * MOVE;
            if len < later {
                // Pushes displace many keys, and a scan takes less time.
                self.hull = None;
                self.break_even = later;
            }
        }
        Ok(())
    }

    /// Takes back all keys from number `len` on.
    ///
    /// The latest 256 keys ([`WINDOW`](crate::WINDOW)) are never in the index, and it takes
    /// `O(256)` to take them back. Where older ones are taken back, the index is dropped, and the
    /// next push builds it again.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.keys.len() {
            return;
        }
        self.keys.truncate(len);
        self.values.truncate(len);
        self.ranges.truncate(&self.values);
        if len < self.indexed() {
            self.hull = None;
        }
    }

    /// The softmax average over the best keys, as many as the budget says.
    ///
    /// # Errors
    /// If `q` is out of the [domain](Point::in_domain), or there are no keys, or the budget allows
    /// no key or a share that is NaN or below 0.
    pub fn attend(&mut self, q: K, budget: Budget) -> Result<Attention<N>, Error> {
        let q = q.checked()?;
        if self.is_empty() {
            return Err(Error::empty());
        }
        self.weights.clear();
        let len = self.keys.len();
        match budget {
            Budget::Keys(0) => Err(Error::budget()),
            Budget::Keys(k) => {
                let (method, touched) = match self
                    .hull
                    .as_mut()
                    .filter(|hull| k <= self.limit && !hull.lags(len))
                {
                    Some(hull) => {
                        hull.begin(q, k + 1)?;
                        (Method::Hull, self.merge(q, k))
                    }
                    None => (Method::Scan, self.scan(q, k)),
                };
                Ok(self.answer(q, k, NEGLIGIBLE, method, touched))
            }
            // NaN is not at least 0.
            Budget::MassError(most) if most >= 0.0 => {
                if let Some(hull) = self.hull.as_mut().filter(|hull| !hull.lags(len)) {
                    let mut k = FIRST.min(self.limit);
                    hull.begin(q, k + 1)?;
                    while k > 0 {
                        let touched = self.merge(q, k);
                        let answer = self.answer(q, k, most, Method::Hull, touched);
                        if answer.missed <= most {
                            return Ok(answer);
                        }
                        if k == self.limit {
                            break;
                        }
                        k = (2 * k).min(self.limit);
                        if let Some(hull) = &mut self.hull {
                            hull.extend(k + 1);
                        }
                    }
                }
                Ok(self.full(q))
            }
            Budget::MassError(_) => Err(Error::budget()),
        }
    }

    /// The keys that the last query ranked, best first: those that it used and, if there is one,
    /// the next. None if it used all keys for [`Budget::MassError`].
    pub fn ranked(&self) -> &[Found<K>] {
        &self.ranked
    }

    /// Ranks the best `k` keys and the next one by a scan. Returns the number of keys seen.
    fn scan(&mut self, q: K, k: usize) -> usize {
        let wanted = k.saturating_add(1).min(self.keys.len());
        self.keys.top(q, wanted, &mut self.best);
        self.ranked.clear();
        self.ranked.extend_from_slice(self.best.ranked());
        self.keys.len()
    }

    /// Ranks the best `k` keys and the next one, from those that the index found and the tail.
    /// Returns the number of vertices and keys seen.
    fn merge(&mut self, q: K, k: usize) -> usize {
        let Some(hull) = &self.hull else {
            unreachable!("only queries to the index merge its answers");
        };
        let found = hull.found();
        let error = self.keys.error(q);
        // No key that is certainly worse than the best k + 1 of the index matters.
        let threshold = found.get(k).map_or(f64::NEG_INFINITY, |last| {
            let zero = K::default();
            gain(q, last.key, zero).0 - 2.0 * error
        });
        let best = &mut self.best;
        self.keys.top_of_tail(q, k + 1, hull.len(), threshold, best);
        hull::merge(q, found, best.ranked(), k + 1, &mut self.ranked);
        hull.touched() + self.keys.len() - hull.len()
    }

    /// The softmax average over the first `k` ranked keys. A bound of what is missed that is at
    /// most `enough` is not made tighter.
    fn answer(
        &mut self,
        q: K,
        k: usize,
        enough: f64,
        method: Method,
        touched: usize,
    ) -> Attention<N> {
        let k = k.min(self.ranked.len());
        let best = self.ranked[0].key;
        let known = self.weights.len();
        let mut error = 0f64;
        for found in &self.ranked[..k] {
            error = error.max(gain(q, found.key, best).1);
        }
        let more = self.ranked[known..k].iter();
        self.weights
            .extend(more.map(|found| gain(q, found.key, best).0.min(0.0)));
        self.keys.exp(&mut self.weights[known..]);
        let (mut value, mut sum) = ([0.0; N], 0.0);
        for (found, weight) in self.ranked.iter().zip(&self.weights) {
            sum += weight;
            for (value, term) in value.iter_mut().zip(self.values[found.id as usize]) {
                *value += weight * term;
            }
        }
        let value = value.map(|v| v / sum);
        let mut operations = touched;
        let missed = match self.ranked.get(k) {
            None => 0.0,
            Some(next) => {
                let (gain, rounding) = gain(q, next.key, best);
                let cap = gain + rounding;
                let others = (self.keys.len() - k) as f64;
                let bound = |weight: f64| answer::share(weight, sum, error, k);
                let missed = bound(others * self.exp_one(cap));
                match &self.hull {
                    Some(hull) if missed > enough => {
                        operations += hull.boxes();
                        let used = &self.ranked[..k];
                        let weight = hull.weight(q, best, used, cap, &mut self.scratch);
                        let tail = used.iter().filter(|found| found.id as usize >= hull.len());
                        let tail = self.keys.len() - hull.len() - tail.count();
                        missed.min(bound(weight + tail as f64 * self.exp_one(cap)))
                    }
                    _ => missed,
                }
            }
        };
        let distance = self.ranges.distance(value);
        Attention {
            value,
            weight: sum,
            missed,
            output_error: distance.map(|distance| missed * distance),
            keys: k,
            method,
            operations,
        }
    }

    fn exp_one(&self, gain: f64) -> f64 {
        crate::exponential::exp([gain.min(0.0)])[0]
    }

    /// The softmax average over all keys.
    fn full(&mut self, q: K) -> Attention<N> {
        self.scan(q, 1);
        let best = self.ranked[0].key;
        let (value, sum) = self.keys.softmax(q, best, &self.values);
        self.ranked.clear();
        Attention {
            value: value.map(|v| v / sum),
            weight: sum,
            missed: 0.0,
            output_error: [0.0; N],
            keys: self.keys.len(),
            method: Method::Scan,
            operations: 2 * self.keys.len(),
        }
    }
}
