//! Greedy decoding of plain transformers with two-dimensional heads: linear scans, convex hulls,
//! and partial evaluation of the forward pass.
//!
//! A [`Decoder`] runs any [`Model`](weightware_model::Model) from its weights alone, by one of five
//! [engines](Engine): stock softmax, hard-max by a scan, by a convex hull, by a plan, by a plan in
//! machine code. The README states which results of the engines are equal to the bit, and why the
//! engines are fast. This crate must never know opcodes, graphs or Wasm.
//!
//! # Examples
//! A model of one layer and one head generates the token that occurred less often so far, and
//! `tick` if both occurred equally often. All keys are zero and tie, so the head averages -1 for
//! every `tick` and 1 for every `tock`.
//!
//! ```
//! use weightware_model::{Attention, Config, LayerWeights, Matrix, Model, Shape, TokenId, Tokenizer, Weights};
//! use weightware_runtime::{Decoder, Engine, FinishReason};
//!
//! let mut layer = LayerWeights {
//!     in_proj: Matrix::zeros(6, 2),
//!     out_proj: Matrix::zeros(2, 2),
//!     ff_in: Matrix::zeros(2, 2),
//!     ff_out: Matrix::zeros(2, 1),
//! };
//! layer.in_proj.row_mut(4)[0] = 1.0; // value: slot 0
//! layer.out_proj.row_mut(1)[0] = 1.0; // its average: to slot 1
//! let model = Model {
//!     config: Config {
//!         shape: Shape { layers: 1, d_model: 2, heads: 1, d_ffn: 1, vocab: 2 },
//!         attention: Attention::Hardmax,
//!         position_features: vec![],
//!         profile: None,
//!         modules: None,
//!         context: None,
//!         last_position: 5,
//!         key_bounds: vec![],
//!     },
//!     weights: Weights {
//!         tok: Matrix { rows: 2, cols: 2, entries: vec![-1.0, 0.0, 1.0, 0.0] },
//!         layers: vec![layer],
//!         head: Matrix { rows: 2, cols: 2, entries: vec![0.0, 1.0, 0.0, -1.0] },
//!     },
//!     tokenizer: Tokenizer::new(vec!["tick".into(), "tock".into()]),
//!     end_tokens: vec![],
//! };
//!
//! for engine in Engine::available() {
//!     let mut decoder = Decoder::new(&model, engine)?;
//!     decoder.prefill(&model.tokenizer.encode("tick")?)?;
//!     let tokens: Vec<TokenId> = decoder.generate(None).collect();
//!     assert_eq!(model.tokenizer.decode(&tokens), "tock tick tock tick tock");
//!     // The prompt is at position 0, the last token at position 5.
//!     assert!(matches!(decoder.finish_reason(), Some(FinishReason::Horizon { position: 6, .. })));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(not(feature = "jit"), forbid(unsafe_code))]
#![warn(missing_docs)]

mod argmax_cache;
mod cache;
mod decoder;
mod error;
mod forward;
pub mod general;
mod inspect;
mod key_box;
mod looked;
mod network;
mod plan;
mod qkv;
mod sparse;
mod stats;
mod stop;
mod token_buffer;
mod unembed;
mod value_numbering;

pub use decoder::{Decoder, DecoderOptions, Engine, Generate, HeadActivation};
pub use error::Error;
pub use inspect::{HeadAttention, InspectError, TokenPass, inspect};
pub use stats::{BailoutReason, Bailouts, Stats};
pub use stop::{FinishReason, HorizonReason, PrefillError};
pub use weightware_model::KeyRange;
