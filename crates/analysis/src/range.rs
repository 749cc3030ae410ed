//! What is known of a number without knowing it.

/// What is known of a number: it lies within bounds, and is a multiple of `2^grain`.
///
/// A float that is not zero and at least `2^e` in magnitude is a multiple of `2^(e - 52)`, so every number that is
/// computed has a grain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub lo: f64,
    pub hi: f64,
    pub grain: i32,
}

/// Of zero, a multiple of everything.
const COARSE: i32 = 2_000;

/// `2^exponent`, infinite or zero beyond the floats.
pub fn power(exponent: i32) -> f64 {
    match exponent {
        1024.. => f64::INFINITY,
        -1022..1024 => f64::from_bits(((exponent + 1023) as u64) << 52),
        _ => 0.0,
    }
}

/// The greatest e for which a number is a multiple of 2^e.
pub fn grain(number: f64) -> i32 {
    if number == 0.0 {
        return COARSE;
    }
    let bits = number.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let mantissa = bits & ((1 << 52) - 1);
    match exponent {
        0 => -1074 + mantissa.trailing_zeros() as i32,
        _ => exponent - 1075 + (mantissa | 1 << 52).trailing_zeros() as i32,
    }
}

/// Whether a number is a power of two, or minus one; times such a number, no number is rounded.
pub fn is_power(number: f64) -> bool {
    number != 0.0 && power(grain(number)) == number.abs()
}

impl Range {
    /// The bounds are moved inwards to multiples of `2^grain`.
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

    pub fn of(number: f64) -> Self {
        Self {
            lo: number,
            hi: number,
            grain: grain(number),
        }
    }

    /// The greatest magnitude.
    pub fn size(&self) -> f64 {
        self.lo.abs().max(self.hi.abs())
    }

    pub fn union(self, other: Self) -> Self {
        Self {
            lo: self.lo.min(other.lo),
            hi: self.hi.max(other.hi),
            grain: self.grain.min(other.grain),
        }
    }

    pub fn scaled(self, factor: f64) -> Self {
        let (a, b) = (self.lo * factor, self.hi * factor);
        Self {
            lo: a.min(b),
            hi: a.max(b),
            grain: self.grain.saturating_add(grain(factor)),
        }
    }

    /// The bounds of a product.
    pub fn times(self, other: Self) -> Self {
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
    pub fn squared(self) -> Self {
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

    /// Bounds moved outwards by what rounding may have done to sums of numbers of a total magnitude.
    pub fn widened(self, magnitude: f64) -> Self {
        let slack = magnitude * power(-44);
        Self {
            lo: self.lo - slack,
            hi: self.hi + slack,
            grain: self.grain,
        }
    }
}

/// Whether sums of multiples of `2^grain`, of magnitudes that add up to `mass`, are computed without rounding in any
/// order.
pub fn is_exact(mass: f64, grain: i32) -> bool {
    mass <= power(grain.saturating_add(53).min(1000))
}

#[cfg(test)]
mod tests {
    use crate::*;

    #[test]
    fn grains() {
        for (number, expected) in [
            (1.0, 0),
            (12.0, 2),
            (0.75, -2),
            (-3.0 * power(945), 945),
            (5e-324, -1074),
        ] {
            assert_eq!(grain(number), expected, "{number}");
            let units = number / power(expected.max(-1022));
            assert!(units == units.round() || expected < -1022);
        }
        assert_eq!(grain(0.0), COARSE);
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
