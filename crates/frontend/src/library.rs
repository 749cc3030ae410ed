//! Libraries: functions that programs call by import, lowered to code with fixed numbers.
//!
//! A model has a library in its weights. Its code is lowered once, module by module. A program that
//! imports a function of it calls a number; nothing of the function is in the program.
//!
//! A module and the programs that call it agree on this:
//!
//! | part | rule |
//! |---|---|
//! | arguments, results | on the operand stack, as in every call |
//! | locals | in the frame that the call makes |
//! | stack pointer | word 0: the program's first mutable global, an i32, which the module's own stands for; a multiple of 16 above 0, named `__stack_pointer` or not at all |
//! | calls back | to elements of the program's first table, of type `(i32, i32) -> i32`: word 1 holds the place of the program's dispatch, or of a trap |
//! | memory | the program's, by its own addresses. Accesses are not checked against its size |
//! | constants | from address 2^23 on, below 2^24: after the memory that programs write |
//! | traps | as in any function |

use std::sync::Arc;

use weightware_isa::{Instruction, LIBRARY_AT, Resident};

use crate::lowered::ResultType;

/// The word of the stack pointer.
pub(crate) const STACK_WORD: u32 = 0;

/// The word that holds the place of the program's dispatch of calls back.
pub(crate) const DISPATCH_WORD: u32 = 1;

/// The name of the module of operators that the machine lacks.
pub const SOFTWARE: &str = "software";

/// Numbers left free between blocks of code, so that adding one changes nothing of another.
pub(crate) const GAP: u32 = 16;

/// A function of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryFunction {
    /// The name under which it is imported.
    pub name: String,
    /// The types of its parameters.
    pub params: Vec<ResultType>,
    /// The types of its results.
    pub results: Vec<ResultType>,
    /// The number of its first instruction.
    pub entry: u32,
}

/// A module of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryModule {
    /// The name under which its functions are imported.
    pub name: String,
    /// The number of its first instruction.
    pub first: u32,
    /// Its code.
    pub code: Arc<[Instruction]>,
    /// Its constants: first addresses and bytes.
    pub memory: Vec<(u32, Vec<u8>)>,
    /// Its functions.
    pub functions: Vec<LibraryFunction>,
    /// Whether a function of it needs a stack in memory.
    pub needs_stack: bool,
    /// Whether a function of it calls back.
    pub calls_back: bool,
}

/// A program in the weights, to which prompts jump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryProgram {
    /// The name under which it is run.
    pub name: String,
    /// The number of its first instruction.
    pub first: u32,
    /// Its code, which stores its data and ends the run.
    pub code: Arc<[Instruction]>,
}

/// A library: functions that programs call by import, and programs that prompts run by name.
///
/// ```
/// use weightware_frontend::{Library, Options, lower};
/// use weightware_isa::Op;
///
/// let module = r#"(module (func (export "twice") (param i32) (result i32)
///     (i32.shl (local.get 0) (i32.const 1))))"#;
/// let mut library = Library::default();
/// library.add("arithmetic", module.as_bytes())?;
///
/// let program = r#"(module (import "arithmetic" "twice" (func $twice (param i32) (result i32)))
///     (func (export "main") (result i32) (call $twice (i32.const 21))))"#;
/// let lowered = lower(program.as_bytes(), &Options::default().with_library(library))?;
/// // Nothing of the function is in the program.
/// assert!(lowered.program.code.iter().all(|instruction| instruction.op != Op::I32Shl));
/// # Ok::<(), weightware_frontend::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Library {
    /// The modules, in the order in which they were added.
    pub modules: Vec<LibraryModule>,
    /// The programs, in the order in which they were added.
    pub programs: Vec<LibraryProgram>,
}

impl Library {
    /// The number at which the next block of code begins.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        let ends = self.blocks().map(|(first, code)| first + code.len() as u32);
        ends.max()
            .map_or(LIBRARY_AT, |end| (end + GAP).next_multiple_of(GAP))
    }

    /// The code of modules and programs: the number of the first instruction of each block, and the
    /// block.
    fn blocks(&self) -> impl Iterator<Item = (u32, &Arc<[Instruction]>)> {
        let modules = self.modules.iter();
        let modules = modules.map(|module| (module.first, &module.code));
        let programs = self.programs.iter();
        modules.chain(programs.map(|program| (program.first, &program.code)))
    }

    /// The modules whose code lies before a number: those for which a program there was lowered.
    #[must_use]
    pub fn before(&self, number: u32) -> Self {
        let modules = self.modules.iter();
        let before = modules.filter(|module| module.first < number);
        Self {
            modules: before.cloned().collect(),
            programs: vec![],
        }
    }

    /// An address for the constants of another module: after those of the modules, and of all
    /// built-in ones, which have 64 KiB each from 0x900000 on.
    #[must_use]
    pub fn free_address(&self) -> u32 {
        const AFTER_BUILT_IN: u32 = 0x00a0_0000;
        let constants = self.modules.iter().flat_map(|module| &module.memory);
        let ends = constants.map(|(first, bytes)| first + bytes.len() as u32);
        let end = ends.max().unwrap_or(0).max(AFTER_BUILT_IN);
        end.next_multiple_of(1 << 12)
    }

    /// The part of programs that a model with this library has in its weights.
    #[must_use]
    pub fn resident(&self) -> Resident {
        let memory = self
            .modules
            .iter()
            .flat_map(|module| module.memory.iter().cloned());
        let mut memory: Vec<(u32, Vec<u8>)> = memory.collect();
        memory.sort();
        let blocks = self.blocks();
        let blocks = blocks.map(|(first, code)| (first, Arc::clone(code)));
        let mut library: Vec<_> = blocks.collect();
        library.sort_by_key(|(first, _)| *first);
        Resident {
            code: false,
            memory,
            library,
        }
    }

    /// The module with a name.
    #[must_use]
    pub fn module(&self, name: &str) -> Option<&LibraryModule> {
        self.modules.iter().find(|module| module.name == name)
    }

    /// The function of a module.
    #[must_use]
    pub fn function(&self, module: &str, name: &str) -> Option<&LibraryFunction> {
        let functions = &self.module(module)?.functions;
        functions.iter().find(|function| function.name == name)
    }

    /// The most words of a frame that its code uses.
    pub(crate) fn words(&self) -> u32 {
        let code = self.modules.iter().flat_map(|module| module.code.iter());
        code.map(crate::handler::words_of).max().unwrap_or(0)
    }
}
