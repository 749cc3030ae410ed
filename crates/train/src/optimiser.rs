//! AdamW (Loshchilov and Hutter), with warm-up, cosine decay and clipping by the global norm.
//!
//! ```text
//! g = gradient * min(1, clip / |all gradients|)
//! m = beta1 m + (1 - beta1) g                    v = beta2 v + (1 - beta2) g^2
//! w = w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) - rate decay w
//! rate(s) = peak (s + 1) / warmup                                  for s < warmup
//!         = peak (floor + (1 - floor) (1 + cos(pi u)) / 2)
//!                                                 with u = (s - warmup) / (steps - warmup)
//! ```
//! `t` counts steps from 1. Weight decay is for matrices of linear maps only: not for embeddings,
//! norms, biases and temperatures.

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};

use crate::error::Result;
use crate::real::kernel;
use crate::settings::Training;
use crate::transformer::Transformer;

/// The moments of all weights, in 64-bit floats, in the order of the transformer's tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Averages of gradients.
    pub first: Vec<Vec<f64>>,
    /// Averages of squared gradients.
    pub second: Vec<Vec<f64>>,
}

impl Moments {
    /// All zero.
    #[must_use]
    pub fn new(of: &Transformer) -> Self {
        let zeros = || {
            of.variables()
                .iter()
                .map(|(shape, _)| vec![0.0; shape.len()])
                .collect()
        };
        Self {
            first: zeros(),
            second: zeros(),
        }
    }
}

/// The learning rate of a step, counted from 0.
#[must_use]
pub fn learning_rate(training: &Training, step: usize) -> f64 {
    let (peak, warmup) = (training.learning_rate, training.warmup);
    if step < warmup {
        return peak * (step + 1) as f64 / warmup as f64;
    }
    let rest = training.steps.saturating_sub(warmup).max(1);
    let done = (step - warmup) as f64 / rest as f64;
    let cosine = (1.0 + libm::cos(core::f64::consts::PI * done.min(1.0))) / 2.0;
    peak * (training.floor + (1.0 - training.floor) * cosine)
}

/// Changes all weights by one step of AdamW; returns the norm of the gradients before clipping.
///
/// # Errors
/// If memory does not suffice.
pub fn step(
    model: &Transformer,
    moments: &mut Moments,
    gradients: &GradStore,
    training: &Training,
    step: usize,
) -> Result<f64> {
    let mut all = Vec::with_capacity(model.variables().len());
    let mut square = 0.0;
    for (_, variable) in model.variables() {
        let gradient = match gradients.get(variable.as_tensor()) {
            Some(gradient) => entries(gradient)?,
            None => vec![0.0; variable.elem_count()],
        };
        square += sum_of_squares(&gradient);
        all.push(gradient);
    }
    let norm = square.sqrt();
    let clip = if norm > training.clip {
        training.clip / norm
    } else {
        1.0
    };
    let update = Update {
        clip,
        beta1: training.beta1,
        beta2: training.beta2,
        epsilon: training.epsilon,
        rate: learning_rate(training, step),
        unbias1: (1.0 - training.beta1.powi(step as i32 + 1)).recip(),
        unbias2: (1.0 - training.beta2.powi(step as i32 + 1)).recip(),
    };
    for (i, (shape, variable)) in model.variables().iter().enumerate() {
        let is_map = shape.dims.len() == 2 && !EMBEDDINGS.contains(&shape.name.as_str());
        let decay = if is_map { training.weight_decay } else { 0.0 };
        let mut weights = entries(variable.as_tensor())?;
        let (first, second) = (&mut moments.first[i], &mut moments.second[i]);
        apply(&update, &mut weights, first, second, &all[i], decay);
        let weights = Tensor::from_vec(weights, variable.shape(), &Device::Cpu)?;
        variable.set(&weights.to_dtype(variable.dtype())?)?;
    }
    Ok(norm)
}

const EMBEDDINGS: [&str; 3] = ["tok.weight", "head.weight", "positions.weight"];

fn entries(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
}

struct Update {
    clip: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    rate: f64,
    unbias1: f64,
    unbias2: f64,
}

kernel! {
    fn sum_of_squares<>(gradient: &[f64]) -> f64 {
        let mut lanes = [0.0; 8];
        for block in gradient.chunks(8) {
            for (lane, &g) in lanes.iter_mut().zip(block) {
                *lane += g * g;
            }
        }
        lanes.iter().sum()
    }
}

kernel! {
    fn apply<>(
        update: &Update,
        weights: &mut [f64],
        first: &mut [f64],
        second: &mut [f64],
        gradient: &[f64],
        decay: f64,
    ) {
        let Update { beta1, beta2, .. } = *update;
        let moments = first.iter_mut().zip(second);
        for ((w, (m, v)), &g) in weights.iter_mut().zip(moments).zip(gradient) {
            let g = g * update.clip;
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            let change = *m * update.unbias1 / ((*v * update.unbias2).sqrt() + update.epsilon);
            *w -= update.rate * (change + decay * *w);
        }
    }
}
