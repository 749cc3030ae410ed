//! The configuration of a general transformer.

use serde::{Deserialize, Serialize};

use crate::PositionFeature;

/// The arithmetic of a model: the format of its tensors and of its forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32-bit floats.
    Float32,
    /// 64-bit floats.
    Float64,
}

/// A normalisation of the residual stream, before attention, before the feed-forward network, and
/// before the unembedding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Norm {
    /// `(x - mean x) / sqrt(var x + epsilon) * scale + shift`, with the biased variance.
    Layer {
        /// The term that keeps the root from zero.
        epsilon: f64,
    },
    /// `x / sqrt(mean x^2 + epsilon) * scale`.
    Rms {
        /// The term that keeps the root from zero.
        epsilon: f64,
    },
}

/// The function between the two linear maps of the feed-forward network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `x * Phi(x)` with the normal distribution function `Phi`, not its approximation by `tanh`.
    Gelu,
    /// `relu(gate) * value`, where the first half of the rows of `ff_in` are gates.
    GatedRelu,
    /// `silu(gate) * value` with `silu(x) = x / (1 + e^-x)`.
    #[serde(rename = "swiglu")]
    SwiGlu,
}

impl Activation {
    /// Whether `ff_in` has a gate and a value for each neuron.
    #[must_use]
    pub fn is_gated(self) -> bool {
        matches!(self, Self::GatedRelu | Self::SwiGlu)
    }

    /// Rows of `ff_in` for each neuron.
    #[must_use]
    pub fn rows(self) -> usize {
        if self.is_gated() { 2 } else { 1 }
    }
}

/// The means by which a token knows its position, counted from 0.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// Nothing but the causal mask.
    None,
    /// A learned vector for each position, added to the embedding.
    Learned {
        /// The number of positions, which no sequence may exceed.
        context: usize,
    },
    /// Slot `2 j` gets `sin(t base^(-2 j / d_model))`, slot `2 j + 1` the cosine.
    Sinusoidal {
        /// The ratio of the slowest period to the fastest.
        base: f64,
    },
    /// Queries and keys are turned by their positions: see [`Rotary`].
    Rotary(Rotary),
    /// Polynomials of the position in some slots.
    Polynomial(Vec<PositionFeature>),
}

/// Rotary positions. Pair `p` of head `h`, which is the coordinates `2 p` and `2 p + 1`, turns by
/// `t * frequency`; the last coordinate of an odd head dimension stays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotary {
    /// The ratio of the fastest frequency to the slowest, about.
    pub base: f64,
    /// Where frequencies differ.
    pub spread: Spread,
}

/// The frequencies of rotary positions. A head of dimension 2 has one pair, so that `Pairs` gives
/// all of them the same frequency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// `base^(-p / pairs)`: each head has all frequencies.
    #[default]
    Pairs,
    /// `base^(-(h pairs + p) / (heads pairs))`: each pair of each head has its own.
    Heads,
}

impl Rotary {
    /// Radians by which pair `pair` of head `head` turns for each position.
    ///
    /// With `pairs = head_dim / 2`: see [`Spread`].
    #[must_use]
    pub fn frequency(&self, config: &Config, head: usize, pair: usize) -> f64 {
        let pairs = config.head_dim / 2;
        let exponent = match self.spread {
            Spread::Pairs => pair as f64 / pairs as f64,
            Spread::Heads => (head * pairs + pair) as f64 / (config.heads * pairs) as f64,
        };
        self.base.powf(-exponent)
    }
}

/// Shape, arithmetic and functions of a general transformer.
///
/// It is serialised as `config.json` is, and validated when it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of attention heads per layer.
    pub heads: usize,
    /// Dimension of queries, keys and values. `heads * head_dim` need not be `d_model`.
    pub head_dim: usize,
    /// Neurons of each layer, first to last.
    pub neurons: Vec<usize>,
    /// Number of tokens in the vocabulary; ids are below it.
    pub vocab: usize,
    /// The arithmetic.
    pub dtype: Dtype,
    /// The normalisation, if there is one.
    pub norm: Option<Norm>,
    /// The function of a neuron.
    pub activation: Activation,
    /// Whether the four linear maps of a layer have biases.
    pub bias: bool,
    /// The means by which a token knows its position.
    pub positions: Positions,
    /// Whether the unembedding is the embedding.
    pub tied_embeddings: bool,
    /// The factor of the scores `q . k`, usually `1 / sqrt(head_dim)`.
    pub score_scale: f64,
    /// Whether each head has a learned factor of its scores too.
    pub temperature: bool,
    /// Whether the outputs `(a, b)` of heads `2 h` and `2 h + 1` become `(a, a * b)`.
    pub head_product: bool,
    /// The length of sequences in training, for information.
    pub context: Option<usize>,
}

impl Config {
    /// The number of layers.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.neurons.len()
    }

    /// The width of all heads together: `heads * head_dim`.
    #[must_use]
    pub fn attention_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// The longest sequence that the model can read, if positions bound it.
    #[must_use]
    pub fn longest(&self) -> Option<usize> {
        match self.positions {
            Positions::Learned { context } => Some(context),
            _ => None,
        }
    }
}
