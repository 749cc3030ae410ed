//! General models as plain tensor operations.

mod config;
mod tensors;

use std::path::Path;

use candle_core::{D, DType, Device, Result as Computed, Tensor};

use crate::attention::{self, Head};
use crate::error::{Error, Kind};
use crate::folder::{GenerationConfig, read_json};
use crate::forward::{Prediction, decide};
use config::{Activation, Config, Norm, Positions, Spread};
use tensors::{Layer, Map, NormWeights, Tensors};

/// An exported general model, run as plain softmax attention in its own arithmetic or in f64.
#[derive(Debug)]
pub struct GeneralForward {
    config: Config,
    tensors: Tensors,
    end_tokens: Vec<u32>,
    dtype: DType,
}

impl GeneralForward {
    /// Reads `config.json`, `generation_config.json` and `model.safetensors` in `dir`.
    ///
    /// # Errors
    /// If a file cannot be read, a key is unknown, or a tensor is missing, superfluous or of
    /// another shape or format than the configuration says.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("config.json");
        let config: Config = read_json(&path)?;
        if let Some(reason) = config.fault() {
            return Err(Kind::Folder { path, reason }.into());
        }
        let generation: GenerationConfig = read_json(&dir.join("generation_config.json"))?;
        let tensors = Tensors::read(&dir.join("model.safetensors"), &config)?;
        Ok(Self {
            dtype: tensors.tok.dtype(),
            tensors,
            config,
            end_tokens: generation.eos_token_id,
        })
    }

    /// The model with all its numbers in 64 bits, to see what rounding does.
    ///
    /// # Errors
    /// If the tensor library refuses.
    pub fn in_f64(mut self) -> Result<Self, Error> {
        self.tensors = self.tensors.cast(DType::F64).map_err(Kind::Compute)?;
        self.dtype = DType::F64;
        Ok(self)
    }

    /// The tokens after which decoding ends.
    #[must_use]
    pub fn end_tokens(&self) -> &[u32] {
        &self.end_tokens
    }

    /// Runs one teacher-forced pass: entry `p` has the logits after `tokens[..=p]`.
    ///
    /// # Errors
    /// If a token is outside the vocabulary, or the sequence longer than learned positions.
    pub fn logits(&self, tokens: &[u32]) -> Result<Vec<Vec<f64>>, Error> {
        let vocab = self.config.vocab;
        if let Some(position) = tokens.iter().position(|&token| token as usize >= vocab) {
            let token = tokens[position];
            return Err(Kind::Token {
                position,
                token,
                vocab,
            }
            .into());
        }
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.forward(tokens);
        let rows = rows.and_then(|logits| logits.to_dtype(DType::F64)?.to_vec2());
        Ok(rows.map_err(Kind::Compute)?)
    }

    /// Runs one teacher-forced pass: entry `p` is the prediction after `tokens[..=p]`.
    ///
    /// # Errors
    /// See [`logits`](Self::logits); or if a logit is not finite.
    pub fn predict_all(&self, tokens: &[u32]) -> Result<Vec<Prediction>, Error> {
        let logits = self.logits(tokens)?;
        let rows = logits.iter().enumerate();
        rows.map(|(position, row)| decide(row).ok_or(Kind::NotFinite { position }.into()))
            .collect()
    }

    fn forward(&self, tokens: &[u32]) -> Computed<Tensor> {
        let Self {
            config, tensors, ..
        } = self;
        let ids = Tensor::new(tokens, &Device::Cpu)?;
        let mut x = tensors.tok.index_select(&ids, 0)?;
        if let Some(vectors) = self.position_vectors(tokens.len())? {
            x = (x + vectors)?;
        }
        for layer in &tensors.layers {
            x = (&x + self.attention(layer, &x)?)?;
            let hidden = layer
                .ff_in
                .apply(&self.normalise(layer.norm2.as_ref(), &x)?)?;
            x = (&x + layer.ff_out.apply(&activate(config.activation, &hidden)?)?)?;
        }
        let head = tensors.head.as_ref().unwrap_or(&tensors.tok);
        self.normalise(tensors.norm.as_ref(), &x)?
            .matmul(&head.t()?)
    }

    fn attention(&self, layer: &Layer, x: &Tensor) -> Computed<Tensor> {
        let config = &self.config;
        let qkv = layer
            .in_proj
            .apply(&self.normalise(layer.norm1.as_ref(), x)?)?;
        let mut heads = attention::split(&qkv, config.heads)?;
        for (number, head) in heads.iter_mut().enumerate() {
            self.turn(number, head)?;
            head.q = (&head.q * config.scale())?;
            if let Some(factors) = &layer.temperature {
                head.q = head.q.broadcast_mul(&factors.narrow(0, number, 1)?)?;
            }
        }
        let mut y = attention::softmax(&heads)?;
        if config.head_product {
            let outputs = y.chunk(config.heads, D::Minus1)?;
            let mut products = Vec::new();
            for pair in outputs.chunks(2) {
                products.push(pair[0].clone());
                products.push((&pair[0] * &pair[1])?);
            }
            y = Tensor::cat(&products, 1)?;
        }
        layer.out_proj.apply(&y)
    }

    /// Turns a head's queries and keys by rotary positions.
    fn turn(&self, number: usize, head: &mut Head) -> Computed<()> {
        let Positions::Rotary { base, spread } = self.config.positions else {
            return Ok(());
        };
        let pairs = self.config.head_dim / 2;
        let tokens = head.q.dim(0)?;
        for of in [&mut head.q, &mut head.k] {
            let mut columns = of.chunk(self.config.head_dim, 1)?;
            for pair in 0..pairs {
                let exponent = match spread {
                    Spread::Pairs => pair as f64 / pairs as f64,
                    Spread::Heads => {
                        let all = (self.config.heads * pairs) as f64;
                        (number * pairs + pair) as f64 / all
                    }
                };
                let angle = |t: usize| t as f64 * base.powf(-exponent);
                let column = |wave: fn(f64) -> f64| {
                    let waves = (0..tokens).map(|t| wave(angle(t))).collect();
                    Tensor::from_vec(waves, (tokens, 1), &Device::Cpu)?.to_dtype(self.dtype)
                };
                let (sin, cos) = (column(f64::sin)?, column(f64::cos)?);
                let (a, b) = (columns[2 * pair].clone(), columns[2 * pair + 1].clone());
                columns[2 * pair] = ((&a * &cos)? - (&b * &sin)?)?;
                columns[2 * pair + 1] = ((&a * &sin)? + (&b * &cos)?)?;
            }
            *of = Tensor::cat(&columns, 1)?;
        }
        Ok(())
    }

    /// The vectors that positions add to embeddings, `[T, d_model]`.
    fn position_vectors(&self, tokens: usize) -> Computed<Option<Tensor>> {
        let d = self.config.d_model;
        let of: Box<dyn Fn(usize, usize) -> f64> = match &self.config.positions {
            Positions::None | Positions::Rotary { .. } => return Ok(None),
            Positions::Learned { .. } => {
                let rows = self.tensors.positions.as_ref();
                return rows.map(|rows| rows.narrow(0, 0, tokens)).transpose();
            }
            &Positions::Sinusoidal { base } => Box::new(move |t, slot| {
                let angle = t as f64 * base.powf(-((slot / 2 * 2) as f64) / d as f64);
                if slot % 2 == 0 {
                    angle.sin()
                } else {
                    angle.cos()
                }
            }),
            Positions::Polynomial { features } => Box::new(move |t, slot| {
                let t = t as f64;
                let mut of_slot = features.iter().filter(|feature| feature.slot == slot);
                of_slot.next().map_or(0.0, |feature| {
                    let [constant, linear, quadratic] = feature.coefficients;
                    constant + t * (linear + quadratic * t)
                })
            }),
        };
        let entries = (0..tokens * d).map(|i| of(i / d, i % d)).collect();
        let vectors = Tensor::from_vec(entries, (tokens, d), &Device::Cpu)?;
        vectors.to_dtype(self.dtype).map(Some)
    }

    fn normalise(&self, weights: Option<&NormWeights>, x: &Tensor) -> Computed<Tensor> {
        let Some(NormWeights { scale, shift }) = weights else {
            return Ok(x.clone());
        };
        let x = match self.config.norm {
            Norm::Layer => x.broadcast_sub(&x.mean_keepdim(1)?)?,
            Norm::Rms | Norm::None => x.clone(),
        };
        let root = (x.sqr()?.mean_keepdim(1)? + self.config.norm_epsilon)?.sqrt()?;
        let scaled = x.broadcast_div(&root)?.broadcast_mul(scale)?;
        match shift {
            Some(shift) => scaled.broadcast_add(shift),
            None => Ok(scaled),
        }
    }
}

impl Map {
    fn apply(&self, x: &Tensor) -> Computed<Tensor> {
        let y = x.matmul(&self.weight.t()?)?;
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}

fn activate(activation: Activation, hidden: &Tensor) -> Computed<Tensor> {
    let gated = |open: fn(&Tensor) -> Computed<Tensor>| {
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
