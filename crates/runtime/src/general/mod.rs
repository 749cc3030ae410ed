//! Decoding of general transformers: exact softmax, or the best few keys with a proved bound of
//! what they leave out.
//!
//! A [`Decoder`] runs any [`general::Model`](weightware_model::general::Model) by one of two
//! [engines](Engine): `Softmax` scans all keys of a head; `Sparse` finds the best `k` keys of heads
//! of dimension 2 or 3 in nested hulls, and bounds the probability of the others. Sequences are
//! decoded in batches, and prompts are read in blocks: the linear maps then run over many rows at a
//! time. A [`Sampler`] draws tokens, and [`Speculative`] lets one model propose tokens that another
//! verifies, without loss.
//!
//! # Examples
//! A model of one head without positions, whose next token is the most frequent one so far: all
//! scores are equal, so the head averages the tokens' one-hot values.
//!
//! ```
//! use weightware_model::general::{Activation, Config, Dtype, Model, Positions, Weights};
//! use weightware_model::Tokenizer;
//! use weightware_runtime::general::{Decoder, Engine, Sampler};
//!
//! let config = Config {
//!     d_model: 2,
//!     heads: 1,
//!     head_dim: 2,
//!     neurons: vec![1],
//!     vocab: 2,
//!     dtype: Dtype::Float64,
//!     norm: None,
//!     activation: Activation::Relu,
//!     bias: false,
//!     positions: Positions::None,
//!     tied_embeddings: true,
//!     score_scale: 1.0,
//!     temperature: false,
//!     head_product: false,
//!     context: None,
//! };
//! let weights = Weights::assemble(&config, |tensor| {
//!     Ok::<_, ()>(match tensor.name.as_str() {
//!         "tok.weight" => vec![1.0, 0.0, 0.0, 1.0],
//!         // Queries and keys are 0, values are the token; the output outweighs the embedding.
//!         "attn.0.in_proj_weight" => vec![0., 0., 0., 0., 0., 0., 0., 0., 1., 0., 0., 1.],
//!         "attn.0.out_proj.weight" => vec![9.0, 0.0, 0.0, 9.0],
//!         _ => vec![0.0; tensor.len()],
//!     })
//! })
//! .unwrap();
//! let tokenizer = Tokenizer::characters(vec!["a".into(), "b".into()]);
//! let model = Model { config, weights, tokenizer, end_tokens: vec![] };
//!
//! let mut decoder = Decoder::new(&model, Engine::Softmax)?;
//! let sequence = decoder.begin();
//! let logits = decoder.read(sequence, &model.tokenizer.encode("abb")?)?;
//! let next = Sampler::greedy().draw(logits.last());
//! assert_eq!(model.tokenizer.string(next), Some("b"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod decoder;
mod dispatch;
mod engine;
mod error;
mod forward;
mod linear_cache;
mod network;
mod positions;
mod real;
mod report;
mod sampler;
mod speculative;
mod tiles;

pub use decoder::{Decoder, Logits, Sequence, Wanted};
pub use engine::Engine;
pub use error::Error;
pub use report::HeadReport;
pub use sampler::Sampler;
pub use speculative::{Acceptance, Draft, ExecutorDraft, ModelDraft, Proposal, Speculative};
pub use weightware_hull::Budget;
