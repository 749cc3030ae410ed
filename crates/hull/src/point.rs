//! Points of the plane, and the range of coordinates on which the arithmetic is exact.

use crate::Error;

/// Smallest magnitude of a coordinate other than zero: `2^-400`.
pub const MIN_MAGNITUDE: f64 = f64::from_bits((1023 - 400) << 52);

/// Largest magnitude of a coordinate: `2^400`.
pub const MAX_MAGNITUDE: f64 = f64::from_bits((1023 + 400) << 52);

/// A point of the plane: a key, or the direction of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// First coordinate.
    pub x: f64,
    /// Second coordinate.
    pub y: f64,
}

impl Point {
    /// The point `(x, y)`.
    #[inline]
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// Whether both coordinates are zero or of a magnitude in
    /// [`MIN_MAGNITUDE`]`..=`[`MAX_MAGNITUDE`].
    #[inline]
    pub fn in_domain(self) -> bool {
        in_domain(self.x) & in_domain(self.y)
    }

    /// Whether it is in the domain, with a y above zero.
    #[inline]
    pub(crate) fn is_upward(self) -> bool {
        // One comparison excludes negative numbers, whose bits are above those of positive ones.
        (self.y.to_bits().wrapping_sub(MIN_MAGNITUDE.to_bits()) <= RANGE) & in_domain(self.x)
    }

    /// The point itself if it is in the domain, with `-0.0` replaced by `0.0`.
    #[inline]
    pub(crate) fn checked(self) -> Result<Self, Error> {
        if self.in_domain() {
            Ok(Self::new(self.x + 0.0, self.y + 0.0))
        } else {
            Err(Error::domain(self))
        }
    }

    /// Whether it is the same point, bit for bit.
    #[inline]
    pub(crate) fn is(self, other: Self) -> bool {
        self.x.to_bits() == other.x.to_bits() && self.y.to_bits() == other.y.to_bits()
    }

    /// The mirror image in the x axis, which turns a lower hull into an upper one.
    #[inline]
    pub(crate) fn flipped(self) -> Self {
        Self::new(self.x, -self.y)
    }
}

impl From<[f64; 2]> for Point {
    #[inline]
    fn from([x, y]: [f64; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f64; 2] {
    #[inline]
    fn from(Point { x, y }: Point) -> Self {
        [x, y]
    }
}

const RANGE: u64 = MAX_MAGNITUDE.to_bits() - MIN_MAGNITUDE.to_bits();

#[inline]
pub(crate) fn in_domain(v: f64) -> bool {
    // Bits of magnitudes compare as the magnitudes do; infinity and NaN come last.
    let magnitude = v.to_bits() & !(1 << 63);
    (magnitude.wrapping_sub(MIN_MAGNITUDE.to_bits()) <= RANGE) | (magnitude == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_has_the_documented_bounds() {
        assert_eq!(MIN_MAGNITUDE, 2f64.powi(-400));
        assert_eq!(MAX_MAGNITUDE, 2f64.powi(400));
        for good in [0.0, -0.0, 1.0, -MIN_MAGNITUDE, MAX_MAGNITUDE] {
            assert!(Point::new(good, -good).in_domain());
            assert!(Point::new(good, 1.0).is_upward());
            assert_eq!(Point::new(1.0, good).is_upward(), good > 0.0);
        }
        let bad = [f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 2f64.powi(401)];
        for bad in bad {
            assert!(!Point::new(bad, 1.0).in_domain());
            assert!(!Point::new(1.0, -bad).in_domain());
            assert!(!Point::new(bad, 1.0).is_upward());
            assert!(!Point::new(1.0, bad).is_upward());
        }
    }
}
