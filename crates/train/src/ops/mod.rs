//! Fused operations with hand-written derivatives.
//!
//! Each is one node of candle's graph where a composition of its own operations would be many, with
//! a pass over memory for each. All work on 32- and 64-bit floats; results do not depend on the
//! number of threads, since the pieces that threads take and the order of all sums are fixed.

mod activation;
mod attention;
mod cross_entropy;
mod linear;
mod norm;
mod product;

pub use activation::activation;
pub use attention::{Angles, attention};
pub use cross_entropy::cross_entropy;
pub use linear::linear;
pub use norm::norm;
pub use product::head_product;

use candle_core::{CpuStorage, DType, Layout, Result, Storage, Tensor, bail};

use crate::real::{Real, kernel};

/// Rows that one thread takes at a time.
const ROWS: usize = 64;

/// The entries of a contiguous operand.
fn entries<'a, R: Real>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [R]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<R>()?[from..to]),
        None => bail!("a fused operation needs contiguous operands"),
    }
}

/// Calls `read` with the entries of contiguous tensors.
fn with_entries<R: Real, const N: usize, T>(
    tensors: [&Tensor; N],
    read: impl FnOnce([&[R]; N]) -> T,
) -> Result<T> {
    let mut contiguous = Vec::with_capacity(N);
    for tensor in tensors {
        contiguous.push(tensor.contiguous()?);
    }
    let locked: Vec<_> = contiguous.iter().map(Tensor::storage_and_layout).collect();
    let mut slices: [&[R]; N] = [&[]; N];
    for ((storage, layout), slice) in locked.iter().zip(&mut slices) {
        *slice = match &**storage {
            Storage::Cpu(storage) => entries(storage, layout)?,
            _ => bail!("a fused operation runs on the CPU"),
        };
    }
    Ok(read(slices))
}

/// A tensor of the shape of `like`.
fn tensor_like<R: Real>(entries: Vec<R>, like: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(entries, like.shape(), like.device())
}

/// Calls a generic method for the format of numbers.
macro_rules! by_dtype {
    ($dtype:expr, $call:ident :: <R> ( $($argument:expr),* )) => {
        match $dtype {
            candle_core::DType::F32 => $call::<f32>($($argument),*),
            candle_core::DType::F64 => $call::<f64>($($argument),*),
            other => $crate::ops::unsupported(other),
        }
    };
}
use by_dtype;

fn unsupported<T>(dtype: DType) -> Result<T> {
    bail!("a fused operation needs 32- or 64-bit floats, not {dtype:?}")
}

kernel! {
    /// Adds up rows of `width` entries, first to last.
    fn sum_rows<R: Real>(rows: &[R], width: usize) -> Vec<R> {
        let mut sum = vec![R::zero(); width];
        for row in rows.chunks_exact(width) {
            for (sum, &entry) in sum.iter_mut().zip(row) {
                *sum += entry;
            }
        }
        sum
    }
}
