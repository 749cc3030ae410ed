//! The forward pass of a general model as plain tensor operations.

use candle_core::{Device, Result, Tensor};

use super::config::{Activation, Config, Norm};
use super::positions::{self, Rotation};
use super::tensors::{Layer, Map, NormWeights, Tensors};
use crate::attention;

/// The logits at every position, `[T, vocab]`.
pub(crate) fn forward(config: &Config, tensors: &Tensors, tokens: &[u32]) -> Result<Tensor> {
    let length = tokens.len();
    let ids = Tensor::new(tokens, &Device::Cpu)?;
    let mut x = tensors.tok.index_select(&ids, 0)?;
    if let Some(vectors) = positions::vectors(config, tensors, length)? {
        x = (x + vectors)?;
    }
    let rotations = positions::rotations(config, length, x.dtype())?;
    for layer in &tensors.layers {
        let normed = normalise(config, layer.norm1.as_ref(), &x)?;
        x = (&x + attend(config, layer, &rotations, &normed)?)?;
        let normed = normalise(config, layer.norm2.as_ref(), &x)?;
        let hidden = activate(config.activation, &layer.ff_in.apply(&normed)?)?;
        x = (&x + layer.ff_out.apply(&hidden)?)?;
    }
    let head = tensors.head.as_ref().unwrap_or(&tensors.tok);
    normalise(config, tensors.norm.as_ref(), &x)?.matmul(&head.t()?)
}

/// All heads of a layer: `[T, d_model]`.
fn attend(config: &Config, layer: &Layer, rotations: &[Rotation], x: &Tensor) -> Result<Tensor> {
    let mut heads = attention::split(&layer.in_proj.apply(x)?, config.heads)?;
    for (number, head) in heads.iter_mut().enumerate() {
        if let Some(rotation) = rotations.get(number) {
            head.q = rotation.turn(&head.q)?;
            head.k = rotation.turn(&head.k)?;
        }
        head.q = (&head.q * config.scale())?;
        if let Some(factors) = &layer.temperature {
            head.q = head.q.broadcast_mul(&factors.narrow(0, number, 1)?)?;
        }
    }
    let mut y = attention::softmax(&heads)?;
    if config.head_product {
        let outputs = y.chunk(config.heads, 1)?;
        let mut products = Vec::new();
        for pair in outputs.chunks(2) {
            products.push(pair[0].clone());
            products.push((&pair[0] * &pair[1])?);
        }
        y = Tensor::cat(&products, 1)?;
    }
    layer.out_proj.apply(&y)
}

/// Each row over its root mean square, for layer norms after its mean is taken away.
fn normalise(config: &Config, weights: Option<&NormWeights>, x: &Tensor) -> Result<Tensor> {
    let Some(NormWeights { scale, shift }) = weights else {
        return Ok(x.clone());
    };
    let x = match config.norm {
        Norm::Layer => x.broadcast_sub(&x.mean_keepdim(1)?)?,
        Norm::Rms | Norm::None => x.clone(),
    };
    let root = (x.sqr()?.mean_keepdim(1)? + config.norm_epsilon)?.sqrt()?;
    let scaled = x.broadcast_div(&root)?.broadcast_mul(scale)?;
    match shift {
        Some(shift) => scaled.broadcast_add(shift),
        None => Ok(scaled),
    }
}

fn activate(activation: Activation, hidden: &Tensor) -> Result<Tensor> {
    let gated = |open: fn(&Tensor) -> Result<Tensor>| {
        let halves = hidden.chunk(2, 1)?;
        open(&halves[0])? * &halves[1]
    };
    match activation {
        Activation::Relu => hidden.relu(),
        Activation::Gelu => hidden.gelu_erf(),
        Activation::GatedRelu => gated(Tensor::relu),
        Activation::SwiGlu => gated(Tensor::silu),
    }
}

impl Map {
    /// `x W^T + b`, the function of `nn.Linear`.
    fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let y = x.matmul(&self.weight.t()?)?;
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}
