//! The functions of neurons.
//!
//! ```text
//! relu(x) = max(x, 0)        gelu(x) = x Phi(x),  gelu' = Phi(x) + x phi(x)
//! gated: f(gate) value,      silu(x) = x s,  silu' = s (1 + x (1 - s)),  s = 1 / (1 + e^-x)
//! ```

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use weightware_model::general::Activation;

use super::{ROWS, by_dtype, entries, with_entries};
use crate::real::{Real, kernel};

/// The outputs of neurons, `[rows, neurons]`, from `[rows, neurons]` or, for the gated functions,
/// from `[rows, 2 * neurons]`, gates first.
///
/// # Errors
/// If a gated function is given an odd number of columns.
pub fn activation(x: &Tensor, function: Activation) -> Result<Tensor> {
    x.apply_op1(Neurons(function))
}

struct Neurons(Activation);

/// The function of a gate, or of a neuron without gate.
trait Function {
    /// Value and derivative.
    fn of<R: Real>(x: R) -> (R, R);
}

struct Relu;
struct Gelu;
struct Silu;

impl Function for Relu {
    #[inline(always)]
    fn of<R: Real>(x: R) -> (R, R) {
        let is_open = x > R::zero();
        let value = if is_open { x } else { R::zero() };
        (value, if is_open { R::one() } else { R::zero() })
    }
}

impl Function for Gelu {
    #[inline(always)]
    fn of<R: Real>(x: R) -> (R, R) {
        let half = R::of(0.5);
        let phi = half + half * Real::erf(x * R::of(core::f64::consts::FRAC_1_SQRT_2));
        // 1 / sqrt(2 pi).
        let density = R::of(0.398_942_280_401_432_7) * Real::exp(R::zero() - half * x * x);
        (x * phi, phi + x * density)
    }
}

impl Function for Silu {
    #[inline(always)]
    fn of<R: Real>(x: R) -> (R, R) {
        let s = R::one() / (R::one() + Real::exp(R::zero() - x));
        (x * s, s * (R::one() + x * (R::one() - s)))
    }
}

/// Calls a kernel that is compiled for the function.
macro_rules! by_function {
    ($activation:expr, $kernel:ident($($argument:expr),*)) => {
        match $activation {
            Activation::Relu | Activation::GatedRelu => {
                $kernel::<R, Relu>($($argument),*)
            }
            Activation::Gelu => $kernel::<R, Gelu>($($argument),*),
            Activation::SwiGlu => $kernel::<R, Silu>($($argument),*),
        }
    };
}

impl Neurons {
    fn forward<R: Real>(&self, x: &[R], columns: usize) -> Vec<R> {
        let neurons = columns / self.0.rows();
        let mut out = vec![R::zero(); x.len() / self.0.rows()];
        (out.par_chunks_mut(ROWS * neurons))
            .zip(x.par_chunks(ROWS * columns))
            .for_each(|(out, x)| by_function!(self.0, forward(out, x, neurons)));
        out
    }

    fn backward<R: Real>(&self, x: &[R], grad: &[R], columns: usize) -> Vec<R> {
        let neurons = columns / self.0.rows();
        let mut dx = vec![R::zero(); x.len()];
        (dx.par_chunks_mut(ROWS * columns))
            .zip(x.par_chunks(ROWS * columns))
            .zip(grad.par_chunks(ROWS * neurons))
            .for_each(|((dx, x), grad)| by_function!(self.0, backward(dx, x, grad, neurons)));
        dx
    }
}

kernel! {
    fn forward<R: Real, F: Function>(out: &mut [R], x: &[R], neurons: usize) {
        let columns = neurons * x.len() / out.len();
        for (out, x) in out.chunks_exact_mut(neurons).zip(x.chunks_exact(columns)) {
            let (gates, values) = x.split_at(neurons);
            for (out, &gate) in out.iter_mut().zip(gates) {
                *out = F::of(gate).0;
            }
            for (out, &value) in out.iter_mut().zip(values) {
                *out *= value;
            }
        }
    }
}

kernel! {
    fn backward<R: Real, F: Function>(dx: &mut [R], x: &[R], grad: &[R], neurons: usize) {
        let columns = neurons * x.len() / grad.len();
        let rows = x.chunks_exact(columns).zip(grad.chunks_exact(neurons));
        for (dx, (x, grad)) in dx.chunks_exact_mut(columns).zip(rows) {
            let (gates, values) = x.split_at(neurons);
            let (dgates, dvalues) = dx.split_at_mut(neurons);
            for ((dgate, &gate), &grad) in dgates.iter_mut().zip(gates).zip(grad) {
                *dgate = grad * F::of(gate).1;
            }
            for ((dgate, &value), ((dvalue, &gate), &grad)) in
                (dgates.iter_mut().zip(values)).zip(dvalues.iter_mut().zip(gates).zip(grad))
            {
                *dgate *= value;
                *dvalue = grad * F::of(gate).0;
            }
        }
    }
}

impl CustomOp1 for Neurons {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        fn run<R: Real>(it: &Neurons, x: &CpuStorage, layout: &Layout) -> Result<CpuStorage> {
            let (_, columns) = layout.shape().dims2()?;
            Ok(R::to_cpu_storage_owned(
                it.forward::<R>(entries(x, layout)?, columns),
            ))
        }
        let (rows, columns) = layout.shape().dims2()?;
        if columns % self.0.rows() != 0 {
            candle_core::bail!("{columns} columns are not gates and values");
        }
        let out = by_dtype!(x.dtype(), run::<R>(self, x, layout))?;
        Ok((out, Shape::from((rows, columns / self.0.rows()))))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        fn run<R: Real>(it: &Neurons, x: &Tensor, grad: &Tensor) -> Result<Tensor> {
            let (_, columns) = x.dims2()?;
            let dx = with_entries::<R, 2, _>([x, grad], |[x, grad]| it.backward(x, grad, columns))?;
            super::tensor_like(dx, x)
        }
        by_dtype!(x.dtype(), run::<R>(self, x, grad)).map(Some)
    }
}
