//! The format of a general model's `config.json`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Activation, Config, Dtype, Norm, Positions, Rotary, Spread};
use crate::files::{FeatureEntry, Neurons};
use crate::{Error, PositionFeature};

pub(crate) const ARCHITECTURE: &str = "transformer";

const NORM_EPSILON: f64 = 1e-5;
const BASE: f64 = 10_000.0;

/// Unknown keys are refused: they may stand for what this network does not compute.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    architecture: String,
    layers: usize,
    d_model: usize,
    heads: usize,
    head_dim: usize,
    d_ffn: Neurons,
    vocab: usize,
    dtype: Dtype,
    norm: NormName,
    #[serde(default = "norm_epsilon")]
    norm_epsilon: f64,
    activation: Activation,
    bias: bool,
    positions: PositionsEntry,
    tied_embeddings: bool,
    #[serde(default)]
    score_scale: Option<f64>,
    #[serde(default)]
    temperature: bool,
    #[serde(default)]
    head_product: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<usize>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NormName {
    None,
    Layer,
    Rms,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum PositionsEntry {
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
        features: Vec<FeatureEntry>,
    },
}

fn norm_epsilon() -> f64 {
    NORM_EPSILON
}

fn base() -> f64 {
    BASE
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ConfigFile::new(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = ConfigFile::deserialize(deserializer)?;
        file.into_config().map_err(D::Error::custom)
    }
}

impl ConfigFile {
    pub(super) fn new(config: &Config) -> Self {
        let (norm, norm_epsilon) = match config.norm {
            None => (NormName::None, NORM_EPSILON),
            Some(Norm::Layer { epsilon }) => (NormName::Layer, epsilon),
            Some(Norm::Rms { epsilon }) => (NormName::Rms, epsilon),
        };
        let feature = |&PositionFeature { slot, coefficients }| FeatureEntry { slot, coefficients };
        Self {
            architecture: ARCHITECTURE.to_owned(),
            layers: config.layers(),
            d_model: config.d_model,
            heads: config.heads,
            head_dim: config.head_dim,
            d_ffn: Neurons::new(config.neurons.clone()),
            vocab: config.vocab,
            dtype: config.dtype,
            norm,
            norm_epsilon,
            activation: config.activation,
            bias: config.bias,
            positions: match &config.positions {
                Positions::None => PositionsEntry::None,
                &Positions::Learned { context } => PositionsEntry::Learned { context },
                &Positions::Sinusoidal { base } => PositionsEntry::Sinusoidal { base },
                &Positions::Rotary(Rotary { base, spread }) => {
                    PositionsEntry::Rotary { base, spread }
                }
                Positions::Polynomial(features) => PositionsEntry::Polynomial {
                    features: features.iter().map(feature).collect(),
                },
            },
            tied_embeddings: config.tied_embeddings,
            score_scale: Some(config.score_scale),
            temperature: config.temperature,
            head_product: config.head_product,
            context: config.context,
        }
    }

    pub(super) fn into_config(self) -> Result<Config, Error> {
        let epsilon = self.norm_epsilon;
        let feature = |FeatureEntry { slot, coefficients }| PositionFeature { slot, coefficients };
        let config = Config {
            d_model: self.d_model,
            heads: self.heads,
            head_dim: self.head_dim,
            neurons: self.d_ffn.of_layers(self.layers)?,
            vocab: self.vocab,
            dtype: self.dtype,
            norm: match self.norm {
                NormName::None => None,
                NormName::Layer => Some(Norm::Layer { epsilon }),
                NormName::Rms => Some(Norm::Rms { epsilon }),
            },
            activation: self.activation,
            bias: self.bias,
            positions: match self.positions {
                PositionsEntry::None => Positions::None,
                PositionsEntry::Learned { context } => Positions::Learned { context },
                PositionsEntry::Sinusoidal { base } => Positions::Sinusoidal { base },
                PositionsEntry::Rotary { base, spread } => {
                    Positions::Rotary(Rotary { base, spread })
                }
                PositionsEntry::Polynomial { features } => {
                    Positions::Polynomial(features.into_iter().map(feature).collect())
                }
            },
            tied_embeddings: self.tied_embeddings,
            score_scale: self
                .score_scale
                .unwrap_or((self.head_dim as f64).sqrt().recip()),
            temperature: self.temperature,
            head_product: self.head_product,
            context: self.context,
        };
        config.validate()?;
        Ok(config)
    }
}
