//! The result of the lowering: a program, and a source map from its instructions to the module.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use weightware_isa::{Op, Program};

use crate::code::Origin;
use crate::data_sections::Input;
use crate::handler::{self, Extent};

/// A module lowered to a program, with a source map and the layout of its memory.
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
    /// Whether the program may read arguments or environment.
    pub reads_arguments: bool,
    /// The module's memory, and the part of it that the machine holds.
    pub memory: MemoryWindow,
    /// The machine's address of the input, if the program reads any.
    pub input_address: Option<u32>,
    /// The types of the results of an entry that is [called with
    /// arguments](crate::Options::arguments). The program's last instructions before the jump to
    /// its end pop one result each, the last one first, and the trace holds their bytes.
    pub results: Vec<ResultType>,
    /// The functions that the module imports, `module.name`.
    pub imports: Vec<String>,
    pub(crate) functions: Vec<(Option<u32>, String)>,
    pub(crate) rewritten: HashMap<Origin, RewrittenAddress>,
    pub(crate) origins: Vec<Origin>,
    /// The number of the program's first instruction.
    pub(crate) first: u32,
    /// The extent of the memory, if the program is to go on in other contexts.
    pub(crate) turns: Option<Extent>,
}

/// How an access of the module computes its address, where its instruction computes another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RewrittenAddress {
    /// The number that code before the instruction subtracts from the operand.
    pub(crate) subtracted: u32,
    /// The offset of the access in the module.
    pub(crate) offset: u64,
}

/// The type of a result of an entry that is called with arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultType {
    /// 32 bits, an integer.
    I32,
    /// 64 bits, an integer.
    I64,
    /// 32 bits, floating point.
    F32,
    /// 64 bits, floating point.
    F64,
}

impl fmt::Display for ResultType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// A module's memory, and the window of it that the machine holds. Pages have 64 KiB.
///
/// The machine holds the whole memory unless a module declares more pages than the machine has.
/// Then accesses outside the window trap, although they are valid in the module's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryWindow {
    /// Initial pages of the module's memory.
    pub initial: u32,
    /// Pages to which the module's memory may grow.
    pub limit: u32,
    /// The address in the module's memory at which the window begins.
    pub origin: u32,
    /// Initial pages that the machine holds.
    pub held: u32,
    /// Whether the program grows its memory and the module's maximum is greater than
    /// [`MemoryWindow::limit`], so that the machine may refuse growths that the module allows.
    pub capped: bool,
    /// The initial stack pointer: the first mutable global, by the convention of linkers.
    pub stack_pointer: Option<u32>,
    /// The number that is added to an address of the module, after the origin is subtracted, to get
    /// the address in the machine.
    pub shift: u32,
    /// The machine's address after the largest memory that the module may grow to.
    pub end: u32,
}

impl MemoryWindow {
    /// Translates an address that the machine holds to the module's memory.
    #[must_use]
    pub fn guest_address(&self, machine: u64) -> u64 {
        (machine + u64::from(self.origin)).saturating_sub(self.shift.into())
    }

    /// The addresses of the module's memory that the machine holds before the memory grows.
    #[must_use]
    pub fn held_addresses(&self) -> Range<u64> {
        let start = u64::from(self.origin);
        start..start + (u64::from(self.held) << 16)
    }

    /// Whether addresses lie inside the initial pages of the module's memory, all of them, but not
    /// all of them inside the window that the machine holds.
    #[must_use]
    pub fn leaves_out(&self, addresses: &Range<u64>) -> bool {
        let held = self.held_addresses();
        let inside = held.start <= addresses.start && addresses.end <= held.end;
        addresses.end <= u64::from(self.initial) << 16 && !inside
    }
}

/// The source location of an instruction of a program.
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
        self.turning(Program {
            code: self.program.code.clone(),
            sections: self.sections_with(self.program.sections.iter().cloned(), input.into()),
            turns: None,
            resident: None,
        })
    }

    /// The program with an input, like [`Lowered::with_input`], but without a copy.
    #[must_use]
    pub fn into_program(mut self, input: impl Into<Input>) -> Program {
        let sections = std::mem::take(&mut self.program.sections);
        let sections = self.sections_with(sections.into_iter(), input.into());
        let code = std::mem::take(&mut self.program.code);
        self.turning(Program {
            sections,
            code,
            turns: None,
            resident: None,
        })
    }

    /// The program with the handler that carries it to another context, if that was asked for and
    /// is possible.
    fn turning(&self, mut program: Program) -> Program {
        if let Some(memory) = self.turns {
            handler::append(&mut program, memory);
        }
        program
    }

    /// The machine's address after the last byte of an input, if the program reads any.
    #[must_use]
    pub fn input_end(&self, input: &Input) -> Option<u64> {
        let bytes = input.section(self.reads_arguments).len();
        Some(u64::from(self.input_address?) + bytes as u64)
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

    /// The address in the module's memory that the instruction of a number accesses, from the
    /// address in the machine. It has up to 33 bits: operand and offset do not wrap.
    #[must_use]
    pub fn accessed_address(&self, instruction: usize, machine: u64) -> u64 {
        let index = instruction.checked_sub(self.first as usize);
        let accesses = index.and_then(|index| self.program.code.get(index));
        let low = accesses.map_or(0, |accesses| u64::from(accesses.low()));
        let rewritten = self.origin(instruction);
        match rewritten.and_then(|origin| self.rewritten.get(origin)) {
            Some(&RewrittenAddress { subtracted, offset }) => {
                let operand = machine.saturating_sub(low) as u32;
                u64::from(operand.wrapping_add(subtracted)) + offset
            }
            None => self.memory.guest_address(machine),
        }
    }

    fn origin(&self, instruction: usize) -> Option<&Origin> {
        let before = self.first as usize + self.program.sections.len();
        self.origins.get(instruction.checked_sub(before)?)
    }

    /// The function of the module, and the place in it, that the instruction of a number was
    /// lowered from. `None` for a leading `section`, and for what is not the program's code.
    #[must_use]
    pub fn location(&self, instruction: usize) -> Option<Location<'_>> {
        let origin = self.origin(instruction)?;
        let (function, name) = self.functions.get(origin.function as usize)?;
        let offset = function.map(|_| origin.offset);
        Some(Location {
            function: *function,
            name,
            offset,
        })
    }

    /// The numbers of the instructions that push -1, the result of `memory.grow` when the machine
    /// refuses the growth.
    pub fn refused_growths(&self) -> impl Iterator<Item = usize> {
        let code = (self.first as usize..).zip(&self.program.code);
        let refusals = code.filter(|(_, instruction)| {
            instruction.op == Op::I32Const && instruction.immediate() == u32::MAX
        });
        refusals.map(|(index, _)| index).filter(|&index| {
            let location = self.location(index);
            location.is_some_and(|location| {
                location.function.is_none() && location.name.ends_with("memory.grow")
            })
        })
    }

    /// The functions of the program: their indices in the module and their names. Code that the
    /// lowering adds has no index.
    pub fn functions(&self) -> impl Iterator<Item = (Option<u32>, &str)> {
        self.functions
            .iter()
            .map(|(index, name)| (*index, name.as_str()))
    }
}
