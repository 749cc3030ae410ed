//! Causal softmax attention of all heads, with rotary positions, as one operation.
//!
//! ```text
//! q, k, v = thirds of qkv                    [T, heads, D] each; q and k turned by position
//! r_ij = scale q_i . k_j                     s_ij = temperature_h r_ij,  j <= i
//! p_i = softmax(s_i)                         y_i = sum_j p_ij v_j
//! backward, with g = dL/dy:
//! ds_ij = p_ij (g_i . v_j - g_i . y_i)
//! dq_i = scale temperature sum_j ds_ij k_j   dk_j = scale temperature sum_i ds_ij q_i
//! dv_j = sum_i p_ij g_i                      dtemperature = sum_ij ds_ij r_ij
//! ```
//!
//! Scores are recomputed in the backward pass, so that memory is O(T) beside the operands, as in
//! FlashAttention (Dao et al.). Time is O(T^2 (D + 1)) for each head. Two algorithms differ in what
//! vectors run over: [`Rows`] over keys, for any head dimension; [`Heads`] over heads, for many
//! small ones, so that nothing is padded and no sum runs across a vector.

mod algorithm;
mod heads;
mod rows;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use weightware_model::general::Config;

pub use self::algorithm::Angles;
use self::algorithm::{Algorithm, Attention};
use self::heads::Heads;
use self::rows::Rows;
use super::{by_dtype, entries, with_entries};
use crate::real::{Real, kernel};

/// Attention of packed queries, keys and values.
///
/// `qkv` is `[batch, T, 3 * heads * head_dim]`, `temperature` `[heads]`; the result is
/// `[batch, T, heads * head_dim]`. `angles` cover at least `T` positions.
///
/// # Errors
/// If shapes or formats do not match.
pub fn attention(
    qkv: &Tensor,
    temperature: &Tensor,
    config: &Config,
    angles: &Angles,
) -> Result<Tensor> {
    let operation = Attention {
        heads: config.heads,
        dim: config.head_dim,
        scale: config.score_scale,
        angles: angles.clone(),
    };
    qkv.contiguous()?.apply_op2(temperature, operation)
}

/// Calls a method with the algorithm for the shape of heads.
macro_rules! by_shape {
    ($it:expr, $method:ident::<R>($($argument:expr),*)) => {
        match ($it.dim, $it.heads) {
            (2, 16..) => $it.$method::<Heads<R, 2, 16>>($($argument),*),
            (3, 16..) => $it.$method::<Heads<R, 3, 16>>($($argument),*),
            (4, 16..) => $it.$method::<Heads<R, 4, 16>>($($argument),*),
            (8, 16..) => $it.$method::<Heads<R, 8, 16>>($($argument),*),
            (2, 8..) => $it.$method::<Heads<R, 2, 8>>($($argument),*),
            (3, 8..) => $it.$method::<Heads<R, 3, 8>>($($argument),*),
            (4, 8..) => $it.$method::<Heads<R, 4, 8>>($($argument),*),
            (8, 8..) => $it.$method::<Heads<R, 8, 8>>($($argument),*),
            _ => $it.$method::<Rows<R>>($($argument),*),
        }
    };
}

impl CustomOp2 for Attention {
    fn name(&self) -> &'static str {
        "causal-attention"
    }

    fn cpu_fwd(
        &self,
        qkv: &CpuStorage,
        qkv_layout: &Layout,
        temperature: &CpuStorage,
        temperature_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        fn run<R: Real>(
            it: &Attention,
            qkv: (&CpuStorage, &Layout),
            temperature: (&CpuStorage, &Layout),
            length: usize,
        ) -> Result<CpuStorage> {
            let qkv = entries(qkv.0, qkv.1)?;
            let temperature = entries(temperature.0, temperature.1)?;
            let out = by_shape!(it, forward::<R>(qkv, temperature, length));
            Ok(R::to_cpu_storage_owned(out))
        }
        let (batch, length, _) = qkv_layout.shape().dims3()?;
        let dtype = candle_core::backend::BackendStorage::dtype(qkv);
        let (qkv, temperature) = ((qkv, qkv_layout), (temperature, temperature_layout));
        let out = by_dtype!(dtype, run::<R>(self, qkv, temperature, length))?;
        Ok((out, Shape::from((batch, length, self.heads * self.dim))))
    }

    fn bwd(
        &self,
        qkv: &Tensor,
        temperature: &Tensor,
        out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        fn run<R: Real>(it: &Attention, tensors: [&Tensor; 4]) -> Result<[Tensor; 2]> {
            let length = tensors[0].dim(1)?;
            let (dqkv, dtemperature) = with_entries::<R, 4, _>(tensors, |operands| {
                by_shape!(it, backward::<R>(operands, length))
            })?;
            let dqkv = super::tensor_like(dqkv, tensors[0])?;
            Ok([dqkv, super::tensor_like(dtemperature, tensors[1])?])
        }
        let [dqkv, dtemperature] =
            by_dtype!(qkv.dtype(), run::<R>(self, [qkv, temperature, out, grad]))?;
        Ok((Some(dqkv), Some(dtemperature)))
    }
}

kernel! {
    fn run_forward<A: Algorithm>(
        algorithm: &mut A,
        of: &Attention,
        qkv: &[A::Number],
        temperature: &[A::Number],
        out: &mut [A::Number],
    ) {
        algorithm.forward(of, qkv, temperature, out);
    }
}

kernel! {
    fn run_backward<A: Algorithm>(
        algorithm: &mut A,
        of: &Attention,
        operands: [&[A::Number]; 4],
        dqkv: &mut [A::Number],
        dtemperature: &mut [A::Number],
    ) {
        algorithm.backward(of, operands, dqkv, dtemperature);
    }
}

impl Attention {
    fn forward<A: Algorithm>(
        &self,
        qkv: &[A::Number],
        temperature: &[A::Number],
        length: usize,
    ) -> Vec<A::Number> {
        let width = self.heads * self.dim;
        let mut out = vec![A::Number::of(0.0); qkv.len() / 3];
        out.par_chunks_mut(length * width)
            .zip(qkv.par_chunks(length * 3 * width))
            .for_each_init(
                || A::new(self, length),
                |algorithm, (out, qkv)| run_forward(algorithm, self, qkv, temperature, out),
            );
        out
    }

    fn backward<A: Algorithm>(
        &self,
        [qkv, temperature, out, grad]: [&[A::Number]; 4],
        length: usize,
    ) -> (Vec<A::Number>, Vec<A::Number>) {
        let width = self.heads * self.dim;
        let (of_out, of_qkv) = (length * width, length * 3 * width);
        let mut dqkv = vec![A::Number::of(0.0); qkv.len()];
        // One row for each sequence, summed in order.
        let mut dtemperature = vec![A::Number::of(0.0); qkv.len() / of_qkv * self.heads];
        let operands = (qkv.par_chunks(of_qkv))
            .zip(out.par_chunks(of_out))
            .zip(grad.par_chunks(of_out));
        (dqkv.par_chunks_mut(of_qkv))
            .zip(dtemperature.par_chunks_mut(self.heads))
            .zip(operands)
            .for_each_init(
                || A::new(self, length),
                |algorithm, ((dqkv, dtemperature), ((qkv, out), grad))| {
                    let operands = [qkv, temperature, out, grad];
                    run_backward(algorithm, self, operands, dqkv, dtemperature);
                },
            );
        (dqkv, super::sum_rows(&dtemperature, self.heads))
    }
}
