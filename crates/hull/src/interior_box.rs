//! An interior rectangle: rejects most interior points of the hull by four comparisons.

use crate::Point;

/// A rectangle within the hull, its border included. A point strictly inside it is strictly inside
/// the hull, now and later, because the hull only grows.
///
/// The rectangle grows with interior points that it does not contain. Failed attempts make further
/// ones rarer, so that their cost is a fraction of the cost of the pushes.
#[derive(Clone, Debug)]
pub(crate) struct InteriorBox {
    low: Point,
    high: Point,
    /// Interior points outside the rectangle since the last attempt, and how many trigger the next
    /// one.
    missed: u32,
    patience: u32,
}

/// The longest wait between attempts, in points.
const PATIENCE: u32 = 1 << 10;

impl Default for InteriorBox {
    fn default() -> Self {
        // The empty rectangle; growing makes it the first point.
        Self {
            low: Point::new(f64::INFINITY, f64::INFINITY),
            high: Point::new(f64::NEG_INFINITY, f64::NEG_INFINITY),
            missed: 0,
            patience: 1,
        }
    }
}

impl InteriorBox {
    /// Whether a point is strictly inside.
    #[inline]
    pub(crate) fn holds(&self, p: Point) -> bool {
        let Self { low, high, .. } = self;
        (p.x > low.x) & (p.x < high.x) & (p.y > low.y) & (p.y < high.y)
    }

    /// Counts an interior point outside the rectangle, and returns whether it is time to grow.
    #[inline]
    pub(crate) fn misses(&mut self) -> bool {
        self.missed += 1;
        self.missed >= self.patience
    }

    /// Grows to have a point of the hull on its border, if the new corners are in the hull.
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
    use crate::random::Random;

    #[test]
    fn grows_within_a_disc_and_no_further() {
        let mut interior = InteriorBox::default();
        let is_in_disc = |p: Point| p.x * p.x + p.y * p.y <= 1.0;
        let mut random = Random::new(1);
        let mut next = || random.bits(24) as f64 / f64::from(1 << 23) - 1.0;
        let mut held = 0;
        let points = if cfg!(miri) { 1_000 } else { 100_000 };
        for _ in 0..points {
            let p = Point::new(next(), next());
            if interior.holds(p) {
                assert!(is_in_disc(p));
                held += 1;
            } else if is_in_disc(p) && interior.misses() {
                interior.grow(p, is_in_disc);
            }
        }
        // A square within the circle has half the area of the square around it.
        let share = f64::from(held) / f64::from(points);
        assert!((0.2..0.5).contains(&share), "{share}");
    }
}
