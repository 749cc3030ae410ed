//! Float arithmetic of positions: rounding by adding and subtracting 1.5 · 2^52, clamping, the
//! vertex of a parabola.

use std::cmp::Ordering;

use weightware_hull::{Point, compare_scores};

/// Converts an integer from 0 to 2^32 - 1 to an index: the last bits of its sum with 2^52.
#[inline(always)]
pub(super) fn whole(number: f64) -> usize {
    (number + TO_INDEX).to_bits() as u32 as usize
}

/// 2^52.
pub(super) const TO_INDEX: f64 = (1_u64 << 52) as f64;

/// Clamps a number to the range from 0 to `last`.
#[inline(always)]
pub(super) fn clamp(number: f64, last: f64) -> f64 {
    let number = if number > 0.0 { number } else { 0.0 };
    if number < last { number } else { last }
}

/// Rounds a number below 2^51 in magnitude to the nearest integer. A greater number stays greater
/// than every position.
#[inline]
pub(super) fn round(number: f64) -> f64 {
    (number + TO_INTEGER) - TO_INTEGER
}

/// 1.5 * 2^52.
pub(super) const TO_INTEGER: f64 = 6_755_399_441_055_744.0;

/// Within this distance, an integer that is nearest to a rounded quotient is also nearest to the
/// exact one.
pub(super) const CERTAIN: f64 = 0.499_99;

/// The position from 0 to `last` whose key `(a t, -b t^2)` has the greatest score. `None` if
/// positions tie.
#[inline]
pub(super) fn nearest(query: Point, [a, b]: [f64; 2], last: f64) -> Option<f64> {
    if query.y > 0.0 {
        let vertex = a * query.x / (2.0 * b * query.y);
        let place = round(vertex);
        // The error of the quotient is less than 2^-20 for positions up to 2^26.
        if (vertex - place).abs() < CERTAIN {
            return Some(clamp(place, last));
        }
        if vertex < -1.0 {
            return Some(0.0);
        }
        if vertex > last + 1.0 {
            return Some(last);
        }
    }
    exactly_nearest(query, [a, b], last)
}

#[cold]
pub(super) fn exactly_nearest(query: Point, [a, b]: [f64; 2], last: f64) -> Option<f64> {
    let key = |t: f64| Point::new(a * t, -(b * (t * t)));
    let better = |s: f64, t: f64| match compare_scores(query, key(s), key(t)) {
        Ordering::Greater => Some(s),
        Ordering::Less => Some(t),
        Ordering::Equal => None,
    };
    if query.y > 0.0 {
        let vertex = a * query.x / (2.0 * b * query.y);
        let low = vertex.floor().max(0.0).min(last);
        let high = (low + 1.0).min(last);
        if low == high {
            Some(low)
        } else {
            better(low, high)
        }
    } else if last == 0.0 {
        Some(0.0)
    } else {
        // Scores are convex, or linear, in t, so an end of the range wins.
        better(0.0, last)
    }
}
