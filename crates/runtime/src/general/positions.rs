//! Positions of tokens: what they add to embeddings, and how they turn queries and keys.

use weightware_model::PositionFeature;
use weightware_model::general::{Config, Positions, Weights};

use super::real::Real;

/// The vector that a position adds to the embedding of a token.
#[derive(Debug)]
pub(super) enum Added<R> {
    Nothing,
    /// `[context, d_model]`.
    Learned(Vec<R>),
    /// The frequency of each pair of slots.
    Sinusoidal(Vec<f64>),
    Polynomial(Vec<PositionFeature>),
}

/// The frequencies of rotary positions, for each head and each of its pairs.
#[derive(Debug)]
pub(super) struct Turns {
    frequencies: Vec<f64>,
    heads: usize,
    head_dim: usize,
}

impl<R: Real> Added<R> {
    pub(super) fn new(config: &Config, weights: &Weights) -> Self {
        match &config.positions {
            Positions::None | Positions::Rotary(_) => Self::Nothing,
            Positions::Learned { .. } => {
                let entries = weights.positions.iter().flat_map(|matrix| &matrix.entries);
                Self::Learned(entries.map(|&entry| R::of(entry)).collect())
            }
            Positions::Sinusoidal { base } => {
                let exponent = |pair: usize| -2.0 * pair as f64 / config.d_model as f64;
                let pairs = 0..config.d_model.div_ceil(2);
                Self::Sinusoidal(pairs.map(|pair| base.powf(exponent(pair))).collect())
            }
            Positions::Polynomial(features) => Self::Polynomial(features.clone()),
        }
    }

    /// Adds the position `t` to the embedding `x`.
    pub(super) fn add(&self, t: usize, x: &mut [R]) {
        match self {
            Self::Nothing => {}
            Self::Learned(rows) => {
                let row = &rows[t * x.len()..];
                for (x, &position) in x.iter_mut().zip(row) {
                    *x += position;
                }
            }
            Self::Sinusoidal(frequencies) => {
                for (pair, frequency) in x.chunks_mut(2).zip(frequencies) {
                    let (sin, cos) = (t as f64 * frequency).sin_cos();
                    for (x, wave) in pair.iter_mut().zip([sin, cos]) {
                        *x += R::of(wave);
                    }
                }
            }
            Self::Polynomial(features) => {
                for feature in features {
                    x[feature.slot] += R::of(feature.at(t as u64));
                }
            }
        }
    }
}

impl Turns {
    pub(super) fn new(config: &Config) -> Option<Self> {
        let Positions::Rotary(rotary) = &config.positions else {
            return None;
        };
        let pairs = config.head_dim / 2;
        let heads = 0..config.heads;
        let frequencies =
            heads.flat_map(|head| (0..pairs).map(move |pair| rotary.frequency(config, head, pair)));
        Some(Self {
            frequencies: frequencies.collect(),
            heads: config.heads,
            head_dim: config.head_dim,
        })
    }

    /// Appends the cosine and the sine of each pair of each head at the position `t`.
    pub(super) fn waves<R: Real>(&self, t: usize, waves: &mut Vec<[R; 2]>) {
        waves.extend(self.frequencies.iter().map(|frequency| {
            let (sin, cos) = (t as f64 * frequency).sin_cos();
            [R::of(cos), R::of(sin)]
        }));
    }

    /// The number of waves of a position.
    pub(super) fn len(&self) -> usize {
        self.frequencies.len()
    }

    /// Turns queries and keys, which are the first two thirds of `qkv`, by the waves of a position.
    pub(super) fn turn<R: Real>(&self, waves: &[[R; 2]], qkv: &mut [R]) {
        let pairs = self.head_dim / 2;
        let (queries, rest) = qkv.split_at_mut(self.heads * self.head_dim);
        for head in 0..self.heads {
            for pair in 0..pairs {
                let [cos, sin] = waves[head * pairs + pair];
                let at = head * self.head_dim + 2 * pair;
                for of in [&mut *queries, &mut *rest] {
                    let (x, y) = (of[at], of[at + 1]);
                    of[at] = x * cos - y * sin;
                    of[at + 1] = x * sin + y * cos;
                }
            }
        }
    }
}
