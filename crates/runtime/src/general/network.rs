//! The weights of a general model, laid out for the forward pass.

use weightware_model::general::{self, Activation, Norm, NormWeights};

use super::error::Kind;
use super::positions::{Added, Turns};
use super::real::Real;
use super::tiles::Tiles;

/// A normalisation with its learned numbers.
#[derive(Debug)]
pub(super) struct Normalise<R> {
    norm: Norm,
    scale: Vec<R>,
    shift: Option<Vec<R>>,
}

#[derive(Debug)]
pub(super) struct Layer<R> {
    pub(super) norm1: Option<Normalise<R>>,
    pub(super) in_proj: Tiles<R>,
    /// The factor of the scores of each head.
    pub(super) scales: Vec<R>,
    pub(super) out_proj: Tiles<R>,
    pub(super) norm2: Option<Normalise<R>>,
    pub(super) ff_in: Tiles<R>,
    pub(super) ff_out: Tiles<R>,
}

#[derive(Debug)]
pub(super) struct Network<R> {
    pub(super) d_model: usize,
    pub(super) heads: usize,
    pub(super) head_dim: usize,
    pub(super) activation: Activation,
    pub(super) head_product: bool,
    /// `[vocab, d_model]`.
    pub(super) embedding: Vec<R>,
    pub(super) added: Added<R>,
    pub(super) turns: Option<Turns>,
    pub(super) layers: Vec<Layer<R>>,
    pub(super) norm: Option<Normalise<R>>,
    pub(super) unembedding: Tiles<R>,
}

impl<R: Real> Network<R> {
    pub(super) fn new(model: &general::Model) -> Self {
        let general::Model {
            config, weights, ..
        } = model;
        let norm = |weights: &Option<NormWeights>| {
            let weights = weights.as_ref()?;
            let narrow = |wide: &Vec<f64>| wide.iter().map(|&w| R::of(w)).collect();
            Some(Normalise {
                norm: config.norm?,
                scale: narrow(&weights.scale),
                shift: weights.shift.as_ref().map(narrow),
            })
        };
        let layer = |layer: &general::Layer| Layer {
            norm1: norm(&layer.norm1),
            in_proj: Tiles::new(&layer.in_proj),
            scales: match &layer.temperature {
                Some(factors) => factors
                    .iter()
                    .map(|&factor| R::of(config.score_scale * factor))
                    .collect(),
                None => vec![R::of(config.score_scale); config.heads],
            },
            out_proj: Tiles::new(&layer.out_proj),
            norm2: norm(&layer.norm2),
            ff_in: Tiles::new(&layer.ff_in),
            ff_out: Tiles::new(&layer.ff_out),
        };
        Self {
            d_model: config.d_model,
            heads: config.heads,
            head_dim: config.head_dim,
            activation: config.activation,
            head_product: config.head_product,
            embedding: weights.tok.entries.iter().map(|&w| R::of(w)).collect(),
            added: Added::new(config, weights),
            turns: Turns::new(config),
            layers: weights.layers.iter().map(layer).collect(),
            norm: norm(&weights.norm),
            unembedding: Tiles::of(weights.unembedding(), None),
        }
    }
}

impl<R> Network<R> {
    /// An error of the head with this number among the heads of all layers.
    pub(super) fn at_head(&self, number: usize, source: weightware_hull::Error) -> Kind {
        Kind::Head {
            layer: number / self.heads,
            head: number % self.heads,
            source,
        }
    }
}

impl<R: Real> Normalise<R> {
    /// Normalises each row of `x`, `[rows, d_model]`, into `y`.
    pub(super) fn apply(&self, x: &[R], y: &mut Vec<R>) {
        y.clear();
        let width = self.scale.len();
        let count = R::of(width as f64);
        for row in x.chunks_exact(width) {
            let mean = match self.norm {
                Norm::Layer { .. } => row.iter().copied().sum::<R>() / count,
                Norm::Rms { .. } => R::ZERO,
            };
            let square = |&x: &R| (x - mean) * (x - mean);
            let variance = row.iter().map(square).sum::<R>() / count;
            let (Norm::Layer { epsilon } | Norm::Rms { epsilon }) = self.norm;
            let deviation = (variance + R::of(epsilon)).sqrt();
            let scaled = row.iter().zip(&self.scale);
            let scaled = scaled.map(|(&x, &scale)| (x - mean) / deviation * scale);
            match &self.shift {
                Some(shift) => y.extend(scaled.zip(shift).map(|(x, &shift)| x + shift)),
                None => y.extend(scaled),
            }
        }
    }
}

/// The neurons of each row: `hidden` is `[rows, neurons]`, or twice as wide if gated.
pub(super) fn activate<R: Real>(
    activation: Activation,
    width: usize,
    hidden: &[R],
    y: &mut Vec<R>,
) {
    let silu = |x: R| x / (R::of(1.0) + (R::ZERO - x).exp());
    let relu = |x: R| if x > R::ZERO { x } else { R::ZERO };
    y.clear();
    match activation {
        Activation::Relu => y.extend(hidden.iter().map(|&x| relu(x))),
        Activation::Gelu => y.extend(hidden.iter().map(|&x| R::of(gelu(x.wide())))),
        Activation::GatedRelu | Activation::SwiGlu => {
            for row in hidden.chunks_exact(width) {
                let (gates, values) = row.split_at(width / 2);
                let pairs = gates.iter().zip(values);
                match activation {
                    Activation::SwiGlu => y.extend(pairs.map(|(&g, &v)| silu(g) * v)),
                    _ => y.extend(pairs.map(|(&g, &v)| relu(g) * v)),
                }
            }
        }
    }
}

/// `x Phi(x)`, with the normal distribution function `Phi`.
fn gelu(x: f64) -> f64 {
    0.5 * x * libm::erfc(-x * core::f64::consts::FRAC_1_SQRT_2)
}
