//! Layer normalisation and RMS normalisation.
//!
//! ```text
//! m = mean x, or 0 for RMS       z = (x - m) / sqrt(mean (x - m)^2 + epsilon)
//! y = scale z + shift            dscale = sum of dy z over rows,  dshift = sum of dy
//! u = dy scale                   dx = (u - [mean u] - z mean(u z)) / sqrt(...)
//! ```
//! The bracket stands for layer normalisation only.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use weightware_model::general::Norm;

use super::{ROWS, by_dtype, entries, sum_rows, tensor_like, with_entries};
use crate::real::{Real, kernel};

/// Normalises the rows of `x`, `[rows, d]`. `scale` and `shift` are `[d]`; RMS normalisation has no
/// shift.
///
/// # Errors
/// If shapes or formats do not match.
pub fn norm(x: &Tensor, scale: &Tensor, shift: Option<&Tensor>, kind: Norm) -> Result<Tensor> {
    let (epsilon, centred) = match kind {
        Norm::Layer { epsilon } => (epsilon, true),
        Norm::Rms { epsilon } => (epsilon, false),
    };
    let operation = Normalisation { epsilon, centred };
    match shift {
        None => x.apply_op2(scale, operation),
        Some(shift) => x.apply_op3(scale, shift, operation),
    }
}

struct Normalisation {
    epsilon: f64,
    centred: bool,
}

impl Normalisation {
    /// The mean, and the inverse of the deviation.
    #[inline(always)]
    fn moments<R: Real>(&self, row: &[R]) -> (R, R) {
        let count = R::of(1.0 / row.len() as f64);
        let mut mean = R::zero();
        if self.centred {
            row.iter().for_each(|&x| mean += x);
            mean *= count;
        }
        let mut square = R::zero();
        row.iter().for_each(|&x| square += (x - mean) * (x - mean));
        (
            mean,
            R::one() / (square * count + R::of(self.epsilon)).sqrt(),
        )
    }

    fn forward<R: Real>(&self, x: &[R], scale: &[R], shift: Option<&[R]>) -> Vec<R> {
        let d = scale.len();
        let mut out = vec![R::zero(); x.len()];
        (out.par_chunks_mut(ROWS * d))
            .zip(x.par_chunks(ROWS * d))
            .for_each(|(out, x)| forward(self, out, x, scale, shift));
        out
    }

    /// The gradients of `x` and of `scale`.
    fn backward<R: Real>(&self, x: &[R], scale: &[R], grad: &[R]) -> (Vec<R>, Vec<R>) {
        let d = scale.len();
        let mut dx = vec![R::zero(); x.len()];
        // One row for each piece of rows, summed in order.
        let mut dscale = vec![R::zero(); x.len().div_ceil(ROWS * d) * d];
        (dx.par_chunks_mut(ROWS * d))
            .zip(dscale.par_chunks_mut(d))
            .zip(x.par_chunks(ROWS * d).zip(grad.par_chunks(ROWS * d)))
            .for_each(|((dx, dscale), (x, grad))| {
                backward(self, dx, dscale, x, scale, grad);
            });
        (dx, sum_rows(&dscale, d))
    }

    fn gradients(&self, x: &Tensor, scale: &Tensor, grad: &Tensor) -> Result<[Tensor; 2]> {
        fn run<R: Real>(it: &Normalisation, tensors: [&Tensor; 3]) -> Result<[Tensor; 2]> {
            let (dx, dscale) =
                with_entries::<R, 3, _>(tensors, |[x, scale, grad]| it.backward(x, scale, grad))?;
            Ok([
                tensor_like(dx, tensors[0])?,
                tensor_like(dscale, tensors[1])?,
            ])
        }
        by_dtype!(x.dtype(), run::<R>(self, [x, scale, grad]))
    }
}

kernel! {
    fn forward<R: Real>(
        of: &Normalisation,
        out: &mut [R],
        x: &[R],
        scale: &[R],
        shift: Option<&[R]>,
    ) {
        let d = scale.len();
        for (out, x) in out.chunks_exact_mut(d).zip(x.chunks_exact(d)) {
            let (mean, inverse) = of.moments(x);
            for ((out, &x), &scale) in out.iter_mut().zip(x).zip(scale) {
                *out = (x - mean) * inverse * scale;
            }
            for (out, &shift) in out.iter_mut().zip(shift.unwrap_or(&[])) {
                *out += shift;
            }
        }
    }
}

kernel! {
    fn backward<R: Real>(
        of: &Normalisation,
        dx: &mut [R],
        dscale: &mut [R],
        x: &[R],
        scale: &[R],
        grad: &[R],
    ) {
        let d = scale.len();
        let count = R::of(1.0 / d as f64);
        let rows = x.chunks_exact(d).zip(grad.chunks_exact(d));
        for (dx, (x, grad)) in dx.chunks_exact_mut(d).zip(rows) {
            let (mean, inverse) = of.moments(x);
            let (mut of_u, mut of_uz) = (R::zero(), R::zero());
            for c in 0..d {
                let z = (x[c] - mean) * inverse;
                let u = grad[c] * scale[c];
                dscale[c] += grad[c] * z;
                of_u += u;
                of_uz += u * z;
                dx[c] = u;
            }
            of_u = if of.centred { of_u * count } else { R::zero() };
            of_uz *= count;
            for (dx, &x) in dx.iter_mut().zip(x) {
                *dx = (*dx - of_u - (x - mean) * inverse * of_uz) * inverse;
            }
        }
    }
}

impl CustomOp2 for Normalisation {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        scale: &CpuStorage,
        scale_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        fn run<R: Real>(
            it: &Normalisation,
            x: (&CpuStorage, &Layout),
            scale: (&CpuStorage, &Layout),
        ) -> Result<CpuStorage> {
            let out = it.forward::<R>(entries(x.0, x.1)?, entries(scale.0, scale.1)?, None);
            Ok(R::to_cpu_storage_owned(out))
        }
        let shape = x_layout.shape().clone();
        let (x, scale) = ((x, x_layout), (scale, scale_layout));
        Ok((by_dtype!(x.0.dtype(), run::<R>(self, x, scale))?, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        scale: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [dx, dscale] = self.gradients(x, scale, grad)?;
        Ok((Some(dx), Some(dscale)))
    }
}

impl CustomOp3 for Normalisation {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        scale: &CpuStorage,
        scale_layout: &Layout,
        shift: &CpuStorage,
        shift_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        fn run<R: Real>(
            it: &Normalisation,
            x: (&CpuStorage, &Layout),
            scale: (&CpuStorage, &Layout),
            shift: (&CpuStorage, &Layout),
        ) -> Result<CpuStorage> {
            let shift = entries(shift.0, shift.1)?;
            let out = it.forward::<R>(entries(x.0, x.1)?, entries(scale.0, scale.1)?, Some(shift));
            Ok(R::to_cpu_storage_owned(out))
        }
        let shape = x_layout.shape().clone();
        let (x, scale, shift) = ((x, x_layout), (scale, scale_layout), (shift, shift_layout));
        Ok((
            by_dtype!(x.0.dtype(), run::<R>(self, x, scale, shift))?,
            shape,
        ))
    }

    fn bwd(
        &self,
        x: &Tensor,
        scale: &Tensor,
        shift: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        fn sum<R: Real>(grad: &Tensor, shift: &Tensor) -> Result<Tensor> {
            let d = shift.elem_count();
            let sum = with_entries::<R, 1, _>([grad], |[grad]| sum_rows(grad, d))?;
            tensor_like(sum, shift)
        }
        let [dx, dscale] = self.gradients(x, scale, grad)?;
        let dshift = by_dtype!(grad.dtype(), sum::<R>(grad, shift))?;
        Ok((Some(dx), Some(dscale), Some(dshift)))
    }
}
