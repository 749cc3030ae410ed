//! The whole way from bytes to a program.

use weightware_isa::{Instruction, Op, Program};

use crate::assembler::Origin;
use crate::entry::Entry;
use crate::error::Error;
use crate::image::{self, Section};
use crate::linker::Linker;
use crate::module::Module;
use crate::software;

/// What may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The export to begin with. `None`: `_start`, else `main`, else nothing but the start function.
    pub entry: Option<String>,
    /// Words that the frames of functions which call each other in a cycle may take before the program traps with
    /// [`CallStackExhausted`](weightware_isa::Trap::CallStackExhausted). At least one call is granted. Functions that
    /// are on no cycle are not counted and pay nothing.
    pub stack_words: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            entry: None,
            stack_words: 1 << 18,
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

    /// The same with so many words for the frames of recursive functions.
    #[must_use]
    pub fn with_stack_words(mut self, words: u32) -> Self {
        self.stack_words = words;
        self
    }
}

/// A module as a program.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Lowered {
    /// The program. If it reads input, the input is empty: see [`Lowered::with_input`].
    pub program: Program,
    /// Whether the program may read input. Its last section is the input then.
    pub reads_input: bool,
    /// Pages of 64 KiB of the module's memory.
    pub memory_pages: u32,
    functions: Vec<(Option<u32>, String)>,
    origins: Vec<Origin>,
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
    /// The program with that input. It is the program itself if it reads none.
    #[must_use]
    pub fn with_input(&self, input: &[u8]) -> Program {
        let mut program = self.program.clone();
        if self.reads_input
            && let Some(last) = program.sections.last_mut()
        {
            *last = image::input(input);
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

/// Lowers a module: a binary, or text if it does not begin like one.
///
/// # Errors
/// If the text cannot be parsed, if the module is not valid, or if something that is reachable from its entry is not
/// supported.
pub fn lower(bytes: &[u8], options: &Options) -> Result<Lowered, Error> {
    let encoded;
    let binary = if bytes.starts_with(b"\0asm") {
        bytes
    } else {
        encoded = wat::parse_bytes(bytes)
            .map_err(|error| Error::invalid(format!("the text cannot be parsed: {error}")))?;
        &encoded
    };
    let guest = Module::parse(binary)?;
    let software = Module::parse(software::binary())?;
    let entry = Entry::find(&guest, options.entry.as_deref())?;
    let mut linker = Linker::new(&guest, &software, options.stack_words)?;
    entry.request(&mut linker);
    linker.functions()?;
    let first = linker.asm.len();
    entry.lower(&mut linker, &guest);

    let reads_input = linker.reads_input();
    let memory_pages = guest.memory.unwrap_or(0);
    let mut sections = image::sections(&guest);
    if reads_input {
        if memory_pages >= 255 {
            return Err(Error::too_large(
                "beside a memory of 255 pages there is none for the input",
            )
            .remedy("link with a smaller initial memory"));
        }
        sections.push((linker.input_base(), image::input(&[])));
    }
    let functions = std::mem::take(&mut linker.functions);
    let (code, origins) = linker.finish(first, sections.len())?;
    let program = program(code, sections);
    Ok(Lowered {
        program,
        reads_input,
        memory_pages,
        functions,
        origins,
    })
}

/// The sections before the code, whose addresses count them already.
fn program(code: Vec<Instruction>, sections: Vec<Section>) -> Program {
    let heads = sections
        .iter()
        .map(|&(address, _)| Instruction::with_byte(Op::Section, address, 0));
    Program {
        code: heads.chain(code).collect(),
        sections: sections.into_iter().map(|(_, bytes)| bytes).collect(),
    }
}
