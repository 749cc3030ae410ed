//! The total order of keys under a query.

use core::cmp::Ordering;

use crate::Point;
use crate::key::Key;

/// A key that a query found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found<K = Point> {
    /// The id that the push of the key returned.
    pub id: u32,
    /// Its coordinates.
    pub key: K,
}

/// Compares two keys: `Less` if the first is better. The greater score wins, compared exactly; then
/// the lesser x, the lesser y, the lesser z, the lesser id.
///
/// Except for coinciding keys this is the order of scores for a direction infinitely close to `q`,
/// which is why a hull's vertices suffice.
#[inline]
pub(crate) fn rank<K: Key>(q: K, a: Found<K>, b: Found<K>) -> Ordering {
    q.compare(b.key, a.key).then_with(|| {
        let axes = a.key.axes().into_iter().zip(b.key.axes());
        axes.map(|(a, b)| a.total_cmp(&b))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| a.id.cmp(&b.id))
    })
}

/// How much the score of a key exceeds that of another, rounded, and a bound of the error.
#[inline]
pub(crate) fn gain<K: Key>(q: K, key: K, other: K) -> (f64, f64) {
    let (q, key, other) = (q.axes(), key.axes(), other.axes());
    let first = q[0] * (key[0] - other[0]);
    let (mut sum, mut size) = (first, first.abs());
    for axis in 1..K::DIMENSION {
        let term = q[axis] * (key[axis] - other[axis]);
        sum += term;
        size += term.abs();
    }
    (sum, K::ERROR * size)
}
