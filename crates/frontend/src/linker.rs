//! What is reachable from the entry becomes one program.

use std::collections::{HashMap, VecDeque};

use weightware_isa::{Instruction, Op, Trap};

use crate::assembler::{Assembler, Label, Origin};
use crate::cycles::cycles;
use crate::error::Error;
use crate::function;
use crate::module::{Module, PAGE};

/// Which module a function is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Unit {
    /// The one that is lowered.
    Guest,
    /// The software of instructions that the machine does not have.
    Software,
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) unit: Unit,
    pub(crate) index: u32,
}

/// Where functions call input from: these words stand behind the globals.
const HIDDEN: u32 = 2;

/// The state of the lowering.
pub(crate) struct Linker<'m> {
    pub(crate) asm: Assembler,
    guest: &'m Module<'m>,
    software: &'m Module<'m>,
    entries: HashMap<Key, Label>,
    queue: VecDeque<Key>,
    /// Names of the functions of the code, and their indices if they are the guest's.
    pub(crate) functions: Vec<(Option<u32>, String)>,
    origins: HashMap<Key, u32>,
    /// Of every function of the guest the cycle of calls that it is on.
    cycles: Vec<Option<u32>>,
    /// Words of the largest frame of each cycle.
    frames: HashMap<u32, u32>,
    /// Constants that become the calls that may nest in a cycle.
    budgets: Vec<(usize, u32)>,
    exhausted: Option<Label>,
    getchar: Option<Label>,
    stack_words: u32,
}

impl<'m> Linker<'m> {
    pub(crate) fn new(
        guest: &'m Module<'m>,
        software: &'m Module<'m>,
        stack_words: u32,
    ) -> Result<Self, Error> {
        Ok(Self {
            asm: Assembler::default(),
            guest,
            software,
            entries: HashMap::new(),
            queue: VecDeque::new(),
            functions: vec![(None, "entry".to_owned())],
            origins: HashMap::new(),
            cycles: cycles(guest)?,
            frames: HashMap::new(),
            budgets: Vec::new(),
            exhausted: None,
            getchar: None,
            stack_words,
        })
    }

    pub(crate) fn module(&self, unit: Unit) -> &'m Module<'m> {
        match unit {
            Unit::Guest => self.guest,
            Unit::Software => self.software,
        }
    }

    /// What comes next is from that byte of that function.
    pub(crate) fn set_origin(&mut self, key: Key, offset: u64) {
        let function = match self.origins.get(&key) {
            Some(&function) => function,
            None => {
                let name = self.module(key.unit).name_of(key.index);
                let function = match key.unit {
                    Unit::Guest => self.add_function(Some(key.index), name),
                    Unit::Software => self.add_function(None, format!("software {name}")),
                };
                self.origins.insert(key, function);
                function
            }
        };
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.asm.here = Origin { function, offset };
    }

    fn add_function(&mut self, index: Option<u32>, name: String) -> u32 {
        self.functions.push((index, name));
        u32::try_from(self.functions.len() - 1).unwrap_or(u32::MAX)
    }

    /// The cycle of calls that a function is on.
    pub(crate) fn cycle(&self, key: Key) -> Option<u32> {
        match key.unit {
            Unit::Guest => self.cycles[key.index as usize],
            Unit::Software => None,
        }
    }

    /// Where functions go whose budget of nested calls is used up.
    pub(crate) fn exhausted(&mut self) -> Label {
        *self.exhausted.get_or_insert_with(|| self.asm.label())
    }

    /// Calls a function that is not imported. `budget` is the calling function and its local that holds how many
    /// calls may still nest, if it is recursive.
    pub(crate) fn call(&mut self, callee: Key, budget: Option<(Key, u32)>) {
        if let Some(cycle) = self.cycle(callee) {
            match budget {
                Some((caller, local)) if self.cycle(caller) == Some(cycle) => {
                    self.asm.emit(Op::LocalGet, local);
                }
                _ => {
                    self.budgets.push((self.asm.len(), cycle));
                    self.asm.constant(0);
                }
            }
        }
        let entry = self.request(callee);
        self.asm.call(entry);
    }

    /// The label of a function that will be lowered.
    pub(crate) fn request(&mut self, key: Key) -> Label {
        if let Some(&entry) = self.entries.get(&key) {
            return entry;
        }
        let entry = self.asm.label();
        self.entries.insert(key, entry);
        self.queue.push_back(key);
        entry
    }

    /// Calls a routine of the software by its export.
    pub(crate) fn call_software(&mut self, name: &str) {
        let index = self.software.exported_function(name);
        let index = index.unwrap_or_else(|| panic!("the software has no routine {name}"));
        self.call(
            Key {
                unit: Unit::Software,
                index,
            },
            None,
        );
    }

    /// Calls the routine that reads a byte of input.
    pub(crate) fn call_getchar(&mut self) {
        let label = *self.getchar.get_or_insert_with(|| self.asm.label());
        self.asm.call(label);
    }

    pub(crate) fn reads_input(&self) -> bool {
        self.getchar.is_some()
    }

    /// Words of a function's frame are known, so its calls are.
    pub(crate) fn close_frame(&mut self, key: Key, words: u32) {
        self.asm.close_frame(words);
        if let Some(cycle) = self.cycle(key) {
            let most = self.frames.entry(cycle).or_default();
            *most = words.max(*most);
        }
    }

    /// Lowers all functions that are called, those that they call, and what stands behind them.
    pub(crate) fn functions(&mut self) -> Result<(), Error> {
        while let Some(key) = self.queue.pop_front() {
            let entry = self.entries[&key];
            function::lower(self, key, entry)?;
        }
        if let Some(label) = self.getchar {
            let function = self.add_function(None, "software getchar".to_owned());
            self.asm.here = Origin {
                function,
                offset: 0,
            };
            self.getchar(label);
        }
        if let Some(label) = self.exhausted {
            self.asm.bind(label);
            self.asm.op(Op::trap(Trap::CallStackExhausted));
        }
        Ok(())
    }

    /// Address of the input: its length, then its bytes.
    pub(crate) fn input_base(&self) -> u32 {
        self.guest.memory.unwrap_or(0) * PAGE
    }

    /// Pages that the routines of the input may access: the guest's, and one for the input.
    fn input_pages(&self) -> u8 {
        u8::try_from(self.guest.memory.unwrap_or(0)).map_or(255, |pages| pages.saturating_add(1))
    }

    /// The words of the input's position and end.
    fn input_words(&self) -> (u32, u32) {
        let globals = u32::try_from(self.guest.globals.len()).unwrap_or(u32::MAX - HIDDEN);
        (globals, globals + 1)
    }

    /// Words of the globals, the hidden ones included.
    pub(crate) fn global_words(&self) -> u32 {
        self.input_words().0 + if self.reads_input() { HIDDEN } else { 0 }
    }

    /// Sets the hidden words.
    pub(crate) fn open_input(&mut self) {
        let (position, end) = self.input_words();
        let (base, pages) = (self.input_base(), self.input_pages());
        self.asm.constant(0);
        self.asm.emit(Op::GlobalSet, position);
        self.asm.constant(0);
        self.asm.emit_byte(Op::I32Load, base, pages);
        self.asm.emit(Op::GlobalSet, end);
    }

    /// ` -- byte`, or -1 at the end of the input.
    fn getchar(&mut self, label: Label) {
        let (position, end) = self.input_words();
        let (base, pages) = (self.input_base(), self.input_pages());
        let asm = &mut self.asm;
        let ended = asm.label();
        asm.bind(label);
        asm.emit(Op::GlobalGet, position);
        asm.emit(Op::GlobalGet, end);
        asm.op(Op::I32LtU);
        asm.branch(Op::BrUnless, ended);
        asm.emit(Op::GlobalGet, position);
        asm.emit_byte(Op::I32Load8U, base + 4, pages);
        asm.emit(Op::GlobalGet, position);
        asm.constant(1);
        asm.op(Op::I32Add);
        asm.emit(Op::GlobalSet, position);
        asm.op(Op::Return);
        asm.bind(ended);
        asm.constant(u32::MAX);
        asm.op(Op::Return);
    }

    /// The code, with what was assembled from `first` on before all else, behind so many instructions of another kind.
    pub(crate) fn finish(
        mut self,
        first: usize,
        before: usize,
    ) -> Result<(Vec<Instruction>, Vec<Origin>), Error> {
        for (index, cycle) in std::mem::take(&mut self.budgets) {
            let words = self.frames.get(&cycle).copied().unwrap_or(1).max(1);
            let calls = (self.stack_words / words).max(1);
            self.asm.patch_constant(index, calls.saturating_add(1));
        }
        self.asm.finish(first, before)
    }
}
