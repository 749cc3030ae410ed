//! A computer inside a transformer: compile weights, lower WebAssembly, decode traces.
//!
//! The pipeline:
//!
//! ```text
//! Wasm bytes -> frontend -> program -> prompt tokens ----------.
//! machine graph -> schedule -> slots -> weights ---------------+-> decoder -> tokens -> trace, output
//! ```
//!
//! ```
//! use weightware::{Computer, Engine, Source};
//!
//! let source = Source::parse(b"{ i32.const 03 00 00 00 i32.const 05 00 00 00 i32.add 00 00 00 00 output 00 00 00 00 }")?;
//! let computer = Computer::default(); // compiles the weights
//! let mut run = computer.run(&source.program(b""), Engine::Plan, None)?;
//! while let Some((_, line)) = run.step() {
//!     if let Some(line) = line {
//!         println!("{line}"); // 03 00 00 00 commit(+1,sts=1,bt=0) ...
//!     }
//! }
//! assert_eq!(run.reader().output(), [8]);
//! # Ok::<(), weightware::Error>(())
//! ```
//!
//! This crate connects the others. It must contain no algorithm of its own, and no part of a
//! program's execution: only weights compute the trace from the prompt. The plain interpreter may
//! check a run ([`Run::checked`]); it sees each token only after it is decoded.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod clang;
mod computer;
mod contexts;
mod digest;
mod error;
mod lockstep;
mod post_mortem;
mod run;
mod saved;
mod source;
mod turn_cost;

pub use clang::{Clang, Compilation};
pub use computer::{CertifiedRun, Computer};
pub use error::Error;
pub use lockstep::{Divergence, Lockstep};
pub use post_mortem::PostMortem;
pub use run::{Exceeded, MemoryUsed, Place, Run, RunEnd};
pub use saved::{RunWriter, SavedRun};
pub use source::Source;
pub use turn_cost::TurnCost;
pub use weightware_certify::{
    Certificate, Found, HeadCertificate, Keys, NextTokens, Picked, RunCertificate, Scaling,
    certify, next_tokens,
};
pub use weightware_compiler::machine::{
    Extension, GrowthError, KeySpan, Limit, Profile, Rom, UnknownExtension,
};
pub use weightware_compiler::{
    Compiled, HeadKind, HeadName, Names, NamesError, Usage, compile, compile_rom, default_model,
    profile_model, proof, rom_model,
};
pub use weightware_frontend::{
    Input, Library, LibraryFunction, LibraryModule, LibraryProgram, Lowered, MemoryWindow, Options,
    Pass, Passes, ResultType, SOFTWARE, custom_sections, imported_modules,
};
pub use weightware_isa::{
    BLOCK, Fault, Instruction, Interpreter, LIBRARY_AT, Line, Op, Outcome, Program, Resident,
    Token, TraceReader, Trap, Turns,
};
pub use weightware_model::Error as ModelError;
pub use weightware_model::{
    Architecture, Config, KeyRange, Model, Shape, Splitting, TokenId, Tokenizer, WeightCount,
};
pub use weightware_runtime::{
    BailoutReason, Bailouts, Decoder, DecoderOptions, Engine, FinishReason, HeadActivation,
    HeadAttention, HorizonReason, InspectError, PrefillError, Stats, TokenPass, inspect,
};

/// Transformers as they are trained: their folders, and their decoding by softmax or sparsely.
pub mod general {
    pub use weightware_model::general::*;
    pub use weightware_runtime::general::*;
}

/// The examples of the README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
