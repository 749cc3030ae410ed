//! Labels of instructions and functions, and the source positions of instructions.

/// A position in the code: bound once, and possibly used before it is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Label(pub(super) u32);

/// The signature of a function for its callers: its label and its effect on the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Callee {
    pub(crate) label: Label,
    /// Values that a call pops from the stack.
    pub(crate) pops: usize,
    /// Values that a call pushes to the stack.
    pub(crate) pushes: usize,
}

/// The source of an instruction: an index into the names of functions, and a byte offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Origin {
    pub(crate) function: u32,
    pub(crate) offset: u32,
}
