//! Keys of the items that the linker links: functions, calls through tables, initial values of
//! globals.

use crate::code::Label;
use crate::width::Bits;

/// The module that a function is defined in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Unit {
    /// The module that is lowered.
    Guest,
    /// The runtime library of operators that the machine lacks, and of host functions.
    Routines,
    /// The runtime library of floating point.
    Floats,
}

/// The key of a function: its module, and its index in the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) unit: Unit,
    pub(crate) index: u32,
}

/// The key of a dispatch: calls of one function type through one table of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Dispatch {
    pub(crate) table: u32,
    /// The first index of the type.
    pub(crate) ty: usize,
}

/// The value of a word of the globals before the entry is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InitialValue {
    Bits(Bits),
    /// The number of the instruction at a label.
    Place(Label),
    /// Bytes of input: loaded from the first word of the input's section.
    InputLength,
}
