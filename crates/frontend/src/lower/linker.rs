//! What is reachable from the entry becomes one program.

use std::collections::{HashMap, HashSet, VecDeque};

use weightware_isa::{Instruction, Op, Trap};

use super::function;
use super::key::{Dispatch, First, Key, Unit};
use super::runtime_library;
use crate::code::Code;
use crate::code::{Assembler, Label, Origin};
use crate::error::Error;
use crate::memory_layout::MemoryLayout;
use crate::module::Module;
use crate::options::Options;
use crate::passes::{self, Pass};
use crate::width::Bits;

/// The state of the lowering.
pub(crate) struct Linker<'m> {
    pub(crate) asm: Assembler,
    pub(crate) layout: MemoryLayout,
    pub(crate) options: &'m Options,
    guest: &'m Module<'m>,
    entries: HashMap<Key, Label>,
    queue: VecDeque<Key>,
    dispatches: HashMap<Dispatch, Label>,
    pending: VecDeque<Dispatch>,
    traps: Vec<(Trap, Label)>,
    /// Names of the functions of the code, and their indices if they are the guest's.
    pub(crate) functions: Vec<(Option<u32>, String)>,
    origins: HashMap<Key, u32>,
    /// Words of the globals that the code uses, and of the lengths of passive data segments.
    words: HashMap<(Unit, u32), u32>,
    lengths: HashMap<u32, u32>,
    pub(crate) first: Vec<First>,
    /// Passive data segments that the code uses.
    pub(crate) passive: Vec<u32>,
    pub(crate) reads_bytes: bool,
    pub(crate) reads_arguments: bool,
}

impl<'m> Linker<'m> {
    pub(crate) fn new(guest: &'m Module<'m>, layout: MemoryLayout, options: &'m Options) -> Self {
        Self {
            asm: Assembler::new(options.passes.contains(Pass::Peephole)),
            layout,
            options,
            guest,
            entries: HashMap::new(),
            queue: VecDeque::new(),
            dispatches: HashMap::new(),
            pending: VecDeque::new(),
            traps: Vec::new(),
            functions: vec![(None, "entry".to_owned())],
            origins: HashMap::new(),
            words: HashMap::new(),
            lengths: HashMap::new(),
            first: Vec::new(),
            passive: Vec::new(),
            reads_bytes: false,
            reads_arguments: false,
        }
    }

    pub(crate) fn module(&self, unit: Unit) -> &'m Module<'m> {
        match unit {
            Unit::Guest => self.guest,
            Unit::Routines => runtime_library::routines(),
            Unit::Floats => runtime_library::floats(),
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
                    _ => self.add_function(None, format!("software {name}")),
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

    /// The label of a function that will be lowered.
    pub(crate) fn request(&mut self, key: Key) -> Label {
        if let Some(&entry) = self.entries.get(&key) {
            return entry;
        }
        let module = self.module(key.unit);
        let ty = module.type_of(key.index);
        let (pops, pushes) = (ty.params().len(), ty.results().len());
        let entry = self.asm.function_label(pops, pushes);
        self.entries.insert(key, entry);
        self.queue.push_back(key);
        entry
    }

    /// The label of the code that calls of a type through a table go to.
    pub(crate) fn dispatch(&mut self, dispatch: Dispatch) -> Label {
        if let Some(&label) = self.dispatches.get(&dispatch) {
            return label;
        }
        let ty = &self.guest.types[dispatch.ty];
        let (pops, pushes) = (ty.params().len(), ty.results().len());
        let label = self.asm.function_label(pops, pushes);
        self.dispatches.insert(dispatch, label);
        self.pending.push_back(dispatch);
        label
    }

    /// Where code goes that traps.
    pub(crate) fn trap(&mut self, trap: Trap) -> Label {
        match self.traps.iter().find(|&&(other, _)| other == trap) {
            Some(&(_, label)) => label,
            None => {
                let label = self.asm.label();
                self.traps.push((trap, label));
                label
            }
        }
    }

    /// The word of a global.
    pub(crate) fn global(&mut self, unit: Unit, index: u32) -> u32 {
        let next = u32::try_from(self.first.len()).unwrap_or(u32::MAX);
        let word = *self.words.entry((unit, index)).or_insert(next);
        if word == next {
            let global = &self.module(unit).globals[index as usize];
            self.first.push(match global.value {
                _ if unit == Unit::Routines && index == runtime_library::INPUT_LENGTH => {
                    First::InputLength
                }
                Some(value) => First::Value(value),
                None => First::Value(Bits::Word(0)),
            });
        }
        word
    }

    /// The word that holds the length of a passive data segment, and where in the hidden data it lies.
    pub(crate) fn passive(&mut self, segment: u32) -> (u32, u32) {
        let next = u32::try_from(self.first.len()).unwrap_or(u32::MAX);
        let word = *self.lengths.entry(segment).or_insert(next);
        if word == next {
            let bytes = self.guest.data[segment as usize].bytes.len();
            let length = u32::try_from(bytes).unwrap_or(u32::MAX);
            self.first.push(First::Value(Bits::Word(length)));
            self.passive.push(segment);
        }
        (word, self.passive_offset(segment))
    }

    /// Where in the hidden data a passive segment lies; of the first that there is not, where they end.
    fn passive_offset(&self, segment: u32) -> u32 {
        let before = &self.guest.data[..segment as usize];
        let passive = before.iter().filter(|data| data.address.is_none());
        let bytes: usize = passive.map(|data| data.bytes.len()).sum();
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// Where passive segments begin in memory.
    pub(crate) fn passive_address(&self, segment: u32) -> u32 {
        self.layout.hidden + self.passive_offset(segment)
    }

    /// Where in the hidden data the input is: its length, then its bytes.
    pub(crate) fn input_offset(&self) -> u32 {
        self.passive_offset(u32::try_from(self.guest.data.len()).unwrap_or(u32::MAX))
    }

    /// Lowers all functions that are called, those that they call, and what stands behind them.
    pub(crate) fn functions(&mut self) -> Result<(), Error> {
        let roots: HashSet<Label> = self.queue.iter().map(|key| self.entries[key]).collect();
        let mut elements = HashSet::new();
        let mut codes: Vec<(Label, Code)> = Vec::new();
        let mut rows = Vec::new();
        loop {
            while let Some(key) = self.queue.pop_front() {
                codes.push((self.entries[&key], function::lower(self, key)?));
            }
            let Some(dispatch) = self.pending.pop_front() else {
                break;
            };
            elements.extend(self.request_elements(dispatch));
            rows.push(dispatch);
        }
        let fresh = || self.asm.label();
        passes::run(&mut codes, self.options.passes, &roots, &elements, fresh);
        for (entry, code) in codes {
            self.asm.bind(entry);
            self.asm.put(&code);
            self.asm.check_size()?;
        }
        for dispatch in rows {
            let function = self.add_function(None, "table".to_owned());
            self.asm.here = Origin {
                function,
                offset: 0,
            };
            self.dispatch_code(dispatch, self.dispatches[&dispatch]);
            self.asm.check_size()?;
        }
        for (trap, label) in std::mem::take(&mut self.traps) {
            self.asm.bind(label);
            self.asm.op(Op::trap(trap));
        }
        Ok(())
    }

    /// The code, with what was assembled from `first` on before all else, behind so many instructions of another kind.
    pub(crate) fn finish(
        self,
        first: usize,
        before: usize,
    ) -> Result<(Vec<Instruction>, Vec<Origin>), Error> {
        self.asm.finish(first, before)
    }
}
