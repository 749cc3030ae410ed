//! Transformers as they are trained: norms, biases, several activations and kinds of positions,
//! heads of any dimension, 32- or 64-bit floats.
//!
//! ```text
//! x = tok[idx] + positions(t)
//! for each layer:
//!     q, k, v = in_proj norm1(x)                    rotary positions turn q and k
//!     x = x + out_proj softmax(scale q.k) v         causal, for each head
//!     x = x + ff_out act(ff_in norm2(x))
//! logits = head norm(x)
//! ```
//!
//! A plain executor is a special case, which [`Model::from`] states: no norms, no biases, gated
//! ReLU, polynomial positions, heads of dimension 2. So [`Model::load`] reads both kinds of folder.
//! The crate's README specifies the files.
//!
//! # Examples
//! ```
//! use weightware_model::general::{Activation, Config, Dtype, Model, Norm, Positions, Weights};
//! use weightware_model::Tokenizer;
//!
//! let config = Config {
//!     d_model: 4,
//!     heads: 2,
//!     head_dim: 2,
//!     neurons: vec![8],
//!     vocab: 3,
//!     dtype: Dtype::Float32,
//!     norm: Some(Norm::Rms { epsilon: 1e-5 }),
//!     activation: Activation::Gelu,
//!     bias: true,
//!     positions: Positions::Learned { context: 16 },
//!     tied_embeddings: true,
//!     score_scale: 0.5f64.sqrt(),
//!     temperature: false,
//!     head_product: false,
//!     context: Some(16),
//! };
//! let weights = Weights::assemble(&config, |tensor| Ok::<_, ()>(vec![0.5; tensor.len()])).unwrap();
//! let tokenizer = Tokenizer::characters(["a", "b", " "].map(String::from).to_vec());
//! let model = Model { config, weights, tokenizer, end_tokens: vec![] };
//!
//! let dir = std::env::temp_dir().join("weightware-general-example");
//! model.save(&dir)?;
//! assert_eq!(Model::load(&dir)?, model);
//! # std::fs::remove_dir_all(dir).ok();
//! # Ok::<(), weightware_model::Error>(())
//! ```

mod config;
mod files;
mod folder;
mod from_plain;
mod tensors;
mod validate;
mod weights;

pub use config::{Activation, Config, Dtype, Norm, Positions, Rotary, Spread};
pub use weights::{Layer, Linear, NormWeights, TensorShape, Weights};

pub(crate) use files::ARCHITECTURE;

use crate::{TokenId, Tokenizer};

/// A complete general model: configuration, weights, token strings, end tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Shape, arithmetic and functions.
    pub config: Config,
    /// The tensors.
    pub weights: Weights,
    /// Token strings in id order.
    pub tokenizer: Tokenizer,
    /// Tokens after which decoding ends.
    pub end_tokens: Vec<TokenId>,
}
