//! The digest of a model, by which a saved run knows it.

use sha2::{Digest, Sha256};
use weightware_model::{
    Attention, Config, KeyBound, LayerWeights, Matrix, Model, PositionFeature, Shape, TokenId,
    Weights,
};

/// The digest of all that decides how a run of a model goes. The names of its profile and modules
/// have no part in it.
pub(crate) fn digest(model: &Model) -> String {
    let Model {
        config,
        weights,
        tokenizer,
        end_tokens,
    } = model;
    let mut numbers = Numbers::default();
    numbers.config(config);
    numbers.weights(weights);
    numbers.push(tokenizer.strings().len() as u64);
    for string in tokenizer.strings() {
        numbers.push(string.len() as u64);
        numbers.bytes(string.as_bytes());
    }
    numbers.push(end_tokens.len() as u64);
    for &TokenId(id) in end_tokens {
        numbers.push(id.into());
    }
    numbers.finish()
}

/// Numbers on the way to a digest.
#[derive(Default)]
struct Numbers {
    digest: Sha256,
    /// Bytes that are not in the digest yet: it takes many at a time faster.
    bytes: Vec<u8>,
}

impl Numbers {
    /// The bytes that the digest takes at a time.
    const BLOCK: usize = 1 << 14;

    fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= Self::BLOCK {
            self.digest.update(&self.bytes);
            self.bytes.clear();
        }
    }

    fn push(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    fn float(&mut self, number: f64) {
        self.push(number.to_bits());
    }

    fn config(&mut self, config: &Config) {
        let Config {
            shape,
            attention,
            position_features,
            profile: _,
            modules: _,
            context,
            last_position,
            key_bounds,
        } = config;
        let Shape {
            layers,
            d_model,
            heads,
            d_ffn,
            vocab,
        } = *shape;
        for number in [layers, d_model, heads, d_ffn, vocab] {
            self.push(number as u64);
        }
        self.push(match attention {
            Attention::Softmax => 0,
            Attention::Hardmax => 1,
        });
        self.push(position_features.len() as u64);
        for &PositionFeature { slot, coefficients } in position_features {
            self.push(slot as u64);
            for coefficient in coefficients {
                self.float(coefficient);
            }
        }
        self.push(context.unwrap_or(0));
        self.push(*last_position);
        self.push(key_bounds.len() as u64);
        for bound in key_bounds {
            let KeyBound {
                layer,
                head,
                max_abs_x,
                max_lift,
            } = *bound;
            self.push(layer as u64);
            self.push(head as u64);
            self.float(max_abs_x);
            self.float(max_lift);
        }
    }

    fn weights(&mut self, weights: &Weights) {
        let Weights { tok, layers, head } = weights;
        self.matrix(tok);
        for layer in layers {
            let LayerWeights {
                in_proj,
                out_proj,
                ff_in,
                ff_out,
            } = layer;
            for matrix in [in_proj, out_proj, ff_in, ff_out] {
                self.matrix(matrix);
            }
        }
        self.matrix(head);
    }

    /// Adds a matrix: its size, and each entry that is not +0 with its index. That determines all
    /// entries, and most of them are 0.
    fn matrix(&mut self, matrix: &Matrix) {
        let Matrix {
            rows,
            cols,
            entries,
        } = matrix;
        self.push(*rows as u64);
        self.push(*cols as u64);
        for (entry, index) in entries.iter().zip(0..) {
            if entry.to_bits() != 0 {
                self.push(index);
                self.float(*entry);
            }
        }
        self.push(u64::MAX);
    }

    fn finish(mut self) -> String {
        self.digest.update(&self.bytes);
        format!("{:x}", self.digest.finalize())
    }
}
