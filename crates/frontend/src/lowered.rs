//! The result of the lowering: a program, and the source of each instruction.

use weightware_isa::Program;

use crate::code::Origin;
use crate::data_sections::Input;

/// A module lowered to a program.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Lowered {
    /// The program. If it reads input, the input is empty: see [`Lowered::with_input`].
    pub program: Program,
    /// Whether the program may read input, arguments or environment. If so, its last section is
    /// the input.
    pub reads_input: bool,
    /// Whether the program may read bytes of input.
    pub reads_bytes: bool,
    /// Whether the program may look at arguments or environment.
    pub reads_arguments: bool,
    /// Initial pages, of 64 KiB, of the module's memory.
    pub memory_pages: u32,
    pub(crate) functions: Vec<(Option<u32>, String)>,
    pub(crate) origins: Vec<Origin>,
}

/// The source of an instruction of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Location<'l> {
    /// The index of the function in the module. `None` for code that the lowering adds.
    pub function: Option<u32>,
    /// The name of the function, or of the added code.
    pub name: &'l str,
    /// The offset of the operator in the binary. `None` for code that the lowering adds.
    pub offset: Option<u32>,
}

impl Lowered {
    /// A copy of the program with an input: bytes, or an [`Input`]. If the program reads none, the
    /// copy has none.
    #[must_use]
    pub fn with_input(&self, input: impl Into<Input>) -> Program {
        Program {
            code: self.program.code.clone(),
            sections: self.sections_with(self.program.sections.iter().cloned(), input.into()),
        }
    }

    /// The program with an input, as [`Lowered::with_input`] gives it, without a copy.
    #[must_use]
    pub fn into_program(mut self, input: impl Into<Input>) -> Program {
        let sections = std::mem::take(&mut self.program.sections);
        Program {
            sections: self.sections_with(sections.into_iter(), input.into()),
            code: self.program.code,
        }
    }

    /// The sections with an input in place of the empty one, if the program reads any.
    fn sections_with(
        &self,
        sections: impl ExactSizeIterator<Item = Vec<u8>>,
        input: Input,
    ) -> Vec<Vec<u8>> {
        let kept = sections.len().saturating_sub(usize::from(self.reads_input));
        let input = self
            .reads_input
            .then(|| input.section(self.reads_arguments));
        sections.take(kept).chain(input).collect()
    }

    /// The source of the instruction at an index of the program's code.
    #[must_use]
    pub fn location(&self, instruction: usize) -> Option<Location<'_>> {
        let instruction = instruction.checked_sub(self.program.sections.len())?;
        let origin = self.origins.get(instruction)?;
        let (function, name) = self.functions.get(origin.function as usize)?;
        let offset = function.map(|_| origin.offset);
        Some(Location {
            function: *function,
            name,
            offset,
        })
    }

    /// The functions that the program consists of: their indices in the module and their names.
    /// Code that the lowering adds has no index.
    pub fn functions(&self) -> impl Iterator<Item = (Option<u32>, &str)> {
        self.functions
            .iter()
            .map(|(index, name)| (*index, name.as_str()))
    }
}
