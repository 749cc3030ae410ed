//! The instructions of a function as the passes rewrite them, and their assembly into a program.

mod assembler;
mod inst;
mod label;
mod peephole;

pub(crate) use assembler::Assembler;
pub(crate) use inst::{Access, Code, Inst, InstKind, effect};
pub(crate) use label::{Label, Origin};
