//! Points in exact progression, as keys `(2t, -t²)` of a stream are.

use alloc::vec::Vec;

use crate::Point;
use crate::exact::{FILTER, last_bit};

/// Part of a progression: its points `from` to `until`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    progression: Progression,
    from: u32,
    until: u32,
}

/// Point `i` is `(x + dx i, y + (dy + c i) i)`. Of three points or more, every operation of that is
/// exact up to a point that is stated, as is `dy + 2 c i`.
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

    /// The progression whose points before `i` are the same, and whose point `i` is `point`, if
    /// there is one that is exact before point `most`.
    #[inline]
    fn extended(mut self, i: u32, point: Point, most: u32) -> Option<Self> {
        if i <= 2 {
            self = self.begun(i, point, most)?;
        }
        (i < most && self.at(f64::from(i)).is(point)).then_some(self)
    }

    /// The same for the first three points.
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

    /// Whether all numbers on the way to points before `most` are multiples of a unit and too small
    /// to be rounded.
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
        // Rounded, hence not the 2^53 that would do.
        greatest < unit * f64::from(1 << 26) * f64::from(1 << 26)
    }
}

impl Run {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (self.until - self.from) as usize
    }

    /// The run with one more point, if it continues the progression and that is exact before point
    /// `most`.
    #[inline]
    pub(crate) fn extended(mut self, point: Point, most: u32) -> Option<Self> {
        self.progression = self.progression.extended(self.until, point, most)?;
        self.until += 1;
        Some(self)
    }

    /// Whether the progression is exact before point `most`, as was said of an earlier one.
    pub(crate) fn is_exact(&self, most: u32) -> bool {
        self.progression.is_exact(most)
    }

    /// Whether the points go to the right, and turn right at every step.
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

    /// A point that is there.
    #[inline]
    pub(crate) fn at(&self, i: usize) -> Point {
        debug_assert!(i < self.len(), "point {i} of {}", self.len());
        self.progression.at(f64::from(self.from + i as u32))
    }

    /// Which of point `i` and the one behind it has a greater score than both its neighbours, if
    /// one does and it is easily told. For a query whose y is positive. `is_end` says of the first
    /// and of the last point whether it has no neighbour outside.
    ///
    /// From point `i` the score rises by `s + w` to the next, and by `s - w` from the one before,
    /// where `s = q.x dx + q.y (dy + 2 c i)` and `w = q.y c`; one point on, `s` is `2 w` greater.
    #[inline]
    pub(crate) fn peak(&self, q: Point, i: usize, is_end: [bool; 2]) -> Option<usize> {
        let Progression { step, curve, .. } = self.progression;
        let at = f64::from(self.from + i as u32);
        let (a, b) = (q.x * step.x, q.y * (step.y + 2.0 * curve * at));
        let (s, w) = (a + b, q.y * curve);
        // Of two points the step may be rounded: for that, too, there is room.
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

    /// Which point has a greater score than all others, of a run that is an upper hull from the
    /// progression's first point on, if that is easily told. For a query whose y is positive.
    ///
    /// From point `i` the score rises to the next by `r - w` and from the one before by `r + w`,
    /// where `r = s - 2 w i`, `s = q.x dx + q.y dy` and `w = -q.y c`: the nearest point to `s / 2
    /// w` wins. With `u = 2^-53`, `s` is off by `2u (|a| + |b|)`, twice that where two points have
    /// a rounded step, `back` by `2u`, and what follows adds as much again at most: `8u` of all of
    /// them is safe.
    #[inline]
    pub(crate) fn summit(&self, q: Point) -> Option<u32> {
        debug_assert!(self.from == 0 && self.is_upper_hull());
        let last = f64::from(self.until.checked_sub(1)?);
        let Progression { step, curve, .. } = self.progression;
        let (a, b) = (q.x * step.x, q.y * step.y);
        let (s, twice) = (a + b, q.y * (-2.0 * curve));
        let at = s / twice;
        // Not a number is not above 0, either.
        let at = if at > 0.0 { at } else { 0.0 };
        let at = if at < last { at } else { last };
        // Of numbers this great, the last bit is 1.
        const GREAT: f64 = (1_u64 << 52) as f64;
        let nearest = (at + GREAT) - GREAT;
        let back = twice * nearest;
        let r = s - back;
        let limit = 0.5 * twice - 2.0 * FILTER * (a.abs() + b.abs() + back + twice);
        let rises_to = (r > -limit) | (nearest == 0.0);
        let falls_from = (r < limit) | (nearest == last);
        (rises_to & falls_from).then_some(nearest as u32)
    }

    /// About where the score is greatest.
    #[inline]
    pub(crate) fn guess(&self, q: Point) -> usize {
        let Progression { step, curve, .. } = self.progression;
        let at = (q.x * step.x + q.y * step.y) / (-2.0 * q.y * curve);
        // A conversion saturates, and makes 0 of NaN.
        let at = (at - f64::from(self.from) + 0.5) as usize;
        at.min(self.len() - 1)
    }

    /// The points.
    pub(crate) fn list(&self, capacity: usize) -> Vec<Point> {
        let mut list = Vec::with_capacity(capacity.max(self.len()));
        list.extend((0..self.len()).map(|i| self.at(i)));
        list
    }
}
