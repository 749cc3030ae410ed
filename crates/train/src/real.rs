//! The two formats of numbers that training computes in, with exponentials that vectorise.

use core::marker::PhantomData;

use candle_core::WithDType;

/// A 32- or 64-bit float.
///
/// `exp` and `erf` have no branches, so that loops over them are vectorised.
pub(crate) trait Real: WithDType {
    const LOWEST: Self;

    /// The nearest number of this format.
    fn of(number: f64) -> Self {
        Self::from_f64(number)
    }

    /// The number as an `f64`.
    fn wide(self) -> f64 {
        self.to_f64()
    }

    fn sqrt(self) -> Self;
    fn max(self, other: Self) -> Self;

    /// `e^x`. With `n = round(x / ln 2)` and `r = x - n ln 2` it is `2^n e^r`, and `e^r` its Taylor
    /// polynomial. The argument is clamped to where results are normal numbers; the relative error
    /// is below 4 units in the last place.
    fn exp(self) -> Self;

    /// The error function: to 1e-6 in 32 bits, to the last places in 64 bits.
    fn erf(self) -> Self;
}

impl Real for f32 {
    const LOWEST: Self = f32::NEG_INFINITY;

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    #[inline(always)]
    fn exp(self) -> Self {
        // 1.5 * 2^23: adding it rounds to an integer, which is then in the low bits.
        const ROUND: f32 = 12_582_912.0;
        const LN_2_HIGH: f32 = 0.693_359_4;
        const LN_2_LOW: f32 = -2.121_944_4e-4;
        let x = if self < -87.0 { -87.0 } else { self };
        let x = if x > 88.0 { 88.0 } else { x };
        let shifted = x * core::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
        let mut sum = 1.0 / 5_040.0;
        for term in [
            1.0 / 720.0,
            1.0 / 120.0,
            1.0 / 24.0,
            1.0 / 6.0,
            0.5,
            1.0,
            1.0,
        ] {
            sum = sum * r + term;
        }
        sum * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
    }

    #[inline(always)]
    fn erf(self) -> Self {
        // Abramowitz and Stegun, 7.1.26: |error| <= 1.5e-7 before rounding.
        let x = self.abs();
        let t = 1.0 / (1.0 + 0.327_591_1 * x);
        let mut sum = 1.061_405_4;
        for term in [-1.453_152, 1.421_413_8, -0.284_496_74, 0.254_829_6, 0.0] {
            sum = sum * t + term;
        }
        let magnitude = 1.0 - sum * Real::exp(-x * x);
        if self < 0.0 { -magnitude } else { magnitude }
    }
}

impl Real for f64 {
    const LOWEST: Self = f64::NEG_INFINITY;

    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    fn exp(self) -> Self {
        libm::exp(self)
    }

    fn erf(self) -> Self {
        libm::erf(self)
    }
}

/// A computation that [`vectorised`] compiles for wide vectors.
pub(crate) trait Kernel<A> {
    type Output;

    /// Must be `#[inline(always)]`, as must all that its loops call.
    fn run(arguments: A) -> Self::Output;
}

/// Runs a kernel, compiled for vectors of 256 bits if this processor has them.
///
/// There are no fused operations, so that the results have the same bits on every processor.
pub(crate) fn vectorised<K: Kernel<A>, A>(arguments: A) -> K::Output {
    struct Call<K, A>(A, PhantomData<K>);

    impl<K: Kernel<A>, A> pulp::WithSimd for Call<K, A> {
        type Output = K::Output;

        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> K::Output {
            K::run(self.0)
        }
    }
    pulp::Arch::new().dispatch(Call::<K, A>(arguments, PhantomData))
}

/// Defines a function whose body is a [`Kernel`]. A closure or a plain function would not do: what
/// is not inlined is compiled apart, for the least processor.
macro_rules! kernel {
    ($(#[$meta:meta])* fn $name:ident<$($generic:ident: $bound:ident),*>(
        $($argument:ident: $type:ty),* $(,)?
    ) $(-> $output:ty)? $body:block) => {
        $(#[$meta])*
        fn $name<$($generic: $bound),*>($($argument: $type),*) $(-> $output)? {
            struct Body<G>(core::marker::PhantomData<G>);

            impl<$($generic: $bound),*> $crate::real::Kernel<($($type,)*)> for Body<($($generic,)*)> {
                type Output = $crate::real::kernel!(@output $($output)?);

                #[inline(always)]
                fn run(($($argument,)*): ($($type,)*)) -> Self::Output $body
            }
            $crate::real::vectorised::<Body<($($generic,)*)>, _>(($($argument,)*))
        }
    };
    (@output) => { () };
    (@output $output:ty) => { $output };
}
pub(crate) use kernel;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right() {
        let mut worst = 0.0_f64;
        for i in -86_000..88_000 {
            let x = i as f32 / 1000.0;
            let must = f64::exp(f64::from(x));
            let error = (f64::from(Real::exp(x)) - must).abs() / must;
            worst = worst.max(error / f64::from(f32::EPSILON));
        }
        assert!(worst < 4.0, "{worst}");
        assert!(Real::exp(f32::NEG_INFINITY) < 2e-38);
    }

    #[test]
    fn error_function_is_right() {
        for i in -6000..6000 {
            let x = i as f32 / 1000.0;
            let error = f64::from(Real::erf(x)) - libm::erf(f64::from(x));
            assert!(error.abs() < 1e-6, "{x}: {error}");
        }
    }
}
