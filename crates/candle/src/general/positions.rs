//! Positions: vectors that are added to embeddings, and rotations of queries and keys.
//!
//! Angles and polynomials are computed in f64 and rounded once.

use candle_core::{D, DType, Device, Result, Tensor};

use super::config::{Config, Positions, Spread};
use super::tensors::Tensors;

/// The vectors added to the embeddings of the first `length` positions, `[T, d_model]`.
pub(crate) fn vectors(config: &Config, tensors: &Tensors, length: usize) -> Result<Option<Tensor>> {
    let d = config.d_model;
    let mut entries = vec![0.0; length * d];
    let rows = entries.chunks_exact_mut(d).enumerate();
    let rows = rows.map(|(t, row)| (t as f64, row));
    match &config.positions {
        Positions::None {} | Positions::Rotary { .. } => return Ok(None),
        Positions::Learned { .. } => {
            let table = tensors.positions.as_ref();
            return table.map(|table| table.narrow(0, 0, length)).transpose();
        }
        Positions::Sinusoidal { base } => {
            for (t, row) in rows {
                for (slot, entry) in row.iter_mut().enumerate() {
                    let exponent = (slot / 2 * 2) as f64 / d as f64;
                    let angle = t * base.powf(-exponent);
                    let is_even = slot.is_multiple_of(2);
                    *entry = if is_even { angle.sin() } else { angle.cos() };
                }
            }
        }
        Positions::Polynomial { features } => {
            for (t, row) in rows {
                for feature in features {
                    let [constant, linear, quadratic] = feature.coefficients;
                    row[feature.slot] = constant + t * (linear + quadratic * t);
                }
            }
        }
    }
    let vectors = Tensor::from_vec(entries, (length, d), &Device::Cpu)?;
    vectors.to_dtype(tensors.tok.dtype()).map(Some)
}

/// The rotation of one head: cosines and sines, `[T, pairs]` each.
pub(crate) struct Rotation {
    cos: Tensor,
    sin: Tensor,
}

/// The rotation of each head; none if positions are not rotary.
pub(crate) fn rotations(config: &Config, length: usize, dtype: DType) -> Result<Vec<Rotation>> {
    let Positions::Rotary { base, spread } = config.positions else {
        return Ok(Vec::new());
    };
    let (heads, pairs) = (config.heads, config.head_dim / 2);
    let frequency = |head: usize, pair: usize| match spread {
        Spread::Pairs => base.powf(-(pair as f64) / pairs as f64),
        Spread::Heads => base.powf(-((head * pairs + pair) as f64) / (heads * pairs) as f64),
    };
    let of_head = |head: usize| {
        let waves = |wave: fn(f64) -> f64| {
            let angle = |i: usize| (i / pairs) as f64 * frequency(head, i % pairs);
            let entries = (0..length * pairs).map(|i| wave(angle(i))).collect();
            Tensor::from_vec(entries, (length, pairs), &Device::Cpu)?.to_dtype(dtype)
        };
        Ok(Rotation {
            cos: waves(f64::cos)?,
            sin: waves(f64::sin)?,
        })
    };
    (0..heads).map(of_head).collect()
}

impl Rotation {
    /// Turns the pairs of neighbouring columns of `x`, `[T, head_dim]`. The last column of an odd
    /// dimension stays.
    pub(crate) fn turn(&self, x: &Tensor) -> Result<Tensor> {
        let (length, pairs) = self.cos.dims2()?;
        let paired = x.narrow(1, 0, 2 * pairs)?.reshape((length, pairs, 2))?;
        let (a, b) = (
            paired.narrow(2, 0, 1)?.squeeze(2)?,
            paired.narrow(2, 1, 1)?.squeeze(2)?,
        );
        let turned = Tensor::stack(
            &[
                ((&a * &self.cos)? - (&b * &self.sin)?)?,
                ((&a * &self.sin)? + (&b * &self.cos)?)?,
            ],
            D::Minus1,
        )?;
        let rest = x.narrow(1, 2 * pairs, x.dim(1)? - 2 * pairs)?;
        let turned = turned.reshape((length, 2 * pairs))?;
        if rest.dim(1)? == 0 {
            return Ok(turned);
        }
        Tensor::cat(&[turned, rest], 1)
    }
}
