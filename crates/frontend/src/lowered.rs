//! The whole way from bytes to a program.

use weightware_isa::{Instruction, Op, Program, Value};

use crate::assembler::Origin;
use crate::entry::Entry;
use crate::error::Error;
use crate::image::{self, Input, Section};
use crate::layout::Layout;
use crate::linker::Linker;
use crate::module::{Given, Module};
use crate::passes::Passes;
use crate::reach::reach;
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
    let guest = Module::parse(binary, &options.globals)?;
    let entry = Entry::find(&guest, options.entry.as_deref())?;
    let layout = Layout::new(&guest, reach(&guest, &entry.roots())?, options.memory_pages)?;
    let mut linker = Linker::new(&guest, layout, options);
    entry.request(&mut linker);
    linker.functions()?;
    let first = linker.asm.len();
    entry.lower(&mut linker);

    let (reads_bytes, reads_arguments) = (linker.reads_bytes, linker.reads_arguments);
    let reads_input = reads_bytes || reads_arguments;
    let mut sections = image::sections(&guest, layout.shift);
    for &segment in &linker.passive {
        let address = linker.passive_address(segment);
        let bytes = guest.data[segment as usize].bytes;
        sections.extend(image::without_zeros(bytes, address));
    }
    if reads_input {
        let address = layout.hidden + linker.input_offset();
        sections.push((address, Input::default().section(reads_arguments)));
    }
    if sections.iter().any(|&(address, _)| address >= 1 << 24) {
        return Err(Error::too_large("there is data at addresses from 2^24 on")
            .remedy("link with a smaller initial memory"));
    }
    let functions = std::mem::take(&mut linker.functions);
    let (code, origins) = linker.finish(first, sections.len())?;
    let program = program(code, sections);
    Ok(Lowered {
        program,
        reads_input,
        reads_bytes,
        reads_arguments,
        memory_pages: layout.initial,
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
