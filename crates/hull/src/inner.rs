//! A rectangle inside of the hull, which settles most interior points by four comparisons.

use crate::Point;

/// A rectangle within the hull, its border included. What lies strictly inside of it lies strictly
/// inside of the hull, then and ever after, as the hull only grows.
///
/// It grows with interior points that it does not hold. Tries that fail make further ones rarer, so
/// that their cost is a fraction of that of the pushes.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    low: Point,
    high: Point,
    /// Interior points outside of the rectangle since the last try, and how many are waited for.
    missed: u32,
    patience: u32,
}

/// The longest wait between tries.
const PATIENCE: u32 = 1 << 10;

impl Default for Inner {
    fn default() -> Self {
        // Holds nothing, and becomes the first point by growing.
        Self {
            low: Point::new(f64::INFINITY, f64::INFINITY),
            high: Point::new(f64::NEG_INFINITY, f64::NEG_INFINITY),
            missed: 0,
            patience: 1,
        }
    }
}

impl Inner {
    /// Whether a point is strictly inside.
    #[inline]
    pub(crate) fn holds(&self, p: Point) -> bool {
        let Self { low, high, .. } = self;
        (p.x > low.x) & (p.x < high.x) & (p.y > low.y) & (p.y < high.y)
    }

    /// Whether it is time to try to grow, after another interior point that it does not hold.
    #[inline]
    pub(crate) fn misses(&mut self) -> bool {
        self.missed += 1;
        self.missed >= self.patience
    }

    /// Grows to hold a point of the hull at its border, if the corners that this makes are in the
    /// hull.
    #[cold]
    pub(crate) fn grow(&mut self, p: Point, is_in_hull: impl Fn(Point) -> bool) {
        let low = Point::new(self.low.x.min(p.x), self.low.y.min(p.y));
        let high = Point::new(self.high.x.max(p.x), self.high.y.max(p.y));
        let corners = [
            low,
            Point::new(low.x, high.y),
            Point::new(high.x, low.y),
            high,
        ];
        self.missed = 0;
        if corners.into_iter().all(is_in_hull) {
            (self.low, self.high) = (low, high);
        } else {
            self.patience = (2 * self.patience).min(PATIENCE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_within_a_disc_and_no_further() {
        let mut inner = Inner::default();
        let is_in_disc = |p: Point| p.x * p.x + p.y * p.y <= 1.0;
        let mut state = 1u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f64 / f64::from(1 << 23) - 1.0
        };
        let mut held = 0;
        let points = if cfg!(miri) { 1_000 } else { 100_000 };
        for _ in 0..points {
            let p = Point::new(next(), next());
            if inner.holds(p) {
                assert!(is_in_disc(p));
                held += 1;
            } else if is_in_disc(p) && inner.misses() {
                inner.grow(p, is_in_disc);
            }
        }
        // A square within the circle is half of the square around it.
        let share = f64::from(held) / f64::from(points);
        assert!((0.2..0.5).contains(&share), "{share}");
    }
}
