//! The plain forward pass in candle: full causal softmax attention over an exported model folder.
//!
//! It is the independent check of every other decoder. It has its own reader of the folder (candle
//! reads the tensors, `serde_json` the rest), keeps no cache and takes no shortcut: every position
//! attends with stock softmax, scale `1 / sqrt(head dimension)`, to every position up to its own,
//! all in f64.
//!
//! ```text
//! x = tok[idx] + pos_emb(t)
//! for each layer:
//!     x = x + out_proj(softmax(q k^T / sqrt(d_head) + mask) v)     q, k, v = in_proj x
//!     gate, val = ff_in(x).chunk(2)
//!     x = x + ff_out(relu(gate) * val)
//! logits = head x
//! ```
//!
//! [`GeneralForward`] does the same for general models, as they are trained: norms, biases,
//! activations, positions and heads of any dimension, in the model's own arithmetic.
//!
//! It knows tensors and softmax. It must never know opcodes, programs, caches or hulls, and it
//! shares no code with the crates that write or run the folder.
//!
//! For T tokens the cost is `layers * heads * T^2 / 2` scores (7 layers of 18 heads, T = 5000: some
//! 20 seconds on two cores). Scores exist for one head and one block of query rows at a time, so
//! memory grows with T only (40 MB for T = 5000). Use it to confirm a run, not to run programs.
//!
//! # Example
//!
//! A model without layers, whose unembedding maps token 0 to 1, 1 to 2 and 2 to 0, and which ends
//! after token 2:
//!
//! ```
//! # use std::{collections::HashMap, error::Error, fs};
//! # use candle_core::{Device, Tensor};
//! # fn main() -> Result<(), Box<dyn Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! # let eye = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0];
//! # let turn = [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
//! # let tensor = |entries: &[f64]| Tensor::from_slice(entries, (3, 4), &Device::Cpu);
//! # let tensors = HashMap::from([("tok.weight", tensor(&eye)?), ("head.weight", tensor(&turn)?)]);
//! # candle_core::safetensors::save(&tensors, dir.join("model.safetensors"))?;
//! # let config = r#"{"layers": 0, "d_model": 4, "heads": 2, "d_ffn": 1, "vocab": 3, "position_features": []}"#;
//! # fs::write(dir.join("config.json"), config)?;
//! # fs::write(dir.join("generation_config.json"), r#"{"eos_token_id": [2]}"#)?;
//! let model = weightware_candle::PlainForward::load(dir)?;
//! assert_eq!(model.argmax_all(&[0, 1, 2])?, [1, 2, 0]);
//! assert_eq!(model.greedy(&[0], 10)?, [1, 2]);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod attention;
mod error;
mod folder;
mod forward;
mod general;

pub use error::Error;
pub use forward::{PlainForward, Prediction};
pub use general::GeneralForward;
