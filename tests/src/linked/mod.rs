//! Instances of modules, linked into one module whose entry calls exports as its input tells.

mod driver;
mod merge;
mod world;

use wasmparser::ValType;

pub(crate) use self::driver::{Case, ENTRY, Signature, decode, encode};
pub(crate) use self::merge::{HOST, Merged};
pub(crate) use self::world::{Unlinkable, World};

/// A number, by its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) ty: ValType,
    /// Zeros above those that the type has.
    pub(crate) bits: u64,
}
