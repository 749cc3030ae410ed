//! Shape, weights, tokenizer and file format of a plain transformer with two-dimensional heads.
//!
//! The network, in the notation of its PyTorch class:
//!
//! ```text
//! x = tok[idx] + pos_emb(t)
//! for each layer:
//!     x = x + out_proj(MHA(in_proj x))          causal, heads of dimension 2
//!     gate, val = ff_in(x).chunk(2)
//!     x = x + ff_out(relu(gate) * val)
//! logits = head x
//! ```
//!
//! This crate knows numbers and files. It must never know opcodes, graphs or caches.

mod config;
mod tokenizer;
mod weights;

pub use config::{Attention, Config, KeyBound, PositionFeature};
pub use tokenizer::{TokenId, Tokenizer};
pub use weights::{LayerWeights, Matrix, Shape, Weights};

/// Everything a decoder is given: shape and position features, weights, token strings, end tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Shape, position features, attention semantics and the horizon.
    pub config: Config,
    /// The matrices.
    pub weights: Weights,
    /// Token strings in id order.
    pub tokenizer: Tokenizer,
    /// Tokens after which decoding ends.
    pub end_tokens: Vec<TokenId>,
}
