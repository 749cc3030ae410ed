//! A certificate of a model: for every head, the horizon up to which f64 attention over its keys is
//! exact.
//!
//! [`certify`] reads only weights and `config.json`. It recognises the keys of each head by the
//! shape of its rows, and bounds every rounding between a key and a weight of the softmax. It
//! returns two horizons: one for *exact* hard-max (scores compared as real numbers), and one for
//! *stock* softmax, for each place where libraries multiply by `1 / sqrt(2)` ([`Scaling`]).
//!
//! | keys | shape | attends to |
//! |---|---|---|
//! | [`Equal`](Keys::Equal) | `(0, 0)` | all tokens alike: an average |
//! | [`Positions`](Keys::Positions) | `(2t, -t^2)` | the position nearest to the query |
//! | [`Latest`](Keys::Latest) | `(0, t - C clear)` | the latest token that is not cleared |
//! | [`Indexed`](Keys::Indexed) | `(2j, -j^2 + slope time - C clear)` | the latest token of the nearest index |
//!
//! *One-hot* means that one weight is exactly 1 and every other is exactly 0, since its score is
//! [`UNDERFLOW`] below the greatest.
//!
//! The certificate assumes properties that weights alone do not show. Engines check the first at
//! every key; the compiler's exact evaluator and its tests are the evidence for the others.
//!
//! - A live key of a head with a box is `(x, -(x/2)^2 + lift)`, with its lift in the box.
//! - Indices and times are integers, and times are not negative.
//! - The squares of cleared keys are squares.
//! - A queried index has a key, or the result does not depend on the key found instead.
//! - An averaged value that is not in the embedding is at most 1.
//! - The argument of a table stays within the [limit](NextTokens::limits) up to which its sums are
//!   exact. Plans check this at every token.
//!
//! Running sums are right as far as their terms allow: [`RunningSums`] counts those of one sequence
//! of tokens, and [`RunCertificate`] gives the position up to which stock attention follows a run.
//!
//! This crate must never know opcodes, graphs, caches or Wasm.
//!
//! # Examples
//! ```
//! use weightware_certify::{Keys, certify};
//!
//! let model = weightware_compiler::default_model();
//! let certificate = certify(&model);
//! assert!(certificate.problems().next().is_none(), "config.json claims no more than is proved");
//! assert!(certificate.exact_positions() >= model.config.last_position);
//! println!("{certificate}");
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod certificate;
mod envelope;
mod keys;
mod next;
mod rounding;
mod run;
mod show;
mod slots;
mod sums;

pub use certificate::{Certificate, HeadCertificate, IndexBox, certify};
pub use keys::Keys;
pub use next::{Found, NextTokens, Picked, next_tokens};
pub use rounding::{Scaling, UNDERFLOW};
pub use run::RunCertificate;
pub use sums::RunningSums;
