//! Top-k softmax attention with a bound of the truncation error.

use alloc::vec::Vec;

use crate::cache::check;
use crate::rank::gain;
use crate::{Error, Layers, Point, Top};

/// Keys and values under softmax attention restricted to the `k` best keys, with a bound of the
/// error.
///
/// Softmax over `n` keys is `Σ e^(q·k_i) v_i / Σ e^(q·k_i)`. A query takes the best `k` keys, in
/// `O(k log n)`, usually `O(k + log n)`: see [`Layers`]. Where the best key weighs 1, the others
/// together weigh at most `(n - k) e^(s - s_1)`; `s_1` is the best score and `s` the greatest
/// score left out. So [`Attention::missed`] bounds their share of the probability, and the answer
/// is off by at most that share of the range of the values.
///
/// The caller multiplies temperature and `1/√d` into the query.
///
/// Memory is that of [`Layers`], and `8 N` bytes per key pushed.
///
/// When not to use it: where thousands of keys have scores that differ by less than about 1, a few
/// keys do not represent them, and `missed` is close to 1.
///
/// ```
/// use weightware_hull::{Point, SparseCache};
///
/// let mut cache = SparseCache::new(8);
/// for t in 0..10_000 {
///     let t = f64::from(t);
///     cache.push(Point::new(2.0 * t, -t * t), [t])?;
/// }
/// // Scores fall by the square of the distance from 42.25.
/// let attention = cache.attend(Point::new(42.25, 1.0), 8)?;
/// assert!((attention.value[0] - 42.25).abs() < 0.01);
/// assert!(attention.missed < 1e-2);
/// # Ok::<(), weightware_hull::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SparseCache<const N: usize = 2> {
    layers: Layers,
    /// The value of each id.
    values: Vec<[f64; N]>,
    top: Top,
}

/// The answer of a [`SparseCache`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention<const N: usize = 2> {
    /// The average of the values of the keys used, weighted by softmax.
    pub value: [f64; N],
    /// An upper bound of the share of the probability that full softmax would give to the other
    /// keys: 0 if there are none. It also bounds the distance in total variation.
    pub missed: f64,
    /// How many keys were used.
    pub keys: usize,
}

impl<const N: usize> SparseCache<N> {
    /// Creates a cache that can use up to `limit` keys for a query.
    ///
    /// # Panics
    /// If the limit is 0.
    pub fn new(limit: usize) -> Self {
        Self {
            layers: Layers::new(limit),
            values: Vec::new(),
            top: Top::new(),
        }
    }

    /// The index over the keys.
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// Appends a key and its value.
    ///
    /// # Errors
    /// If a coordinate is out of the [domain](Point::in_domain), or a value is not finite or above
    /// `2^900` in magnitude.
    pub fn push(&mut self, key: Point, value: [f64; N]) -> Result<(), Error> {
        check(&value)?;
        self.layers.push(key)?;
        self.values.push(value);
        Ok(())
    }

    /// The softmax average over the `k` best keys, or all if there are fewer.
    ///
    /// # Errors
    /// If `q` is out of the [domain](Point::in_domain), or there are no keys, or `k` is 0.
    ///
    /// # Panics
    /// If `k` is above the limit.
    pub fn attend(&mut self, q: Point, k: usize) -> Result<Attention<N>, Error> {
        self.layers.top(q, k, &mut self.top)?;
        let ([best, .., last] | [best @ last]) = self.top[..] else {
            return Err(Error::empty());
        };
        let (mut value, mut sum) = ([0.0; N], 0.0);
        for found in self.top.iter() {
            let weight = libm::exp(gain(q, found.key, best.key).0.min(0.0));
            sum += weight;
            for (value, term) in value.iter_mut().zip(self.values[found.id as usize]) {
                *value += weight * term;
            }
        }
        let keys = self.top.len();
        let others = (self.layers.len() - keys) as f64;
        let missed = if others == 0.0 {
            0.0
        } else {
            // No key left out is better than the next one or, if that is unknown, the last one
            // found.
            let next = self.top.next_best().unwrap_or(last.key);
            let (gain, error) = gain(q, next, best.key);
            let weight = others * libm::exp((gain + error).min(0.0));
            // The factor exceeds the rounding error of the sums by far.
            (weight / (sum + weight) * (1.0 + 1e-12)).min(1.0)
        };
        Ok(Attention {
            value: value.map(|v| v / sum),
            missed,
            keys,
        })
    }
}
