//! Abstract values: an interval, and a power of two that the number is a multiple of.

use weightware_hull::last_bit;

/// An abstract value of a float: the number lies within bounds, and is a multiple of `2^grain`.
///
/// A float of at least `2^e` in magnitude is a multiple of `2^(e - 52)`, so every computed number
/// has a grain.
///
/// Bounds of sums and products are computed by the rounded operations of the numbers. Rounding is
/// monotonic, so the numbers stay within them. Where the order of operations differs, bounds are
/// moved outwards.
///
/// If `lo` exceeds `hi`, no number lies within the bounds: the assumption that they stand for
/// cannot hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The lower bound: the number is at least this.
    pub lo: f64,
    /// The upper bound: the number is at most this.
    pub hi: f64,
    /// The number is a multiple of 2 to this power. If the grain is not negative, the number is an
    /// integer.
    pub grain: i32,
}

/// The grain of zero, which is a multiple of every power of two.
const COARSE: i32 = 2_000;

/// Every float is a multiple of 2 to this power.
const FINEST: i32 = -1074;

/// `2^exponent` as a float: infinite for exponents from 1024 on, and 0 for exponents below -1022,
/// where the power would be subnormal.
#[inline]
#[must_use]
pub fn power(exponent: i32) -> f64 {
    match exponent {
        1024.. => f64::INFINITY,
        -1022..1024 => f64::from_bits(((exponent + 1023) as u64) << 52),
        _ => 0.0,
    }
}

/// The greatest e for which a number is a multiple of 2^e.
#[inline]
pub(crate) fn grain(number: f64) -> i32 {
    last_bit(number).unwrap_or(COARSE)
}

/// Whether a number is a power of two, or minus one. A product with it is rounded only if it
/// [underflows](Range::is_scaled_by).
pub(crate) fn is_power(number: f64) -> bool {
    number != 0.0 && power(grain(number)) == number.abs()
}

/// The grain of an average of up to 2^27 numbers is less than that of the numbers by at most this.
const MEAN_GRAINS: i32 = 80;

impl Range {
    /// The abstract value of a number within bounds that is a multiple of `2^grain`. The bounds are
    /// moved inwards to such multiples.
    #[must_use]
    pub fn new(lo: f64, hi: f64, grain: i32) -> Self {
        let (mut lo, mut hi) = (lo, hi);
        let unit = power(grain);
        if grain >= 1024 {
            (lo, hi) = (0.0, 0.0);
        } else if unit > 0.0 {
            let inwards = |number: f64, round: fn(f64) -> f64| {
                let units = number / unit;
                if units.abs() < power(52) {
                    round(units) * unit
                } else {
                    number
                }
            };
            (lo, hi) = (inwards(lo, f64::ceil), inwards(hi, f64::floor));
        }
        Self { lo, hi, grain }
    }

    /// The abstract value of a known number.
    #[inline]
    #[must_use]
    pub fn of(number: f64) -> Self {
        Self {
            lo: number,
            hi: number,
            grain: grain(number),
        }
    }

    /// The greatest magnitude that the number may have.
    #[inline]
    #[must_use]
    pub fn size(&self) -> f64 {
        self.lo.abs().max(self.hi.abs())
    }

    /// The join of two abstract values: that of a number which has either.
    #[inline]
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            lo: self.lo.min(other.lo),
            hi: self.hi.max(other.hi),
            grain: self.grain.min(other.grain),
        }
    }

    /// The abstract value of the average of several such numbers.
    pub(crate) fn of_means(&self) -> Self {
        Self::new(self.lo, self.hi, self.grain.min(0) - MEAN_GRAINS)
    }

    /// Whether a factor is a power of two whose product with any such number is exact, also beyond
    /// 53 bits.
    #[inline]
    pub(crate) fn is_scaled_by(&self, factor: f64) -> bool {
        is_power(factor) && self.grain.max(FINEST).saturating_add(grain(factor)) >= FINEST
    }

    /// The bounds of a product with a constant.
    #[inline]
    pub(crate) fn scaled(self, factor: f64) -> Self {
        let (a, b) = (self.lo * factor, self.hi * factor);
        Self {
            lo: a.min(b),
            hi: a.max(b),
            grain: self.grain.saturating_add(grain(factor)),
        }
    }

    /// The bounds of a product.
    pub(crate) fn times(self, other: Self) -> Self {
        let products = [
            self.lo * other.lo,
            self.lo * other.hi,
            self.hi * other.lo,
            self.hi * other.hi,
        ];
        Self {
            lo: products.into_iter().fold(f64::INFINITY, f64::min),
            hi: products.into_iter().fold(f64::NEG_INFINITY, f64::max),
            grain: self.grain.saturating_add(other.grain),
        }
    }

    /// The bounds of a square.
    pub(crate) fn squared(self) -> Self {
        let (a, b) = (self.lo * self.lo, self.hi * self.hi);
        let least = if self.lo <= 0.0 && self.hi >= 0.0 {
            0.0
        } else {
            a.min(b)
        };
        Self {
            lo: least,
            hi: a.max(b),
            grain: self.grain.saturating_mul(2),
        }
    }

    /// Bounds moved outwards by the greatest rounding error of a sum whose terms have a total
    /// magnitude.
    pub(crate) fn widened(self, magnitude: f64) -> Self {
        let slack = magnitude * power(-44) + f64::MIN_POSITIVE;
        Self {
            lo: self.lo - slack,
            hi: self.hi + slack,
            grain: self.grain,
        }
    }
}

/// Whether a sum of multiples of `2^grain`, whose magnitudes add up to `mass`, is exact in any
/// order: all multiples up to `2^(53 + grain)` are floats.
///
/// The mass may itself be rounded, so it must be less than that power: a greater mass may have been
/// rounded down to the power.
#[inline]
pub(crate) fn is_exact(mass: f64, grain: i32) -> bool {
    grain >= FINEST && mass < power(grain.saturating_add(53).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grains() {
        for (number, assumptions) in [
            (1.0, 0),
            (12.0, 2),
            (0.75, -2),
            (-3.0 * power(945), 945),
            (5e-324, -1074),
        ] {
            assert_eq!(grain(number), assumptions, "{number}");
            let units = number / power(assumptions.max(-1022));
            assert!(units == units.round() || assumptions < -1022);
        }
        assert_eq!(grain(0.0), COARSE);
    }

    #[test]
    fn a_mass_that_was_rounded_down_is_not_exact() {
        // The product has 54 bits and is rounded to 2^53.
        let (a, b) = (3.0, 3_002_399_751_580_331.0);
        assert_eq!(a * b, power(53));
        assert!(!is_exact(a * b, 0));
        assert!(is_exact(a * b - 1.0, 0));
        // The least float is 2^-1074.
        assert!(is_exact(power(-1022), -1074));
        assert!(!is_exact(power(-1022) / 2.0, -1075));
    }

    #[test]
    fn powers_of_two_round_what_they_make_too_small() {
        let fine = Range::new(-1.0, 1.0, -1000);
        assert!(fine.is_scaled_by(power(-74)) && fine.is_scaled_by(-power(900)));
        assert!(!fine.is_scaled_by(power(-75)) && !fine.is_scaled_by(3.0));
        // Every float is a multiple of 2^-1074, also where the grain is less.
        assert!(Range::new(-1.0, 1.0, -3000).is_scaled_by(1.0));
    }

    #[test]
    fn ranges_are_moved_to_multiples() {
        let range = Range::new(-1.5, 2.9, 0);
        assert_eq!((range.lo, range.hi), (-1.0, 2.0));
        assert_eq!(Range::new(-3.0, 2.0, 0).squared(), Range::new(0.0, 9.0, 0));
        assert_eq!(
            Range::new(-3.0, 2.0, 0).times(Range::new(-1.0, 4.0, 1)),
            Range::new(-12.0, 8.0, 1)
        );
    }
}
