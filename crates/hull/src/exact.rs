//! Exact comparison of scores, by floating-point expansions.
//!
//! The building blocks are the error-free transformations of Dekker and Knuth as J. R. Shewchuk
//! uses them in *Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric
//! Predicates* (1997). An *expansion* is a list of numbers of ascending magnitude whose bits do not
//! overlap, and which stands for their exact sum.

use crate::Point;
use core::cmp::Ordering;
use robust::{Coord, orient2d};

/// Bound on the relative error of the filter below, in units of `|p| + |r|`.
///
/// With `u = 2^-53` each difference and each product is off by a factor `1 ± u` and their sum by
/// another: `3u` and terms of higher order, so that `4u` is safe, its own rounding included.
pub(crate) const FILTER: f64 = 2.0 * f64::EPSILON;

/// Compares the scores `q·a` and `q·b` exactly, as if in unlimited precision.
///
/// A floating-point filter settles nearly all calls in a few flops; the rest, ties among them, are
/// settled by expansion arithmetic.
///
/// All coordinates must be in the [domain](Point::in_domain); outside of it the result is
/// unspecified.
///
/// ```
/// use std::cmp::Ordering;
/// use weightware_hull::{Point, compare_scores};
///
/// // In rounded arithmetic both scores would be 2^100.
/// let big = 2f64.powi(100);
/// let (a, b) = (Point::new(big, 1.0), Point::new(big, 0.0));
/// assert_eq!(compare_scores(Point::new(1.0, 1.0), a, b), Ordering::Greater);
/// ```
#[inline]
pub fn compare_scores(q: Point, a: Point, b: Point) -> Ordering {
    let p = q.x * (a.x - b.x);
    let r = q.y * (a.y - b.y);
    let s = p + r;
    if s.abs() > FILTER * (p.abs() + r.abs()) {
        if s > 0.0 {
            Ordering::Greater
        } else {
            Ordering::Less
        }
    } else {
        compare_exactly(q, a, b)
    }
}

/// Whether the score rises from `a` to `b`: `q·b > q·a`, exactly.
#[inline]
pub(crate) fn rises(q: Point, a: Point, b: Point) -> bool {
    let p = q.x * (b.x - a.x);
    let r = q.y * (b.y - a.y);
    let s = p + r;
    if s.abs() > FILTER * (p.abs() + r.abs()) {
        s > 0.0
    } else {
        compare_exactly(q, b, a) == Ordering::Greater
    }
}

/// Positive if the path from `a` over `b` to `c` turns left, negative if right, zero if straight.
/// Exact.
#[inline]
pub(crate) fn turn(a: Point, b: Point, c: Point) -> f64 {
    let left = (a.x - c.x) * (b.y - c.y);
    let right = (a.y - c.y) * (b.x - c.x);
    let turn = left - right;
    // Shewchuk's adaptive predicate has this bound for its first stage.
    if turn.abs() > ORIENTATION * (left.abs() + right.abs()) {
        turn
    } else {
        turn_exactly(a, b, c)
    }
}

/// `(3 + 16 u) u` with `u = 2^-53`.
const ORIENTATION: f64 = (3.0 + 8.0 * f64::EPSILON) * f64::EPSILON / 2.0;

#[cold]
#[inline(never)]
fn turn_exactly(a: Point, b: Point, c: Point) -> f64 {
    let coord = |p: Point| Coord { x: p.x, y: p.y };
    orient2d(coord(a), coord(b), coord(c))
}

#[cold]
#[inline(never)]
fn compare_exactly(q: Point, a: Point, b: Point) -> Ordering {
    let (dx, ex) = two_sum(a.x, -b.x);
    let (dy, ey) = two_sum(a.y, -b.y);
    let (p, pe) = two_product(q.x, dx);
    let (r, re) = two_product(q.y, dy);
    if ex == 0.0 && ey == 0.0 && pe == 0.0 && re == 0.0 {
        // Integers of moderate size end here. A rounded sum of two numbers has the exact sign.
        return sign(p + r);
    }
    let (px, pxe) = two_product(q.x, ex);
    let (ry, rye) = two_product(q.y, ey);
    compare_expansion::<8>(&[pxe, rye, px, ry, pe, re, p, r])
}

/// The sign of an exact sum of at most `N` terms.
pub(crate) fn compare_expansion<const N: usize>(terms: &[f64; N]) -> Ordering {
    let mut expansion = [0.0; N];
    let mut len = 0;
    for &term in terms {
        len = grow(&mut expansion, len, term);
    }
    // The largest part outweighs all the others together.
    len.checked_sub(1)
        .map_or(Ordering::Equal, |last| sign(expansion[last]))
}

#[inline]
fn sign(v: f64) -> Ordering {
    v.partial_cmp(&0.0)
        .expect("sums within the domain are not NaN")
}

/// The exponent of a number's last set bit: the greatest `e` for which it is a multiple of `2^e`.
/// `None` for zero, which is a multiple of every power of two.
///
/// ```
/// use weightware_hull::last_bit;
///
/// assert_eq!(last_bit(12.0), Some(2));
/// assert_eq!(last_bit(-0.75), Some(-2));
/// assert_eq!(last_bit(5e-324), Some(-1074));
/// assert_eq!(last_bit(0.0), None);
/// ```
#[inline]
#[must_use]
pub fn last_bit(number: f64) -> Option<i32> {
    let bits = number.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    match (exponent, fraction) {
        (0, 0) => None,
        (0, _) => Some(-1074 + fraction.trailing_zeros() as i32),
        _ => Some(exponent - 1075 + (fraction | 1 << 52).trailing_zeros() as i32),
    }
}

/// `a + b`, if that is not rounded: if Knuth's two-sum leaves no remainder.
///
/// ```
/// use weightware_hull::exact_sum;
///
/// assert_eq!(exact_sum(1.0, 0.5), Some(1.5));
/// assert_eq!(exact_sum(1e16, 1.0), None);
/// ```
#[inline]
#[must_use]
pub fn exact_sum(a: f64, b: f64) -> Option<f64> {
    let (sum, error) = two_sum(a, b);
    (error == 0.0).then_some(sum)
}

/// `(s, e)` with `s` the rounded sum and `s + e` the exact one, by Knuth's two-sum. The error is
/// NaN if the sum is not finite.
///
/// ```
/// use weightware_hull::two_sum;
///
/// assert_eq!(two_sum(1e16, 1.0), (1e16, 1.0));
/// ```
#[inline]
#[must_use]
pub fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let bv = s - a;
    let av = s - bv;
    (s, (a - av) + (b - bv))
}

/// Dekker's product: `(p, e)` with `p` the rounded product and `p + e` the exact one.
///
/// It does not use `f64::mul_add`, which is a slow library call where the target has no fused
/// multiply-add.
#[inline]
pub(crate) fn two_product(a: f64, b: f64) -> (f64, f64) {
    let p = a * b;
    let (ah, al) = split(a);
    let (bh, bl) = split(b);
    (p, al * bl - (((p - ah * bh) - al * bh) - ah * bl))
}

/// Veltkamp's split: two parts of at most 26 bits each, whose sum is `a`.
#[inline]
fn split(a: f64) -> (f64, f64) {
    const FACTOR: f64 = 134_217_729.0; // 2^27 + 1
    let c = FACTOR * a;
    let hi = c - (c - a);
    (hi, a - hi)
}

/// Shewchuk's Grow-Expansion: adds `term` to the expansion `parts[..len]`, drops parts that are
/// zero, and returns the new length, at most `len + 1`. An expansion of length 0 is zero.
///
/// # Panics
/// If `parts` has no room for one more part.
#[inline]
pub(crate) fn grow(parts: &mut [f64], len: usize, term: f64) -> usize {
    let mut carry = term;
    let mut kept = 0;
    for i in 0..len {
        let (s, e) = two_sum(carry, parts[i]);
        if e != 0.0 {
            parts[kept] = e;
            kept += 1;
        }
        carry = s;
    }
    if carry != 0.0 {
        parts[kept] = carry;
        kept += 1;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// The score difference of integer points as an integer.
    fn reference(q: [i64; 2], a: [i64; 2], b: [i64; 2]) -> Ordering {
        let score =
            |k: [i64; 2]| i128::from(q[0]) * i128::from(k[0]) + i128::from(q[1]) * i128::from(k[1]);
        score(a).cmp(&score(b))
    }

    fn point([x, y]: [i64; 2], scale: f64) -> Point {
        Point::new(x as f64 * scale, y as f64 * scale)
    }

    /// `(g, s, t)` with `s * a + t * b = g`, the greatest common divisor.
    fn bezout(a: i64, b: i64) -> (i64, i64, i64) {
        if b == 0 {
            return (a, 1, 0);
        }
        let (g, s, t) = bezout(b, a % b);
        (g, t, s - a / b * t)
    }

    #[test]
    fn agrees_with_integers_near_ties_at_every_scale() {
        let mut random = Random::new(1);
        let mut next = |bits: u32| random.bits(bits) as i64;
        let mut seen = [0; 3];
        let rounds = if cfg!(miri) { 200 } else { 20_000 };
        for _ in 0..rounds {
            // The scores have about 100 bits. They differ by the divisor, by its negative, or not
            // at all: far below the rounding error of the products.
            let d = [next(50) + 1, next(50) + 1];
            let (_, s, t) = bezout(d[0], d[1]);
            let q = [[s, t], [-s, -t], [d[1], -d[0]]][next(8) as usize % 3];
            let b = [next(51), next(51)];
            let a = [b[0] + d[0], b[1] + d[1]];
            let expected = reference(q, a, b);
            seen[(expected as i8 + 1) as usize] += 1;
            for scale in [2f64.powi(-340), 1.0, 2f64.powi(48), 2f64.powi(340)] {
                let [q, a, b] = [q, a, b].map(|p| point(p, scale));
                assert_eq!(compare_scores(q, a, b), expected, "{q:?} {a:?} {b:?}");
                assert_eq!(rises(q, b, a), expected == Ordering::Greater);
                // Differences of the coordinates that are not floating-point numbers.
                let far = Point::new(a.x * 2f64.powi(-50), b.y);
                let (wide, back) = (compare_scores(q, far, b), compare_scores(q, b, far));
                assert_eq!(wide, back.reverse());
            }
        }
        assert!(seen.iter().all(|&n| n > rounds / 20), "{seen:?}");
    }

    #[test]
    fn decides_where_the_difference_of_coordinates_is_not_a_number() {
        // a.x - b.x = 2^60 - 2^-60 and a.y - b.y = 2^-60 - 2^60, times (1, 1 + 2^-52) or so.
        let (big, tiny) = (2f64.powi(60), 2f64.powi(-60));
        let (a, b) = (Point::new(big, tiny), Point::new(tiny, big));
        for (y, expected) in [
            (1.0, Ordering::Equal),
            (1.0 + f64::EPSILON, Ordering::Less),
            (1.0 - f64::EPSILON, Ordering::Greater),
        ] {
            assert_eq!(compare_scores(Point::new(1.0, y), a, b), expected);
        }
        // Here the rounded differences are equal and only their errors decide.
        let q = Point::new(1.0, 1.0);
        let b = Point::new(3.0 * tiny, big);
        assert_eq!(compare_scores(q, a, b), Ordering::Less);
        assert_eq!(compare_scores(q, b, a), Ordering::Greater);
    }

    #[test]
    fn sees_differences_far_below_the_rounding_of_the_products() {
        let (big, tiny) = (2f64.powi(100), 2f64.powi(-100));
        let q = Point::new(1.0, 1.0);
        let above = Point::new(big, tiny);
        let below = Point::new(big, -tiny);
        assert_eq!(compare_scores(q, above, below), Ordering::Greater);
        assert_eq!(compare_scores(q, below, above), Ordering::Less);
        assert_eq!(
            compare_scores(q, above, Point::new(tiny, big)),
            Ordering::Equal
        );
        // Here the difference of the coordinates itself is not a floating-point number.
        let a = Point::new(big, tiny);
        let b = Point::new(tiny, big + 2f64.powi(60));
        assert_eq!(compare_scores(q, a, b), Ordering::Less);
        assert_eq!(compare_scores(Point::new(0.0, 0.0), a, b), Ordering::Equal);
    }

    #[test]
    fn an_expansion_that_cancels_is_empty() {
        let mut parts = [0.0; 4];
        let mut len = 0;
        for term in [1e100, 1.0, 1e-100] {
            len = grow(&mut parts, len, term);
        }
        assert_eq!(len, 3);
        let mut wide = [0.0; 8];
        wide[..4].copy_from_slice(&parts);
        for term in [-1.0, -1e-100, -1e100] {
            len = grow(&mut wide, len, term);
        }
        assert_eq!(len, 0);
    }
}
