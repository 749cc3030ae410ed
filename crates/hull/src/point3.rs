//! Points in space, and the exact comparison of their scores.

use core::cmp::Ordering;

use crate::Error;
use crate::exact::{compare_expansion, two_product, two_sum};
use crate::point::in_domain;

/// A point in space: a key of three dimensions, or the direction of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point3 {
    /// First coordinate.
    pub x: f64,
    /// Second coordinate.
    pub y: f64,
    /// Third coordinate.
    pub z: f64,
}

impl Point3 {
    /// The point `(x, y, z)`.
    #[inline]
    pub const fn new(x: f64, y: f64, z: f64) -> Self {
        Self { x, y, z }
    }

    #[inline]
    pub(crate) fn array(self) -> [f64; 3] {
        [self.x, self.y, self.z]
    }

    /// The point itself if it is in the domain, with `-0.0` replaced by `0.0`.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        match self.array().into_iter().find(|&v| !in_domain(v)) {
            None => Ok(Self::new(self.x + 0.0, self.y + 0.0, self.z + 0.0)),
            Some(bad) => Err(Error::coordinate(bad)),
        }
    }
}

/// Bound on the relative error of a sum of three products of differences, in units of the sum of
/// their magnitudes: `(1 ± u)^4`, and one `u` for the bound's own rounding and terms of higher
/// order.
pub(crate) const FILTER3: f64 = 4.0 * f64::EPSILON;

/// Compares the scores `q·a` and `q·b` exactly, as if in unlimited precision: see
/// [`compare_scores`](crate::compare_scores).
#[inline]
pub fn compare_scores3(q: Point3, a: Point3, b: Point3) -> Ordering {
    let p = [q.x * (a.x - b.x), q.y * (a.y - b.y), q.z * (a.z - b.z)];
    let s = p[0] + p[1] + p[2];
    if s.abs() > FILTER3 * (p[0].abs() + p[1].abs() + p[2].abs()) {
        if s > 0.0 {
            Ordering::Greater
        } else {
            Ordering::Less
        }
    } else {
        compare_exactly(q, a, b)
    }
}

#[cold]
#[inline(never)]
fn compare_exactly(q: Point3, a: Point3, b: Point3) -> Ordering {
    let mut terms = [0.0; 12];
    let axes = q
        .array()
        .into_iter()
        .zip(a.array().into_iter().zip(b.array()));
    for (terms, (q, (a, b))) in terms.chunks_exact_mut(4).zip(axes) {
        let (d, e) = two_sum(a, -b);
        let (p, pe) = two_product(q, d);
        let (r, re) = two_product(q, e);
        terms.copy_from_slice(&[re, r, pe, p]);
    }
    compare_expansion::<12>(&terms)
}
