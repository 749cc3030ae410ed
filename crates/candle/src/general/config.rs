//! The `config.json` of a general model, as this crate reads it; plain executors as the special
//! case that they are.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Kind};
use crate::folder::{self, Neurons, read_json};

/// With smaller sizes no product of two of them overflows.
const MAX_SIZE: usize = 1 << 24;

/// Unknown keys are refused: they may stand for what this network does not compute.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(rename = "architecture")]
    _architecture: String,
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

/// The one key that decides how the others are read.
#[derive(Deserialize)]
struct Architecture {
    architecture: String,
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

impl Activation {
    /// Rows of `ff_in` for each neuron: gated functions have a gate and a value.
    pub(crate) fn rows(self) -> usize {
        match self {
            Self::Relu | Self::Gelu => 1,
            Self::GatedRelu | Self::SwiGlu => 2,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Positions {
    // With braces, since serde lets a unit variant have any further keys.
    None {},
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
        features: Vec<Feature>,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Spread {
    #[default]
    Pairs,
    Heads,
}

/// `c0 + t (c1 + c2 t)` in a slot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feature {
    pub(crate) slot: usize,
    pub(crate) coefficients: [f64; 3],
}

fn norm_epsilon() -> f64 {
    1e-5
}

fn base() -> f64 {
    10_000.0
}

impl Config {
    /// Reads the configuration of a general model, or that of a plain executor.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let Architecture { architecture } = read_json(path)?;
        let config = match architecture.as_str() {
            "transformer" => read_json(path).map(Ok)?,
            "vanilla-transformer-2d-heads" => {
                let plain: folder::Config = read_json(path)?;
                match plain.fault() {
                    Some(reason) => Err(reason),
                    None => Ok(Self::plain(plain)),
                }
            }
            _ => Err(
                "architecture is neither of those this crate computes: export the model as \
                      \"transformer\""
                    .to_owned(),
            ),
        };
        config
            .and_then(|config: Self| config.fault().map_or(Ok(config), Err))
            .map_err(|reason| {
                let path = path.into();
                Kind::Folder { path, reason }.into()
            })
    }

    /// No norms and no biases, gated ReLU, scores over `sqrt(d_head)`, f64.
    fn plain(plain: folder::Config) -> Self {
        let feature = |feature: folder::PositionFeature| Feature {
            slot: feature.slot,
            coefficients: feature.coefficients,
        };
        Self {
            _architecture: String::new(),
            layers: plain.layers,
            d_model: plain.d_model,
            heads: plain.heads,
            head_dim: plain.d_model / plain.heads,
            d_ffn: plain.d_ffn,
            vocab: plain.vocab,
            dtype: Dtype::Float64,
            norm: Norm::None,
            norm_epsilon: norm_epsilon(),
            activation: Activation::GatedRelu,
            bias: false,
            positions: Positions::Polynomial {
                features: plain.position_features.into_iter().map(feature).collect(),
            },
            tied_embeddings: false,
            score_scale: None,
            temperature: false,
            head_product: false,
            _context: None,
        }
    }

    /// The width of all heads together.
    pub(crate) fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// The factor of the scores.
    pub(crate) fn scale(&self) -> f64 {
        let usual = 1.0 / (self.head_dim as f64).sqrt();
        self.score_scale.unwrap_or(usual)
    }

    /// The longest sequence, if positions bound it.
    pub(crate) fn longest(&self) -> Option<usize> {
        match self.positions {
            Positions::Learned { context } => Some(context),
            _ => None,
        }
    }

    /// The reason why this is no model, if there is one.
    fn fault(&self) -> Option<String> {
        if let Neurons::Each(list) = &self.d_ffn
            && list.len() != self.layers
        {
            let (is, must) = (list.len(), self.layers);
            return Some(format!("d_ffn has {is} numbers for {must} layers"));
        }
        let sizes = [
            ("layers", self.layers),
            ("d_model", self.d_model),
            ("heads", self.heads),
            ("head_dim", self.head_dim),
            ("vocab", self.vocab),
            ("positions.context", self.longest().unwrap_or(1)),
        ];
        let neurons = match &self.d_ffn {
            Neurons::Equal(neurons) => std::slice::from_ref(neurons),
            Neurons::Each(list) => list,
        };
        let neurons = neurons.iter().map(|&neurons| ("d_ffn", neurons));
        let mut sizes = sizes.into_iter().chain(neurons);
        if let Some((name, size)) = sizes.find(|(_, size)| !(1..=MAX_SIZE).contains(size)) {
            return Some(format!(
                "{name} is {size}, must be 1 to {MAX_SIZE}: state the shape of the weights"
            ));
        }
        let mut numbers = vec![
            ("norm_epsilon", self.norm_epsilon),
            ("score_scale", self.scale()),
        ];
        if let Positions::Sinusoidal { base } | Positions::Rotary { base, .. } = self.positions {
            numbers.push(("positions.base", base));
        }
        let is_wrong = |number: f64| !(number.is_finite() && number > 0.0);
        if let Some((name, number)) = numbers.iter().find(|(_, number)| is_wrong(*number)) {
            return Some(format!("{name} is {number}, must be positive"));
        }
        if self.head_product && !self.heads.is_multiple_of(2) {
            return Some(format!(
                "head_product needs pairs, and heads is {}",
                self.heads
            ));
        }
        match &self.positions {
            Positions::Rotary { .. } if self.head_dim < 2 => {
                Some("rotary positions turn pairs of coordinates, and head_dim is 1".into())
            }
            Positions::Polynomial { features } => fault_of_features(features, self.d_model),
            _ => None,
        }
    }
}

fn fault_of_features(features: &[Feature], d_model: usize) -> Option<String> {
    let mut slots: Vec<usize> = features.iter().map(|feature| feature.slot).collect();
    slots.sort_unstable();
    if let Some(slot) = slots.last().filter(|&&slot| slot >= d_model) {
        return Some(format!(
            "a position feature is in slot {slot}, but d_model is {d_model}"
        ));
    }
    let twice = slots.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(format!("slot {} has two position features", twice[0]))
}
