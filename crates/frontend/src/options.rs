//! The options of the lowering.

use weightware_isa::Value;

use crate::module::ImportedGlobal;
use crate::passes::Passes;
use crate::width::Bits;

/// Options of the lowering.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The export to begin with. `None`: `_start`, else `main`, else nothing but the start
    /// function.
    pub entry: Option<String>,
    /// Pages to which the memory may grow. `None`: the module's maximum; or 2 if the program reads
    /// input or arguments, which lie after it: the machine is exact for memory up to 152 KiB.
    pub memory_pages: Option<u32>,
    /// The passes that optimise the code.
    pub passes: Passes,
    /// Values of imported globals.
    pub(crate) globals: Vec<ImportedGlobal>,
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
    /// Sets the export to begin with.
    #[must_use]
    pub fn with_entry(mut self, export: impl Into<String>) -> Self {
        self.entry = Some(export.into());
        self
    }

    /// Sets the pages to which the memory may grow.
    #[must_use]
    pub fn with_memory_pages(mut self, pages: u32) -> Self {
        self.memory_pages = Some(pages);
        self
    }

    /// Sets the passes that optimise the code.
    #[must_use]
    pub fn with_passes(mut self, passes: Passes) -> Self {
        self.passes = passes;
        self
    }

    /// Adds the value of an imported global; for floating point, its bits.
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
