//! A compiler from graphs of named dimensions to transformer weights, and the machine written as
//! such a graph.
//!
//! ```text
//! machine -> graph -> schedule (half-layers, slots) -> weights
//! ```
//!
//! ```
//! use weightware_compiler::default_model;
//!
//! let model = default_model();
//! assert_eq!((model.config.shape.layers, model.config.shape.d_model), (7, 36));
//! ```
//!
//! [`Graph`] is the language, [`machine`] the computer written in it, [`Evaluator`] the oracle in
//! exact integers, [`solve`] the scheduler, [`Blueprint`] the input of the assembly. This crate
//! must never know caches, SIMD or Wasm.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod adder;
mod assemble;
mod default_model;
mod evaluate;
mod form;
mod graph;
pub mod machine;
mod names;
pub mod parity;
pub mod proof;
mod schedule;
mod search;
mod table;
mod usage;
pub use assemble::{Blueprint, TokenRow};
pub use default_model::{Compiled, compile, compile_rom, default_model, profile_model, rom_model};
pub use evaluate::Evaluator;
pub use form::{Dim, LinearForm};
pub use graph::{CLEARED, Graph, Key, Origin, Output, Writer, WriterIdx};
pub use names::{
    AttentionNames, EmbeddingNames, FeedForwardNames, HeadKind, HeadName, LayerNames, Names,
    NamesError, NeuronName, QueryName, TableName, ValueName,
};
pub use schedule::{Budget, Schedule, ScheduleError, ScheduleErrorKind};
pub use search::{Failed, attempt, solve, solve_best};
pub use table::{Bend, Table};
pub use usage::{LayerUsage, Usage};

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
