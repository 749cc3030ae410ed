//! Labels, and the origins of instructions.

/// A place in the code that is bound once and may be used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Label(pub(super) u32);

/// Where an instruction comes from: an index of a function and a byte offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    pub(crate) function: u32,
    pub(crate) offset: u32,
}
