//! A certificate of a model: for every head, up to where f64 attention over its keys is exact.
//!
//! [`certify`] reads weights and `config.json`, nothing else. It recognises the keys of each head
//! by the shape of its rows, and bounds every rounding that lies between a key and a weight of the
//! softmax. Two horizons come out: for *exact* hard-max (scores compared as the real numbers that
//! they are), and for *stock* softmax, once for each place where libraries multiply by `1 /
//! sqrt(2)` ([`Scaling`]).
//!
//! | keys | shape | attends to |
//! |---|---|---|
//! | [`Equal`](Keys::Equal) | `(0, 0)` | all tokens alike: an average |
//! | [`Positions`](Keys::Positions) | `(2t, -t^2)` | the position nearest to the query |
//! | [`Latest`](Keys::Latest) | `(0, t - C clear)` | the latest token that is not cleared |
//! | [`Indexed`](Keys::Indexed) | `(2j, -j^2 + slope time - C clear)` | the latest token of the nearest index |
//!
//! *One-hot* means: every weight but one is exactly 0, since its score is [`UNDERFLOW`] below the
//! greatest, and the one is exactly 1.
//!
//! What weights alone do not show is assumed, and engines check the first of it at every key: that
//! a live key of a head with a box is `(x, -(x/2)^2 + lift)` with its lift in the box; that indices
//! and times are integers, times not negative; that the squares of cleared keys are squares; that
//! an index asked for has a key, or what is found instead makes no difference; that what is
//! averaged and is not in the embedding is at most 1. The compiler's exact evaluator and its tests
//! are the witnesses of these.
//!
//! Running sums are right as far as their terms allow: [`RunningSums`] counts those of one sequence
//! of tokens, and [`RunCertificate`] says up to where stock attention follows a run.
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
