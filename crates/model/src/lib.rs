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
//! [`general`] has transformers as they are trained: with norms, biases, other activations and
//! positions, heads of any dimension, 32-bit floats.
//!
//! This crate knows numbers and files. It must never know opcodes, graphs or caches.

//! A model is a folder of four files, which [`Model::save`] writes and [`Model::load`] reads; the
//! crate's README specifies them. Weights are 64-bit floats, tokens are words separated by white
//! space, decoding is greedy.
//!
//! # Examples
//! A model of one layer whose weights are all zero, so that it always predicts token 0:
//!
//! ```
//! use weightware_model::{Attention, Config, LayerWeights, Matrix, Model, Shape, TokenId, Tokenizer, Weights};
//!
//! let shape = Shape { layers: 1, d_model: 2, heads: 1, d_ffn: 1, vocab: 2 };
//! let layer = LayerWeights {
//!     in_proj: Matrix::zeros(6, 2),
//!     out_proj: Matrix::zeros(2, 2),
//!     ff_in: Matrix::zeros(2, 2),
//!     ff_out: Matrix::zeros(2, 1),
//! };
//! let model = Model {
//!     config: Config {
//!         shape,
//!         attention: Attention::Hardmax,
//!         position_features: vec![],
//!         profile: None,
//!         modules: None,
//!         context: None,
//!         last_position: 1_000,
//!         key_bounds: vec![],
//!     },
//!     weights: Weights { tok: Matrix::zeros(2, 2), layers: vec![layer], head: Matrix::zeros(2, 2) },
//!     tokenizer: Tokenizer::new(vec!["yes".into(), "no".into()]),
//!     end_tokens: vec![TokenId(1)],
//! };
//! model.validate()?;
//!
//! let dir = std::env::temp_dir().join("weightware-model-example");
//! model.save(&dir)?;
//! assert_eq!(Model::load(&dir)?, model);
//! assert_eq!(model.tokenizer.encode("no yes")?, [TokenId(1), TokenId(0)]);
//! # std::fs::remove_dir_all(dir).ok();
//! # Ok::<(), weightware_model::Error>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod config;
mod count;
mod error;
mod files;
mod folder;
pub mod general;
mod tensors;
mod tokenizer;
mod validate;
mod weights;

pub use config::{Attention, Config, KeyBound, KeyRange, PositionFeature, position_embedding};
pub use count::WeightCount;
pub use error::Error;
pub use folder::Architecture;
pub use tokenizer::{Splitting, TokenId, Tokenizer};
pub use weights::{LayerWeights, Matrix, Shape, Weights};

/// A complete model: shape and position features, weights, token strings, end tokens.
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
