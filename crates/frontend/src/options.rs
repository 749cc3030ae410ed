//! The options of the lowering.

use weightware_isa::Value;

use crate::module::Given;
use crate::passes::Passes;
use crate::width::Bits;

/// What may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The export to begin with. `None`: `_start`, else `main`, else nothing but the start function.
    pub entry: Option<String>,
    /// Pages to which the memory may grow. `None`: what the module says; or, if the program reads input or arguments, 2:
    /// they lie behind it, and the machine is exact for memory up to 152 KiB.
    pub memory_pages: Option<u32>,
    /// The optimisations of the code.
    pub passes: Passes,
    /// Values of imported globals.
    pub(crate) globals: Vec<Given>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            entry: None,
            memory_pages: None,
            passes: Passes::all(),
            globals: Vec::new(),
        }
    }
}

impl Options {
    /// The same with that entry.
    #[must_use]
    pub fn with_entry(mut self, export: impl Into<String>) -> Self {
        self.entry = Some(export.into());
        self
    }

    /// The same with that limit for the memory.
    #[must_use]
    pub fn with_memory_pages(mut self, pages: u32) -> Self {
        self.memory_pages = Some(pages);
        self
    }

    /// The same with those optimisations and no others.
    #[must_use]
    pub fn with_passes(mut self, passes: Passes) -> Self {
        self.passes = passes;
        self
    }

    /// The same with a value for an imported global; of floating point numbers it is the bits.
    #[must_use]
    pub fn with_global(
        mut self,
        module: impl Into<String>,
        name: impl Into<String>,
        value: Value,
    ) -> Self {
        let bits = match value {
            Value::I32(word) => Bits::Word(word),
            Value::I64(double) => Bits::Double(double),
        };
        self.globals.push((module.into(), name.into(), bits));
        self
    }
}
