//! The product of two heads: outputs `(a, b)` of heads `2 h` and `2 h + 1` become `(a, a b)`.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::{by_dtype, entries, with_entries};
use crate::real::Real;

/// Multiplies each second head by its predecessor. `x` is `[.., heads * head_dim]`, `heads` even.
///
/// # Errors
/// If the last dimension does not consist of pairs of heads.
pub fn head_product(x: &Tensor, head_dim: usize) -> Result<Tensor> {
    x.apply_op1(HeadProduct { head_dim })
}

struct HeadProduct {
    head_dim: usize,
}

impl CustomOp1 for HeadProduct {
    fn name(&self) -> &'static str {
        "head-product"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        fn run<R: Real>(x: &CpuStorage, layout: &Layout, dim: usize) -> Result<CpuStorage> {
            let mut out = entries::<R>(x, layout)?.to_vec();
            for pair in out.chunks_exact_mut(2 * dim) {
                let (a, b) = pair.split_at_mut(dim);
                for (b, &a) in b.iter_mut().zip(&*a) {
                    *b *= a;
                }
            }
            Ok(R::to_cpu_storage_owned(out))
        }
        let shape = layout.shape();
        if shape
            .dims()
            .last()
            .is_none_or(|width| width % (2 * self.head_dim) != 0)
        {
            candle_core::bail!("heads do not come in pairs: {shape:?}");
        }
        let out = by_dtype!(x.dtype(), run::<R>(x, layout, self.head_dim))?;
        Ok((out, shape.clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        fn run<R: Real>(x: &Tensor, grad: &Tensor, dim: usize) -> Result<Tensor> {
            let dx = with_entries::<R, 2, _>([x, grad], |[x, grad]| {
                let mut dx = grad.to_vec();
                for (dx, x) in dx.chunks_exact_mut(2 * dim).zip(x.chunks_exact(2 * dim)) {
                    for c in 0..dim {
                        let product = dx[dim + c];
                        dx[c] += product * x[dim + c];
                        dx[dim + c] = product * x[c];
                    }
                }
                dx
            })?;
            super::tensor_like(dx, x)
        }
        by_dtype!(x.dtype(), run::<R>(x, grad, self.head_dim)).map(Some)
    }
}
