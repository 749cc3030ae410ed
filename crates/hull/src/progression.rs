//! Points in exact quadratic progression, such as the keys `(2t, -t²)` of a stream.

use alloc::vec::Vec;

use crate::Point;
use crate::exact::{FILTER, last_bit};

/// A part of a progression: its points `from` to `until`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    progression: Progression,
    from: u32,
    until: u32,
}

/// A progression whose point `i` is `(x + dx i, y + (dy + c i) i)`. If it was begun by three points
/// or more, these operations and `dy + 2 c i` are exact for every `i` below a stated limit.
#[derive(Clone, Copy, Debug, Default)]
struct Progression {
    /// `(x, y)` and `(dx, dy)`.
    first: Point,
    step: Point,
    /// `c`.
    curve: f64,
}

impl Progression {
    #[inline]
    fn at(&self, i: f64) -> Point {
        let Self { first, step, curve } = self;
        Point::new(first.x + step.x * i, first.y + (step.y + curve * i) * i)
    }

    /// The progression with the same points before `i` and with `point` as point `i`, if there is
    /// one that is exact before point `most`.
    #[inline]
    fn extended(mut self, i: u32, point: Point, most: u32) -> Option<Self> {
        if i <= 2 {
            self = self.begun(i, point, most)?;
        }
        (i < most && self.at(f64::from(i)).is(point)).then_some(self)
    }

    /// The progression with `point` as its point `i`, where `i` is 0, 1 or 2.
    fn begun(mut self, i: u32, point: Point, most: u32) -> Option<Self> {
        let Point { x, y } = self.first;
        match i {
            0 => self.first = point,
            1 => {
                self.step = Point::new(point.x - x, point.y - y);
                self.curve = 0.0;
            }
            _ => {
                let before = self.at(1.0);
                let step = before.y - y;
                self.curve = 0.5 * ((point.y - before.y) - step);
                self.step.y = step - self.curve;
                if !self.is_exact(most) || !self.at(1.0).is(before) {
                    return None;
                }
            }
        }
        Some(self)
    }

    /// Whether all intermediate results for points before `most` are multiples of one unit and too
    /// small to be rounded.
    fn is_exact(&self, most: u32) -> bool {
        let Self { first, step, curve } = *self;
        let numbers = [first.x, first.y, step.x, step.y, curve];
        let unit = match numbers.into_iter().filter_map(last_bit).min() {
            // A power of two; 0 below the normal numbers, where nothing counts as exact.
            Some(exponent) => f64::from_bits(((exponent + 1023).max(0) as u64) << 52),
            None => f64::INFINITY,
        };
        let most = f64::from(most);
        let greatest = (first.x.abs() + most * step.x.abs())
            .max(first.y.abs() + most * (step.y.abs() + most * curve.abs()));
        // `greatest` is rounded, so the limit is 2^52 units instead of 2^53.
        greatest < unit * f64::from(1 << 26) * f64::from(1 << 26)
    }
}

impl Run {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (self.until - self.from) as usize
    }

    /// The run with one more point, if the point continues the progression exactly before point
    /// `most`.
    #[inline]
    pub(crate) fn extended(mut self, point: Point, most: u32) -> Option<Self> {
        self.progression = self.progression.extended(self.until, point, most)?;
        self.until += 1;
        Some(self)
    }

    /// Whether the progression is exact before point `most`.
    pub(crate) fn is_exact(&self, most: u32) -> bool {
        self.progression.is_exact(most)
    }

    /// Whether every step leads to the right, and every step turns right.
    pub(crate) fn is_upper_hull(&self) -> bool {
        let Progression { step, curve, .. } = self.progression;
        self.len() < 2 || step.x > 0.0 && (self.len() == 2 || curve < 0.0)
    }

    pub(crate) fn remove_first(&mut self) {
        self.from += 1;
    }

    pub(crate) fn remove_last(&mut self) {
        self.until -= 1;
    }

    /// Cuts the run before point `at`, and returns the rest.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        let middle = self.from + at as u32;
        let rest = Self {
            from: middle,
            ..*self
        };
        self.until = middle;
        rest
    }

    /// The point at an index, which must be below the length.
    #[inline]
    pub(crate) fn at(&self, i: usize) -> Point {
        debug_assert!(i < self.len(), "point {i} of {}", self.len());
        self.progression.at(f64::from(self.from + i as u32))
    }

    /// Which of the points `i` and `i + 1` has a greater score than both its neighbours, if one has
    /// and the error bound suffices to decide. The query's y must be positive. `is_end` states for
    /// the first and the last point whether it has no neighbour outside the run.
    ///
    /// From point `i` the score rises by `s + w` to the next, and by `s - w` from the previous one,
    /// where `s = q.x dx + q.y (dy + 2 c i)` and `w = q.y c`; one point on, `s` is greater by `2
    /// w`.
    #[inline]
    pub(crate) fn peak(&self, q: Point, i: usize, is_end: [bool; 2]) -> Option<usize> {
        let Progression { step, curve, .. } = self.progression;
        let at = f64::from(self.from + i as u32);
        let (a, b) = (q.x * step.x, q.y * (step.y + 2.0 * curve * at));
        let (s, w) = (a + b, q.y * curve);
        // A run of two points may have a rounded step; the limit has room for that, too.
        let limit = -w - 2.0 * FILTER * (a.abs() + b.abs() + w.abs());
        let wins = |i: usize, s: f64| {
            let rises_to = if i == 0 { is_end[0] } else { -s < limit };
            let rises_from = if i + 1 == self.len() {
                !is_end[1]
            } else {
                s >= limit
            };
            rises_to && !rises_from
        };
        if wins(i, s) {
            Some(i)
        } else if i + 1 < self.len() && wins(i + 1, s + 2.0 * w) {
            Some(i + 1)
        } else {
            None
        }
    }

    /// The point whose score is greater than all others, if the error bound suffices to decide. The
    /// run must be an upper hull from the progression's first point on, and the query's y must be
    /// positive.
    ///
    /// From point `i` the score rises to the next by `r - w` and from the previous one by `r + w`,
    /// where `r = s - 2 w i`, `s = q.x dx + q.y dy` and `w = -q.y c`: the point nearest to `s / 2w`
    /// wins. With `u = 2^-53`, `s` is off by `2u (|a| + |b|)`, by twice that where two points have
    /// a rounded step, and `back` by `2u`. The remaining operations add at most as much again: `8u`
    /// of all of them is safe.
    #[inline]
    pub(crate) fn summit(&self, q: Point) -> Option<u32> {
        debug_assert!(self.from == 0 && self.is_upper_hull());
        let last = f64::from(self.until.checked_sub(1)?);
        let Progression { step, curve, .. } = self.progression;
        let (a, b) = (q.x * step.x, q.y * step.y);
        let (s, twice) = (a + b, q.y * (-2.0 * curve));
        let at = s / twice;
        // NaN compares as not above 0, and becomes 0.
        let at = if at > 0.0 { at } else { 0.0 };
        let at = if at < last { at } else { last };
        // The last bit of a number this great is 1, so the addition rounds to an integer.
        const GREAT: f64 = (1_u64 << 52) as f64;
        let nearest = (at + GREAT) - GREAT;
        let back = twice * nearest;
        let r = s - back;
        let limit = 0.5 * twice - 2.0 * FILTER * (a.abs() + b.abs() + back + twice);
        let rises_to = (r > -limit) | (nearest == 0.0);
        let falls_from = (r < limit) | (nearest == last);
        (rises_to & falls_from).then_some(nearest as u32)
    }

    /// The index of about the greatest score.
    #[inline]
    pub(crate) fn guess(&self, q: Point) -> usize {
        let Progression { step, curve, .. } = self.progression;
        let at = (q.x * step.x + q.y * step.y) / (-2.0 * q.y * curve);
        // The conversion saturates, and turns NaN into 0.
        let at = (at - f64::from(self.from) + 0.5) as usize;
        at.min(self.len() - 1)
    }

    /// The points as a vector.
    pub(crate) fn list(&self, capacity: usize) -> Vec<Point> {
        let mut list = Vec::with_capacity(capacity.max(self.len()));
        list.extend((0..self.len()).map(|i| self.at(i)));
        list
    }
}
