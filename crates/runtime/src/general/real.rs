//! The two formats of numbers that a forward pass computes in.

use core::fmt::Debug;
use core::iter::Sum;
use core::ops::{Add, AddAssign, Div, Mul, MulAssign, Sub};

/// A 32- or 64-bit float.
pub(super) trait Real:
    Copy
    + Debug
    + PartialOrd
    + Default
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + MulAssign
    + Sum
    + 'static
{
    const ZERO: Self;
    const LOWEST: Self;

    /// The nearest number of this format.
    fn of(number: f64) -> Self;
    fn wide(self) -> f64;
    fn sqrt(self) -> Self;
    fn exp(self) -> Self;
    fn greater(self, other: Self) -> Self;

    /// `e^x` for `x <= 0`, without branches, so that loops over it are vectorised.
    ///
    /// With `n = round(x / ln 2)` and `r = x - n ln 2`, `|r| <= ln 2 / 2`, it is `2^n e^r`, and
    /// `e^r` its Taylor polynomial. The relative error is below 4 units in the last place; results
    /// that would be subnormal are 0.
    fn exp_of_negative(self) -> Self;
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const LOWEST: Self = f64::NEG_INFINITY;

    #[inline(always)]
    fn of(number: f64) -> Self {
        number
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        f64::exp(self)
    }

    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    #[inline(always)]
    fn exp_of_negative(self) -> Self {
        // 1.5 * 2^52: adding it rounds to an integer, which is then in the low bits.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
        const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
        // 1/k! from k = 13.
        const TAYLOR: [f64; 14] = [
            1.0 / 6_227_020_800.0,
            1.0 / 479_001_600.0,
            1.0 / 39_916_800.0,
            1.0 / 3_628_800.0,
            1.0 / 362_880.0,
            1.0 / 40_320.0,
            1.0 / 5_040.0,
            1.0 / 720.0,
            1.0 / 120.0,
            1.0 / 24.0,
            1.0 / 6.0,
            0.5,
            1.0,
            1.0,
        ];
        let x = if self < -708.0 { -708.0 } else { self };
        let shifted = x * core::f64::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
        let mut sum = TAYLOR[0];
        for term in &TAYLOR[1..] {
            sum = sum * r + term;
        }
        let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
        let power = if self < -708.0 { 0.0 } else { power };
        sum * power
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const LOWEST: Self = f32::NEG_INFINITY;

    #[inline(always)]
    fn of(number: f64) -> Self {
        number as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        f32::exp(self)
    }

    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    #[inline(always)]
    fn exp_of_negative(self) -> Self {
        // 1.5 * 2^23.
        const ROUND: f32 = 12_582_912.0;
        const LN_2_HIGH: f32 = 0.693_359_4;
        const LN_2_LOW: f32 = -2.121_944_4e-4;
        const TAYLOR: [f32; 8] = [
            1.0 / 5_040.0,
            1.0 / 720.0,
            1.0 / 120.0,
            1.0 / 24.0,
            1.0 / 6.0,
            0.5,
            1.0,
            1.0,
        ];
        let x = if self < -87.0 { -87.0 } else { self };
        let shifted = x * core::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
        let mut sum = TAYLOR[0];
        for term in &TAYLOR[1..] {
            sum = sum * r + term;
        }
        let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
        let power = if self < -87.0 { 0.0 } else { power };
        sum * power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative errors in units of the format's epsilon.
    #[test]
    fn exponentials_are_right() {
        let mut worst = [0.0_f64; 2];
        for i in 0..2_000_000 {
            let x = -708.0 * f64::from(i) / 2e6;
            let is = x.exp_of_negative();
            let must = f64::exp(x);
            worst[0] = worst[0].max((is - must).abs() / must / f64::EPSILON);
            let x = (x * 87.0 / 708.0) as f32;
            let is = f64::from(x.exp_of_negative());
            let must = f64::exp(f64::from(x));
            worst[1] = worst[1].max((is - must).abs() / must / f64::from(f32::EPSILON));
        }
        assert!(worst.iter().all(|&worst| worst < 4.0), "{worst:?}");
        assert_eq!(0.0_f64.exp_of_negative(), 1.0);
        assert_eq!(0.0_f32.exp_of_negative(), 1.0);
        assert_eq!((-1e300_f64).exp_of_negative(), 0.0);
        assert_eq!(f64::NEG_INFINITY.exp_of_negative(), 0.0);
        assert_eq!(f32::NEG_INFINITY.exp_of_negative(), 0.0);
        assert_eq!((-88.0_f32).exp_of_negative(), 0.0);
    }
}
