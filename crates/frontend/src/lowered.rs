//! A lowered module: its program, and where each instruction comes from.

use weightware_isa::Program;

use crate::code::Origin;
use crate::data_sections::Input;

/// A module as a program.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Lowered {
    /// The program. If it reads input, the input is empty: see [`Lowered::with_input`].
    pub program: Program,
    /// Whether the program may read input, arguments or environment. Its last section is the input then.
    pub reads_input: bool,
    /// Whether it may read bytes of input.
    pub reads_bytes: bool,
    /// Whether it may look at arguments or environment.
    pub reads_arguments: bool,
    /// Pages of 64 KiB of the module's memory at first.
    pub memory_pages: u32,
    pub(crate) functions: Vec<(Option<u32>, String)>,
    pub(crate) origins: Vec<Origin>,
}

/// Where an instruction of a program comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Location<'l> {
    /// The index of the function in the module. `None`: code that the lowering adds.
    pub function: Option<u32>,
    /// The function's name: from the module, or of the added code.
    pub name: &'l str,
    /// The offset in the binary of the operator. `None`: code that the lowering adds.
    pub offset: Option<u32>,
}

impl Lowered {
    /// The program with that input: bytes, or an [`Input`]. It is the program itself if it reads none.
    #[must_use]
    pub fn with_input(&self, input: impl Into<Input>) -> Program {
        let mut program = self.program.clone();
        if self.reads_input
            && let Some(last) = program.sections.last_mut()
        {
            *last = input.into().section(self.reads_arguments);
        }
        program
    }

    /// Where the instruction of that index in the program's code comes from.
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

    /// The functions that the program is made of: their indices in the module and their names. Code that the lowering
    /// adds has no index.
    pub fn functions(&self) -> impl Iterator<Item = (Option<u32>, &str)> {
        self.functions
            .iter()
            .map(|(index, name)| (*index, name.as_str()))
    }
}
