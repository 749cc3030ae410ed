//! Functions of programs, in messages.

use std::fmt;

/// A function of a module, or code that the lowering adds.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Its index in the module; `None` for added code.
    pub(crate) index: Option<u32>,
    /// The offset of the operator in the binary; `None` for added code.
    pub(crate) offset: Option<u32>,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match (self.index, self.offset) {
            (Some(index), Some(offset)) => {
                write!(f, " (function {index}, byte {offset:#x} of the module)")
            }
            _ => f.write_str(" (added by the lowering)"),
        }
    }
}
