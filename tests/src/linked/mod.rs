//! Linked instances, merged into one module whose entry calls exports as the input directs.

mod driver;
mod merge;
mod world;

use wasmparser::ValType;

pub(crate) use self::driver::{Case, ENTRY, Signature, decode, encode};
pub(crate) use self::merge::{HOST, Merged};
pub(crate) use self::world::{Unlinkable, World};

/// A number, as its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) ty: ValType,
    /// The bits; those above the type's width are zero.
    pub(crate) bits: u64,
}
