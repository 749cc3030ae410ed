//! The contract of the two algorithms, and the parts that they share.

use std::sync::Arc;

use weightware_model::general::{Config, Positions};

use crate::real::Real;

/// Cosines and sines of rotary positions: `[T][heads * pairs]`. Empty if positions are not rotary.
#[derive(Debug, Clone)]
pub struct Angles(pub(super) Arc<Vec<(f64, f64)>>);

impl Angles {
    /// The angles of the first `length` positions.
    #[must_use]
    pub fn new(config: &Config, length: usize) -> Self {
        let Positions::Rotary(rotary) = config.positions else {
            return Self(Arc::default());
        };
        let pairs = config.head_dim / 2;
        let frequencies: Vec<f64> = (0..config.heads * pairs)
            .map(|pair| rotary.frequency(config, pair / pairs, pair % pairs))
            .collect();
        let angle = |t: usize| {
            let turned = frequencies.iter().map(move |f| t as f64 * f);
            turned.map(|angle| (libm::cos(angle), libm::sin(angle)))
        };
        Self(Arc::new((0..length).flat_map(angle).collect()))
    }
}

/// The shape of heads, and the constants of their scores.
pub(super) struct Attention {
    pub(super) heads: usize,
    pub(super) dim: usize,
    pub(super) scale: f64,
    pub(super) angles: Angles,
}

/// Attention of one sequence. All methods of an implementation are `#[inline(always)]`.
pub(super) trait Algorithm: Send {
    type Number: Real;

    /// Buffers for sequences of a length.
    fn new(of: &Attention, length: usize) -> Self;

    /// The outputs of all heads.
    fn forward(
        &mut self,
        of: &Attention,
        qkv: &[Self::Number],
        temperature: &[Self::Number],
        out: &mut [Self::Number],
    );

    /// The gradients of all heads. Operands are `qkv`, temperatures, outputs and their gradients.
    fn backward(
        &mut self,
        of: &Attention,
        operands: [&[Self::Number]; 4],
        dqkv: &mut [Self::Number],
        dtemperature: &mut [Self::Number],
    );
}

/// A pair of coordinates, turned by an angle.
#[inline(always)]
pub(super) fn turned<R: Real>(x: R, y: R, cos: R, sin: R) -> (R, R) {
    (x * cos - y * sin, x * sin + y * cos)
}
