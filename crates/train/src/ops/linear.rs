//! Linear maps: `y = W x + b`.
//!
//! ```text
//! dx = dy W        dW = dy^T x        db = sum of the rows of dy
//! ```

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::{by_dtype, entries, sum_rows, with_entries};
use crate::real::{Real, kernel};

/// The map of `x`, `[rows, in]`, by `weight`, `[out, in]`, and `bias`, `[out]`: `[rows, out]`.
///
/// # Errors
/// If shapes or formats do not match.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    match bias {
        None => x.apply_op2(weight, Linear),
        Some(bias) => x.apply_op3(weight, bias, Linear),
    }
}

struct Linear;

/// `x W^T`.
fn product(
    (x, x_layout): (&CpuStorage, &Layout),
    (weight, weight_layout): (&CpuStorage, &Layout),
) -> Result<(CpuStorage, Shape)> {
    let (rows, inner) = x_layout.shape().dims2()?;
    let (out, columns) = weight_layout.shape().dims2()?;
    if inner != columns {
        candle_core::bail!("a linear map of {columns} inputs is given {inner}");
    }
    let transposed = weight_layout.transpose(0, 1)?;
    let y = x.matmul(weight, (1, rows, out, inner), x_layout, &transposed)?;
    Ok((y, Shape::from((rows, out))))
}

kernel! {
    /// Adds `bias` to each row of `y`.
    fn add_rows<R: Real>(y: &mut [R], bias: &[R]) {
        for row in y.chunks_exact_mut(bias.len()) {
            for (y, &bias) in row.iter_mut().zip(bias) {
                *y += bias;
            }
        }
    }
}

fn gradients(x: &Tensor, weight: &Tensor, grad: &Tensor) -> Result<(Tensor, Tensor)> {
    Ok((grad.matmul(weight)?, grad.t()?.matmul(x)?))
}

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        product((x, x_layout), (weight, weight_layout))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (dx, dweight) = gradients(x, weight, grad)?;
        Ok((Some(dx), Some(dweight)))
    }
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        fn add<R: Real>(y: CpuStorage, bias: &CpuStorage, layout: &Layout) -> Result<CpuStorage> {
            let bias = entries::<R>(bias, layout)?;
            let mut y = R::cpu_storage_data(y)?;
            add_rows(&mut y, bias);
            Ok(R::to_cpu_storage_owned(y))
        }
        let (y, shape) = product((x, x_layout), (weight, weight_layout))?;
        let y = by_dtype!(y.dtype(), add::<R>(y, bias, bias_layout))?;
        Ok((y, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        fn sum<R: Real>(grad: &Tensor, bias: &Tensor) -> Result<Tensor> {
            let width = bias.elem_count();
            let sum = with_entries::<R, 1, _>([grad], |[grad]| sum_rows(grad, width))?;
            super::tensor_like(sum, bias)
        }
        let (dx, dweight) = gradients(x, weight, grad)?;
        let dbias = by_dtype!(grad.dtype(), sum::<R>(grad, bias))?;
        Ok((Some(dx), Some(dweight), Some(dbias)))
    }
}
