//! The `config.json` of a general model, as this crate reads it.

use serde::Deserialize;

use crate::folder::Neurons;
use crate::folder::PositionFeature;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) architecture: String,
    pub(crate) layers: usize,
    pub(crate) d_model: usize,
    pub(crate) heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) d_ffn: Neurons,
    pub(crate) vocab: usize,
    pub(crate) dtype: Dtype,
    pub(crate) norm: Norm,
    #[serde(default = "norm_epsilon")]
    pub(crate) norm_epsilon: f64,
    pub(crate) activation: Activation,
    pub(crate) bias: bool,
    pub(crate) positions: Positions,
    pub(crate) tied_embeddings: bool,
    pub(crate) score_scale: Option<f64>,
    #[serde(default)]
    pub(crate) temperature: bool,
    #[serde(default)]
    pub(crate) head_product: bool,
    #[serde(default, rename = "context")]
    _context: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Dtype {
    Float32,
    Float64,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Norm {
    None,
    Layer,
    Rms,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Activation {
    Relu,
    Gelu,
    GatedRelu,
    #[serde(rename = "swiglu")]
    SwiGlu,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Positions {
    None,
    Learned {
        context: usize,
    },
    Sinusoidal {
        #[serde(default = "base")]
        base: f64,
    },
    Rotary {
        #[serde(default = "base")]
        base: f64,
        #[serde(default)]
        spread: Spread,
    },
    Polynomial {
        features: Vec<PositionFeature>,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Spread {
    #[default]
    Pairs,
    Heads,
}

fn norm_epsilon() -> f64 {
    1e-5
}

fn base() -> f64 {
    10_000.0
}

impl Config {
    /// The factor of the scores.
    pub(crate) fn scale(&self) -> f64 {
        let usual = 1.0 / (self.head_dim as f64).sqrt();
        self.score_scale.unwrap_or(usual)
    }

    /// The reason why this is no model, if there is one.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.architecture != "transformer" {
            return Some(format!("{:?} is not a general model", self.architecture));
        }
        let dimensions = [
            self.layers,
            self.d_model,
            self.heads,
            self.head_dim,
            self.vocab,
        ];
        if dimensions.contains(&0) {
            return Some("a dimension is 0".to_owned());
        }
        if self.head_product && !self.heads.is_multiple_of(2) {
            return Some("head_product needs an even number of heads".to_owned());
        }
        match &self.positions {
            Positions::Polynomial { features } => {
                let beyond = features
                    .iter()
                    .find(|feature| feature.slot >= self.d_model)?;
                Some(format!("there is no slot {}", beyond.slot))
            }
            _ => None,
        }
    }
}
