//! The intermediate representation of a function: built by the lowering, rewritten by the passes,
//! encoded once at the end.
//!
//! ```text
//! operators -[lower]-> Builder -> Code -[passes]-> Code -[Encoder]-> instructions of a program
//! ```

mod builder;
mod encoder;
mod inst;
mod label;
mod peephole;

pub(crate) use builder::Builder;
pub(crate) use encoder::Encoder;
pub(crate) use inst::{Access, Code, Inst, InstKind, stack_effect};
pub(crate) use label::{Callee, Label, LabelMap, LabelSet, Origin};
