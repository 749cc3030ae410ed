//! The exponential function of arguments up to 0, in lanes.
//!
//! ```text
//! e^x = 2^n e^r,   n = round(x / ln 2),   r = x - n ln 2 (Cody and Waite, in two parts)
//! e^r = 1 + r + r² Q(r),   Q of degree 9 by Remez: 4e-18 off for |r| <= ln(2) / 2
//! ```
//!
//! Products and sums are rounded one by one, never fused. So all processors compute the same bits,
//! in vectors of any width and one number at a time.

/// Weights below this power of e, which is `2^-1022` or so, count as zero.
pub(crate) const UNDERFLOW: f64 = -708.0;

/// `1.5 * 2^52`: a number added to it is rounded to an integer, which its last bits hold.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `ln 2` in two parts. The first has 32 bits, so `n` times it is exact.
const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];

/// The coefficients of `Q`, from the highest power to the lowest.
const Q: [f64; 10] = [
    2.500_007_750_904_251e-8,
    2.763_025_044_937_24e-7,
    2.755_758_633_499_820_3e-6,
    2.480_149_309_271_966e-5,
    0.000_198_412_695_066_043_75,
    0.001_388_888_894_364_650_4,
    0.008_333_333_333_494_461,
    0.041_666_666_666_530_135,
    0.166_666_666_666_664_13,
    0.500_000_000_000_001_1,
];

/// `e^x` for every `x` up to 0; 0 below [`UNDERFLOW`] and for NaN. The relative error is at most
/// `2^-51`.
#[inline(always)]
pub(crate) fn exp<const L: usize>(x: [f64; L]) -> [f64; L] {
    let (mut value, mut scale) = ([0.0; L], [0; L]);
    for i in 0..L {
        let shifted = x[i] * core::f64::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = (x[i] - n * LN_2[0]) - n * LN_2[1];
        let mut q = Q[0];
        for coefficient in &Q[1..] {
            q = q * r + coefficient;
        }
        value[i] = 1.0 + (r + r * r * q);
        // 2^n: the last bits of `shifted` are those of n.
        scale[i] = shifted.to_bits().wrapping_add(1023) << 52;
    }
    core::array::from_fn(|i| {
        let power = value[i] * f64::from_bits(scale[i]);
        if x[i] >= UNDERFLOW { power } else { 0.0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXP_ERROR: f64 = 2.0 * f64::EPSILON;
    use crate::random::Random;

    #[test]
    fn is_within_its_error_bound() {
        let mut random = Random::new(5);
        let mut worst = 0f64;
        for i in 0..if cfg!(miri) { 500 } else { 2_000_000 } {
            // All magnitudes down to the last one that does not underflow.
            let x = -(random.bits(53) as f64) / 2f64.powi(53) * 708.0 / 2f64.powi(i % 24);
            let [lane, other] = exp([x, -1.0]);
            let expected = libm::exp(x);
            worst = worst.max((lane - expected).abs() / expected);
            assert_eq!(exp([x]), [lane]);
            assert_eq!(exp([-1.0]), [other]);
        }
        // The reference is off by less than one unit in the last place itself.
        assert!(worst <= EXP_ERROR, "{worst:e}");
        assert_eq!(exp([0.0, -0.0]), [1.0, 1.0]);
        assert_eq!(exp([-708.5, -1e300, f64::NEG_INFINITY, f64::NAN]), [0.0; 4]);
        assert!(exp([UNDERFLOW])[0] >= f64::MIN_POSITIVE);
    }
}
