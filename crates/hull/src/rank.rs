//! The total order of keys under a query.

use core::cmp::Ordering;

use crate::exact::FILTER;
use crate::{Point, compare_scores};

/// A key that a query found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The id that the push of the key returned.
    pub id: u32,
    /// Its coordinates.
    pub key: Point,
}

/// Compares two keys: `Less` if the first is better. The greater score wins, compared exactly; then
/// the lesser x, the lesser y, the lesser id.
///
/// Except for coinciding keys this is the order of scores for a direction infinitely close to `q`,
/// which is why a hull's vertices suffice.
#[inline]
pub(crate) fn rank(q: Point, a: Found, b: Found) -> Ordering {
    compare_scores(q, b.key, a.key)
        .then_with(|| a.key.x.total_cmp(&b.key.x))
        .then_with(|| a.key.y.total_cmp(&b.key.y))
        .then(a.id.cmp(&b.id))
}

/// How much the score of a key exceeds that of another, rounded, and a bound of the error.
#[inline]
pub(crate) fn gain(q: Point, key: Point, other: Point) -> (f64, f64) {
    let p = q.x * (key.x - other.x);
    let r = q.y * (key.y - other.y);
    (p + r, FILTER * (p.abs() + r.abs()))
}
