//! The names of what is linked: functions, calls through tables, first values of globals.

use crate::width::Bits;

/// Which module a function is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Unit {
    /// The one that is lowered.
    Guest,
    /// The software of instructions that the machine does not have, and of host functions.
    Routines,
    /// The software of floating point.
    Floats,
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) unit: Unit,
    pub(crate) index: u32,
}

/// Calls of one function type through one table of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Dispatch {
    pub(crate) table: u32,
    /// The first index of the type.
    pub(crate) ty: usize,
}

/// What a word of the globals holds before the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    Value(Bits),
    /// Bytes of input: loaded from the first word of the input's section.
    InputLength,
}
