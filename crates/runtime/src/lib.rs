//! Greedy decoding of plain transformers with two-dimensional heads, by linear scan or convex hull.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod cache;
mod decoder;
mod error;
mod forward;
mod plan;
mod sparse;
mod stop;
mod unembed;

pub use decoder::{Decoder, DecoderOptions, Engine, Generate, Stats};
pub use error::Error;
pub use stop::{Finish, Stop, Why};
