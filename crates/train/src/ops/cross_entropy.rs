//! The mean cross-entropy of logits.
//!
//! ```text
//! L = mean over rows of (ln sum_v e^(x_v) - x_target)        dL/dx = (softmax x - onehot) / rows
//! ```

use std::sync::Arc;

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{ROWS, by_dtype, entries, with_entries};
use crate::real::{Real, kernel};

/// The mean cross-entropy of `logits`, `[rows, vocab]`, with a target for each row, in nats.
///
/// # Errors
/// If a target is not below `vocab`, or there is not one for each row.
pub fn cross_entropy(logits: &Tensor, targets: &Arc<Vec<u32>>) -> Result<Tensor> {
    let (rows, vocab) = logits.dims2()?;
    if targets.len() != rows || targets.iter().any(|&target| target as usize >= vocab) {
        candle_core::bail!(
            "{} targets for {rows} rows of {vocab} logits",
            targets.len()
        );
    }
    logits.apply_op1(CrossEntropy(Arc::clone(targets)))
}

struct CrossEntropy(Arc<Vec<u32>>);

/// The greatest logit, and the sum of the others' exponentials relative to it.
#[inline(always)]
fn normaliser<R: Real>(row: &[R]) -> (R, R) {
    let mut greatest = row[0];
    for &x in row {
        greatest = Real::max(greatest, x);
    }
    // In lanes, since the order of a plain sum forbids vectors.
    let mut lanes = [R::zero(); 8];
    for block in row.chunks(8) {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane += Real::exp(x - greatest);
        }
    }
    let mut sum = R::zero();
    for lane in lanes {
        sum += lane;
    }
    (greatest, sum)
}

impl CrossEntropy {
    fn forward<R: Real>(&self, logits: &[R], vocab: usize) -> R {
        let mut losses = vec![0.0_f64; self.0.len()];
        (losses.par_chunks_mut(ROWS))
            .zip(logits.par_chunks(ROWS * vocab).zip(self.0.par_chunks(ROWS)))
            .for_each(|(losses, (logits, targets))| {
                forward(losses, logits, targets, vocab);
            });
        R::of(losses.iter().sum::<f64>() / losses.len() as f64)
    }

    fn backward<R: Real>(&self, logits: &[R], vocab: usize, grad: R) -> Vec<R> {
        let grad = grad / R::of(self.0.len() as f64);
        let mut dx = vec![R::zero(); logits.len()];
        (dx.par_chunks_mut(ROWS * vocab))
            .zip(logits.par_chunks(ROWS * vocab).zip(self.0.par_chunks(ROWS)))
            .for_each(|(dx, (logits, targets))| {
                backward(dx, logits, targets, vocab, grad);
            });
        dx
    }
}

kernel! {
    fn forward<R: Real>(losses: &mut [f64], logits: &[R], targets: &[u32], vocab: usize) {
        let rows = logits.chunks_exact(vocab).zip(targets);
        for (loss, (row, &target)) in losses.iter_mut().zip(rows) {
            let (greatest, sum) = normaliser(row);
            *loss = libm::log(sum.wide()) + (greatest - row[target as usize]).wide();
        }
    }
}

kernel! {
    fn backward<R: Real>(dx: &mut [R], logits: &[R], targets: &[u32], vocab: usize, grad: R) {
        let rows = logits.chunks_exact(vocab).zip(targets);
        for (dx, (row, &target)) in dx.chunks_exact_mut(vocab).zip(rows) {
            let (greatest, sum) = normaliser(row);
            let factor = grad / sum;
            for (dx, &x) in dx.iter_mut().zip(row) {
                *dx = Real::exp(x - greatest) * factor;
            }
            dx[target as usize] -= grad;
        }
    }
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        fn run<R: Real>(it: &CrossEntropy, x: &CpuStorage, layout: &Layout) -> Result<CpuStorage> {
            let (_, vocab) = layout.shape().dims2()?;
            Ok(R::to_cpu_storage_owned(vec![
                it.forward::<R>(entries(x, layout)?, vocab),
            ]))
        }
        Ok((
            by_dtype!(x.dtype(), run::<R>(self, x, layout))?,
            Shape::from(()),
        ))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        fn run<R: Real>(it: &CrossEntropy, x: &Tensor, grad: &Tensor) -> Result<Tensor> {
            let (_, vocab) = x.dims2()?;
            let dx =
                with_entries::<R, 2, _>([x, grad], |[x, grad]| it.backward(x, vocab, grad[0]))?;
            super::tensor_like(dx, x)
        }
        by_dtype!(x.dtype(), run::<R>(self, x, grad)).map(Some)
    }
}
