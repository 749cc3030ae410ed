//! The token machine: instructions, vocabulary, programs, a plain interpreter and trace text.
//!
//! A *program* is a list of instructions of five tokens each: an opcode and four immediate bytes.
//! Running it appends a *trace*: for each executed instruction its result bytes and one *end
//! token*, which states what the instruction did to the machine's state. The whole state of the
//! machine (its stack, locals, memory, cursor) can be read back from the trace.
//!
//! One table, [`Op::spec`], gives the name of every opcode, the number of bytes that it appends to
//! the trace, and the end token that closes it. The vocabulary, the prompt, the interpreter and the
//! compiled network derive from it.
//!
//! This crate must never know Wasm binaries, floats, files or layers.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod block;
mod error;
mod immediate;
mod interpreter;
mod op;
mod program;
mod shape;
mod text;
mod token;
mod trace;
mod validate;

pub use error::Error;
pub use immediate::Immediate;
pub use interpreter::{Fault, FaultKind, Interpreter, Nearest, Value};
pub use op::{Commit, Effect, EndToken, FRAME_LIMIT, Op, Spec, Trap};
pub use program::{BLOCK, Instruction, LIBRARY_AT, Program, Resident, Turns};
pub use text::Disassembly;
pub use token::{Flag, Token, Vocabulary};
pub use trace::{Line, Outcome, TraceReader};

/// Runs the examples of `README.md` as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
