//! WebAssembly modules, as binaries or text, lowered to programs of the token machine.
//!
//! [`lower`] validates a module, keeps the code that is reachable from its entry, and rewrites it
//! into the instructions of the machine: structured control flow becomes jumps, function calls
//! become frames of words, and arithmetic that the machine lacks becomes calls of a runtime
//! library. A module that cannot be lowered is refused with an [`Error`] that names the function,
//! the byte offset and the instruction.
//!
//! ```text
//! bytes -[module]-> Module -[lower]-> Code -[passes]-> Code -[code::Encoder]-> Program
//! ```
//!
//! ```
//! use weightware_frontend::{Options, lower};
//! use weightware_isa::{Interpreter, Outcome};
//!
//! let module = r#"(module
//!     (import "env" "putchar" (func $putchar (param i32)))
//!     (import "env" "getchar" (func $getchar (result i32)))
//!     (func (export "main") (result i32)
//!         (call $putchar (i32.add (call $getchar) (i32.const 1)))
//!         (i32.rem_u (i32.const 1000) (i32.const 7))))"#;
//! let lowered = lower(module.as_bytes(), &Options::default())?;
//! let program = lowered.with_input(b"H");
//! let mut run = Interpreter::new(&program);
//! let outcome = run.run(100_000)?;
//! assert_eq!(run.output(), b"I");
//! assert_eq!(outcome, Some(Outcome::Exited(6)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate must never know graphs or weights.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod bitset;
mod code;
mod data_sections;
mod error;
mod handler;
mod library;
mod lower;
mod lowered;
mod memory_layout;
mod module;
mod options;
mod passes;
mod width;

pub use data_sections::Input;
pub use error::Error;
pub use library::{Library, LibraryFunction, LibraryModule, LibraryProgram, SOFTWARE};
pub use lower::lower;
pub use lowered::{Location, Lowered, MemoryWindow, ResultType};
pub use module::{custom_sections, imported_modules};
pub use options::Options;
pub use passes::{Pass, Passes};

/// The examples of `README.md`.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
