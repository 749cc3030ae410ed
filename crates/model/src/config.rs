//! The content of `config.json`: shape, position features, boxes of keys, horizon.

use crate::Shape;

/// The kind of attention that the weights are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// The model needs exact softmax weights, which an extreme-point cache does not reproduce.
    Softmax,
    /// Softmax is saturated: up to the horizon, attention to the keys of the greatest score alone
    /// gives the same tokens.
    Hardmax,
}

/// A polynomial of the position that is added to one slot of the embedding: `c[0] + c[1] t + c[2]
/// t^2`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PositionFeature {
    /// The slot of the residual stream.
    pub slot: usize,
    /// The coefficients of 1, t and t^2, where t counts tokens from 0.
    pub coefficients: [f64; 3],
}

impl PositionFeature {
    /// The feature at position `t`, by Horner's rule: `c[0] + t * (c[1] + c[2] * t)`, every
    /// operation rounded.
    #[must_use]
    pub fn at(&self, t: u64) -> f64 {
        let [c0, c1, c2] = self.coefficients;
        let t = t as f64;
        c0 + t * (c1 + c2 * t)
    }
}

/// Returns the vector of length `d_model` that is added to the embedding of the token at position
/// `t`.
///
/// Features are evaluated by [`PositionFeature::at`]; slots without one get 0.
///
/// # Panics
/// If a feature's slot is not below `d_model`, which [`Model::validate`](crate::Model::validate)
/// excludes.
#[must_use]
pub fn position_embedding(config: &Config, t: u64) -> Vec<f64> {
    let mut x = vec![0.0; config.shape.d_model];
    for feature in &config.position_features {
        x[feature.slot] = feature.at(t);
    }
    x
}

/// A box of keys within which one head is exact.
///
/// With `lift = y + (x / 2)^2`: a key is live if `lift >= -0.5` (cleared otherwise, and then
/// unbounded); a live key must have `|x| <= max_abs_x` and `lift <= max_lift`. An engine that sees
/// a live key outside its box stops at that token: horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeyBound {
    /// The layer, from 0.
    pub layer: usize,
    /// The head within the layer, from 0.
    pub head: usize,
    /// The greatest `|x|` of a live key.
    pub max_abs_x: f64,
    /// The greatest lift of a live key.
    pub max_lift: f64,
}

/// The range of the live keys of a head, in the terms of its [`KeyBound`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeyRange {
    /// The layer, from 0.
    pub layer: usize,
    /// The head within the layer, from 0.
    pub head: usize,
    /// The least and the greatest `x`.
    pub x: [f64; 2],
    /// The greatest lift, `y + (x / 2)^2`.
    pub lift: f64,
}

impl KeyRange {
    /// The greatest `|x| / 2`, which is the greatest `|j|` of keys `(2 j, ..)`.
    #[must_use]
    pub fn max_abs_index(&self) -> f64 {
        self.x[0].abs().max(self.x[1].abs()) / 2.0
    }
}

/// Shape, position features, semantics and horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The numbers that determine the shape of every tensor.
    pub shape: Shape,
    /// The kind of attention that the weights are made for.
    pub attention: Attention,
    /// The position features, one per slot that has one.
    pub position_features: Vec<PositionFeature>,
    /// The maker's name for this choice of horizons. It has no effect.
    pub profile: Option<String>,
    /// The groups of instructions that an executor has, `core` among them; `None` for a model that
    /// is none. Engines do not read it.
    pub modules: Option<Vec<String>>,
    /// The tokens after which an executor begins another context, if it does. Engines do not read
    /// it.
    pub context: Option<u64>,
    /// The last position (counted from 0, the prompt included) whose token is certified.
    pub last_position: u64,
    /// Boxes of heads whose keys depend on the program.
    pub key_bounds: Vec<KeyBound>,
}

impl Config {
    /// The box of a head's live keys, greatest `|x|` and greatest lift: the intersection of all its
    /// [bounds](Self::key_bounds), if it has any.
    #[must_use]
    pub fn key_box(&self, layer: usize, head: usize) -> Option<[f64; 2]> {
        let bounds = self.key_bounds.iter();
        bounds
            .filter(|bound| (bound.layer, bound.head) == (layer, head))
            .map(|bound| [bound.max_abs_x, bound.max_lift])
            .reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1])])
    }
}
