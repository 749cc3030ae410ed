//! The general transformer over trainable tensors.
//!
//! ```text
//! x = tok[idx] + positions(t)
//! for each layer:
//!     x = x + out_proj attention(in_proj norm1(x))
//!     x = x + ff_out act(ff_in norm2(x))
//! logits = head norm(x)
//! ```
//!
//! Names and shapes of tensors are those of [`Config::tensors`].

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use weightware_model::general::{Config, Dtype, Positions, TensorShape, Weights};

use crate::error::Result;
use crate::ops::{self, Angles};
use crate::random::{Random, Stream};
use crate::task::Batch;

/// A transformer whose weights are variables of candle's graph.
#[derive(Debug)]
pub struct Transformer {
    config: Config,
    variables: Vec<(TensorShape, Var)>,
    index: HashMap<String, usize>,
    /// For heads whose temperature is not learned.
    ones: Tensor,
}

impl Transformer {
    /// Random weights: embeddings are N(0, 1), the unembedding N(0, 0.02^2), linear maps
    /// N(0, 1/in), and those that write to the residual stream N(0, 1/(in * 2 * layers)), as in
    /// GPT-2. Norms and temperatures begin as 1, biases as 0. Tied embeddings are N(0, 0.02^2).
    ///
    /// # Errors
    /// If memory does not suffice.
    pub fn new(config: Config, seed: u64) -> Result<Self> {
        let layers = config.layers() as f64;
        let mut random = (0..).map(|index| Random::new(seed, Stream::Weights, index));
        let tied = config.tied_embeddings;
        Self::assemble(config, |shape| {
            let mut random = random.next().expect("streams have no end");
            let deviation = match shape.name.as_str() {
                "tok.weight" if !tied => 1.0,
                "tok.weight" | "head.weight" | "positions.weight" => 0.02,
                name if name.ends_with("bias") => 0.0,
                _ if shape.dims.len() == 1 => return Ok(vec![1.0; shape.len()]),
                name => {
                    let writes = name.contains("out_proj") || name.contains("ff_out");
                    let maps = if writes { 2.0 * layers } else { 1.0 };
                    (shape.dims[1] as f64 * maps).sqrt().recip()
                }
            };
            Ok((0..shape.len())
                .map(|_| deviation * random.normal())
                .collect())
        })
    }

    /// The weights of a model.
    ///
    /// # Errors
    /// If memory does not suffice.
    pub fn from_weights(config: Config, weights: &Weights) -> Result<Self> {
        let mut named = weights.named().into_iter();
        Self::assemble(config, |_| {
            let (_, entries) = named.next().expect("both follow one table");
            Ok(entries.to_vec())
        })
    }

    fn assemble(
        config: Config,
        mut entries: impl FnMut(&TensorShape) -> Result<Vec<f64>>,
    ) -> Result<Self> {
        let dtype = match config.dtype {
            Dtype::Float32 => DType::F32,
            Dtype::Float64 => DType::F64,
        };
        let mut variables = Vec::new();
        for shape in config.tensors() {
            let tensor = Tensor::from_vec(entries(&shape)?, shape.dims.clone(), &Device::Cpu)?;
            variables.push((shape, Var::from_tensor(&tensor.to_dtype(dtype)?)?));
        }
        let names = variables.iter().enumerate();
        Ok(Self {
            index: names
                .map(|(i, (shape, _))| (shape.name.clone(), i))
                .collect(),
            ones: Tensor::ones(config.heads, dtype, &Device::Cpu)?,
            variables,
            config,
        })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All weights, in the order of [`Config::tensors`].
    #[must_use]
    pub fn variables(&self) -> &[(TensorShape, Var)] {
        &self.variables
    }

    /// A copy of the weights.
    ///
    /// # Errors
    /// If memory does not suffice.
    pub fn weights(&self) -> Result<Weights> {
        let mut variables = self.variables.iter();
        Weights::assemble(&self.config, |_| {
            let (_, variable) = variables.next().expect("both follow one table");
            Ok(variable.flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
        })
    }

    fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.index
            .get(name)
            .map(|&i| self.variables[i].1.as_tensor())
    }

    fn expect(&self, name: &str) -> &Tensor {
        self.tensor(name)
            .unwrap_or_else(|| panic!("no tensor {name} in the table"))
    }

    /// The logits of a batch's supervised rows, `[rows, vocab]`.
    ///
    /// # Errors
    /// If a token is not in the vocabulary, or memory does not suffice.
    pub fn forward(&self, batch: &Batch) -> Result<Tensor> {
        let Config {
            d_model,
            heads,
            head_dim,
            ..
        } = self.config;
        let (count, length) = (batch.sequences, batch.length);
        let rows = count * length;
        let tokens = Tensor::from_slice(&batch.tokens, rows, &Device::Cpu)?;
        let mut x = self.expect("tok.weight").index_select(&tokens, 0)?;
        if let Some(positions) = self.positions(length)? {
            x = x
                .reshape((count, length, d_model))?
                .broadcast_add(&positions)?;
            x = x.reshape((rows, d_model))?;
        }
        let angles = Angles::new(&self.config, length);
        for i in 0..self.config.layers() {
            let attn = |name: &str| format!("attn.{i}.{name}");
            let h = self.norm(&x, &format!("norm1.{i}"))?;
            let qkv = self.linear(&h, &attn("in_proj_"))?;
            let qkv = qkv.reshape((count, length, 3 * heads * head_dim))?;
            let temperature = self.tensor(&attn("temperature")).unwrap_or(&self.ones);
            let mut y = ops::attention(&qkv, temperature, &self.config, &angles)?;
            if self.config.head_product {
                y = ops::head_product(&y, head_dim)?;
            }
            let y = y.reshape((rows, heads * head_dim))?;
            x = (x + self.linear(&y, &attn("out_proj."))?)?;
            let h = self.norm(&x, &format!("norm2.{i}"))?;
            let h = self.linear(&h, &format!("ff_in.{i}."))?;
            let h = ops::activation(&h, self.config.activation)?;
            x = (x + self.linear(&h, &format!("ff_out.{i}."))?)?;
        }
        if let Some(supervised) = &batch.rows {
            let supervised = Tensor::from_slice(supervised, supervised.len(), &Device::Cpu)?;
            x = x.index_select(&supervised, 0)?;
        }
        let head = self
            .tensor("head.weight")
            .unwrap_or_else(|| self.expect("tok.weight"));
        Ok(ops::linear(&self.norm(&x, "norm")?, head, None)?)
    }

    /// The mean cross-entropy over a batch's supervised rows, in nats.
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn loss(&self, batch: &Batch) -> Result<Tensor> {
        let targets = Arc::new(batch.targets.clone());
        Ok(ops::cross_entropy(&self.forward(batch)?, &targets)?)
    }

    fn norm(&self, x: &Tensor, name: &str) -> Result<Tensor> {
        let Some(kind) = self.config.norm else {
            return Ok(x.clone());
        };
        let scale = self.expect(&format!("{name}.weight"));
        Ok(ops::norm(
            x,
            scale,
            self.tensor(&format!("{name}.bias")),
            kind,
        )?)
    }

    fn linear(&self, x: &Tensor, prefix: &str) -> Result<Tensor> {
        let weight = self.expect(&format!("{prefix}weight"));
        Ok(ops::linear(
            x,
            weight,
            self.tensor(&format!("{prefix}bias")),
        )?)
    }

    /// The addends of embeddings by position, `[length, d_model]`.
    fn positions(&self, length: usize) -> Result<Option<Tensor>> {
        let d = self.config.d_model;
        let mut added = vec![0.0; length * d];
        match &self.config.positions {
            Positions::None | Positions::Rotary(_) => return Ok(None),
            Positions::Learned { .. } => {
                return Ok(Some(self.expect("positions.weight").narrow(0, 0, length)?));
            }
            &Positions::Sinusoidal { base } => {
                for (i, added) in added.iter_mut().enumerate() {
                    let (t, slot) = (i / d, i % d);
                    let exponent = (slot / 2 * 2) as f64 / d as f64;
                    let angle = t as f64 * base.powf(-exponent);
                    *added = if slot % 2 == 0 {
                        libm::sin(angle)
                    } else {
                        libm::cos(angle)
                    };
                }
            }
            Positions::Polynomial(features) => {
                for feature in features {
                    let [c0, c1, c2] = feature.coefficients;
                    for t in 0..length {
                        let x = t as f64;
                        added[t * d + feature.slot] += c0 + x * (c1 + c2 * x);
                    }
                }
            }
        }
        let added = Tensor::from_vec(added, (length, d), &Device::Cpu)?;
        Ok(Some(added.to_dtype(self.ones.dtype())?))
    }
}
