//! Options of the lowering: entry, memory limit, passes, values of imports.

use std::path::PathBuf;
use std::sync::Arc;

use weightware_isa::Value;

use crate::library::Library;
use crate::module::ImportedGlobal;
use crate::passes::Passes;
use crate::width::Bits;

/// Options of [`lower`](crate::lower()).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The export that the program calls. `None`: `_start`, else `__main_void`, else `main`, else
    /// only the start function.
    pub entry: Option<String>,
    /// The arguments of the entry as text, a number for each parameter. With `Some`, the entry may
    /// have results of any numeric type, which [`Lowered::results`](crate::Lowered::results) lists.
    /// With `None`, the entry must have no parameters, and its result is the exit code.
    pub arguments: Option<Vec<String>>,
    /// The name of the file that holds the module, for messages about its text.
    pub file: Option<PathBuf>,
    /// Pages to which the memory may grow, if the module's maximum allows it. `None`: that maximum;
    /// or 2 if the program reads input or arguments, which lie after the memory, since the machine
    /// is exact for memory up to 152 KiB. For a module that declares more pages than the machine
    /// has, this is the number of pages that the machine holds.
    pub memory_pages: Option<u32>,
    /// The passes that optimise the code.
    pub passes: Passes,
    /// Whether the program can go on in another context when one is full.
    pub turns: bool,
    /// The machine's address at which the program's state is saved when a context is full. `None`:
    /// after memory and input, so that the program depends on the length of its input.
    pub state_address: Option<u32>,
    /// The number of the program's first instruction. It is 0 in a prompt, and counts leading
    /// sections in a [block](weightware_isa::Program::into_block), too.
    pub first: u32,
    /// The library that the model has in its weights: functions that the program may import, and
    /// operators of its own for those that the machine lacks.
    pub library: Option<Arc<Library>>,
    /// Values of imported globals.
    pub(crate) globals: Vec<ImportedGlobal>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            entry: None,
            arguments: None,
            file: None,
            memory_pages: None,
            passes: Passes::all(),
            turns: false,
            state_address: None,
            first: 0,
            library: None,
            globals: Vec::new(),
        }
    }
}

impl Options {
    /// Sets the export that the program calls.
    #[must_use]
    pub fn with_entry(mut self, export: impl Into<String>) -> Self {
        self.entry = Some(export.into());
        self
    }

    /// Sets the export that the program calls, and its arguments: see [`Options::arguments`].
    #[must_use]
    pub fn with_invocation(
        mut self,
        export: impl Into<String>,
        arguments: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.entry = Some(export.into());
        self.arguments = Some(arguments.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the name of the file that holds the module.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Sets the pages of 64 KiB to which the memory may grow: see [`Options::memory_pages`].
    #[must_use]
    pub fn with_memory_pages(mut self, pages: u32) -> Self {
        self.memory_pages = Some(pages);
        self
    }

    /// Sets whether the program can go on in another context when one is full.
    #[must_use]
    pub fn with_turns(mut self, turns: bool) -> Self {
        self.turns = turns;
        self
    }

    /// Sets the library that the model has in its weights.
    #[must_use]
    pub fn with_library(mut self, library: impl Into<Arc<Library>>) -> Self {
        self.library = Some(library.into());
        self
    }

    /// Sets the passes that optimise the code.
    #[must_use]
    pub fn with_passes(mut self, passes: Passes) -> Self {
        self.passes = passes;
        self
    }

    /// Sets the value of an imported global; for floating point, its bits.
    #[must_use]
    pub fn with_global(
        mut self,
        module: impl Into<String>,
        name: impl Into<String>,
        value: Value,
    ) -> Self {
        let bits = match value {
            Value::I32(word) => Bits::Word(word),
            Value::I64(double) | Value::Raw(double) => Bits::Double(double),
        };
        self.globals.push((module.into(), name.into(), bits));
        self
    }
}
