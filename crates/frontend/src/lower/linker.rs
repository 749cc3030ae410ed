//! A worklist linker: it allocates a function, a dispatch through a table or a global when the
//! first code that uses it is lowered.
//!
//! It allocates labels and words and keeps the queue of functions that are still to be lowered. It
//! does not know how a function is lowered.

use std::collections::{HashMap, HashSet, VecDeque};

use wasmparser::{FuncType, ValType};
use weightware_isa::{Op, Trap};

use super::key::{Dispatch, InitialValue, Key, Unit};
use super::runtime_library;
use crate::code::{Builder, Callee, Code, Label, Origin};
use crate::error::Error;
use crate::library::{DISPATCH_WORD, Library, SOFTWARE, STACK_WORD};
use crate::lowered::{ResultType, RewrittenAddress};
use crate::memory_layout::MemoryLayout;
use crate::module::{Global, Module};
use crate::width::Bits;

/// The linker: the state of the lowering that functions share.
pub(crate) struct Linker<'m> {
    /// The function that is being built.
    pub(crate) code: Builder,
    pub(crate) layout: MemoryLayout,
    guest: &'m Module<'m>,
    callees: HashMap<Key, Callee>,
    queue: VecDeque<Key>,
    dispatches: HashMap<Dispatch, Callee>,
    dispatch_queue: VecDeque<Dispatch>,
    traps: Vec<(Trap, Label)>,
    /// Names of the functions of the program, with their indices in the guest.
    pub(crate) functions: Vec<(Option<u32>, String)>,
    origins: HashMap<Key, u32>,
    /// The accesses whose addresses the lowering rewrites.
    pub(crate) rewritten: HashMap<Origin, RewrittenAddress>,
    /// The library in the model's weights.
    pub(crate) library: Option<&'m Library>,
    /// The labels of its functions that the code calls, and their numbers.
    pub(crate) absolute: Vec<(Label, u32)>,
    used_words: HashSet<u32>,
    /// The word of each global that the code uses.
    words: HashMap<(Unit, u32), u32>,
    /// The word that holds the length of each passive data segment that the code uses.
    lengths: HashMap<u32, u32>,
    /// Values of all these words before the entry.
    pub(crate) initial_values: Vec<InitialValue>,
    /// Passive data segments that the code uses.
    pub(crate) passive: Vec<u32>,
    pub(crate) reads_bytes: bool,
    pub(crate) reads_arguments: bool,
}

impl<'m> Linker<'m> {
    /// An empty linker; `rewrites`: whether the builder optimises what it appends.
    pub(crate) fn new(guest: &'m Module<'m>, layout: MemoryLayout, rewrites: bool) -> Self {
        Self {
            code: Builder::new(rewrites),
            layout,
            guest,
            callees: HashMap::new(),
            queue: VecDeque::new(),
            dispatches: HashMap::new(),
            dispatch_queue: VecDeque::new(),
            traps: Vec::new(),
            functions: vec![(None, "entry".to_owned())],
            origins: HashMap::new(),
            rewritten: HashMap::new(),
            library: None,
            absolute: Vec::new(),
            used_words: HashSet::new(),
            words: HashMap::new(),
            lengths: HashMap::new(),
            initial_values: Vec::new(),
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

    /// Sets the origin of the instructions that follow: a byte of a function.
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
        self.code.here = Origin { function, offset };
    }

    /// Sets the origin of the instructions that follow: code that the lowering adds, by name.
    pub(crate) fn set_origin_added(&mut self, name: &str) {
        let function = self.add_function(None, name.to_owned());
        self.code.here = Origin {
            function,
            offset: 0,
        };
    }

    fn add_function(&mut self, index: Option<u32>, name: String) -> u32 {
        self.functions.push((index, name));
        u32::try_from(self.functions.len() - 1).unwrap_or(u32::MAX)
    }

    /// Returns a function for its callers. The first request queues it for lowering.
    pub(crate) fn request(&mut self, key: Key) -> Callee {
        if let Some(&callee) = self.callees.get(&key) {
            return callee;
        }
        let ty = self.module(key.unit).type_of(key.index);
        let callee = Callee {
            label: self.code.label(),
            pops: ty.params().len(),
            pushes: ty.results().len(),
        };
        self.callees.insert(key, callee);
        match self.in_library(key) {
            Some(entry) => self.absolute.push((callee.label, entry)),
            None => self.queue.push_back(key),
        }
        callee
    }

    /// The number of a routine's first instruction in the library.
    fn in_library(&self, key: Key) -> Option<u32> {
        let library = self.library.filter(|_| key.unit != Unit::Guest)?;
        let exports = &self.module(key.unit).exports;
        let mut names = exports.iter().filter(|(_, _, index)| *index == key.index);
        names.find_map(|(name, ..)| Some(library.function(SOFTWARE, name)?.entry))
    }

    /// Returns a function of the library for its callers, if its type is this one.
    pub(crate) fn library_function(
        &mut self,
        module: &str,
        name: &str,
        ty: &FuncType,
    ) -> Option<Callee> {
        let function = self.library?.function(module, name)?;
        let is = |types: &[ValType], own: &[ResultType]| {
            let types = types.iter().map(|&ty| ResultType::of(ty));
            types.eq(own.iter().copied().map(Some))
        };
        if !(is(ty.params(), &function.params) && is(ty.results(), &function.results)) {
            return None;
        }
        let entry = function.entry;
        let known = self.absolute.iter().find(|(_, number)| *number == entry);
        let label = match known {
            Some(&(label, _)) => label,
            None => {
                let label = self.code.label();
                self.absolute.push((label, entry));
                label
            }
        };
        Some(Callee {
            label,
            pops: ty.params().len(),
            pushes: ty.results().len(),
        })
    }

    /// Gives the stack pointer of a module its word, which a library's functions use.
    pub(crate) fn reserve(&mut self, module: &Module<'_>) {
        let pointer = stack_pointer(module);
        let value = pointer.and_then(|(global, _)| global.value);
        let value = value.unwrap_or(Bits::Word(0));
        self.initial_values.push(InitialValue::Bits(value));
        self.initial_values.push(InitialValue::Bits(Bits::Word(0)));
        if let Some((_, index)) = pointer {
            self.words.insert((Unit::Guest, index), STACK_WORD);
        }
    }

    /// Reserves the words that a library's functions use, for a program that calls them.
    ///
    /// # Errors
    /// If the program lacks what they need.
    pub(crate) fn serve_library(&mut self, module: &Module<'_>) -> Result<(), Error> {
        if (self.layout.origin, self.layout.shift) != (0, 0) {
            return Err(Error::unsupported(
                "the machine holds the memory of this program at other addresses than its own, and a library uses those of the machine",
            )
            .remedy("link with a smaller initial memory, and let it grow by less"));
        }
        self.reserve(module);
        let imports = module.imports.iter();
        let used = imports.filter_map(|import| self.library?.module(import.module));
        let (mut needs_stack, mut calls_back) = (false, false);
        for library in used {
            needs_stack |= library.needs_stack;
            calls_back |= library.calls_back;
        }
        if needs_stack && stack_pointer(module).is_none() {
            return Err(Error::unsupported(
                "the program has no stack pointer, and functions of the library need a stack in memory",
            )
            .remedy("make its first mutable global a stack pointer, `(global $__stack_pointer (mut i32) (i32.const 65536))`: they may write below this address, a multiple of 16"));
        }
        let compare = [ValType::I32, ValType::I32];
        let mut types = module.types.iter();
        let ty = types.position(|ty| ty.params() == compare && ty.results() == [ValType::I32]);
        if calls_back {
            // Without a function of that type, a call back traps like any call through a table.
            let label = match (ty, module.tables.first()) {
                (Some(ty), Some(_)) => self.dispatch(Dispatch { table: 0, ty }).label,
                (None, Some(_)) => self.trap(Trap::IndirectCallType),
                (_, None) => self.trap(Trap::UndefinedElement),
            };
            self.initial_values[DISPATCH_WORD as usize] = InitialValue::Place(label);
        }
        Ok(())
    }

    /// Whether the code reads or writes the word of a global.
    pub(crate) fn uses_word(&self, word: u32) -> bool {
        self.used_words.contains(&word)
    }

    /// The next function to lower.
    pub(crate) fn next_function(&mut self) -> Option<(Label, Key)> {
        let key = self.queue.pop_front()?;
        Some((self.callees[&key].label, key))
    }

    /// Returns the target of calls of a type through a table. The first request queues it for
    /// lowering.
    pub(crate) fn dispatch(&mut self, dispatch: Dispatch) -> Callee {
        if let Some(&callee) = self.dispatches.get(&dispatch) {
            return callee;
        }
        let ty = &self.guest.types[dispatch.ty];
        let callee = Callee {
            label: self.code.label(),
            pops: ty.params().len(),
            pushes: ty.results().len(),
        };
        self.dispatches.insert(dispatch, callee);
        self.dispatch_queue.push_back(dispatch);
        callee
    }

    /// The next dispatch to lower.
    pub(crate) fn next_dispatch(&mut self) -> Option<(Label, Dispatch)> {
        let dispatch = self.dispatch_queue.pop_front()?;
        Some((self.dispatches[&dispatch].label, dispatch))
    }

    /// The label of the code that ends the run with a trap.
    pub(crate) fn trap(&mut self, trap: Trap) -> Label {
        match self.traps.iter().find(|&&(other, _)| other == trap) {
            Some(&(_, label)) => label,
            None => {
                let label = self.code.label();
                self.traps.push((trap, label));
                label
            }
        }
    }

    /// The code of each trap that is a jump target.
    pub(crate) fn trap_code(&mut self) -> Vec<(Label, Code)> {
        let traps = std::mem::take(&mut self.traps);
        let code = &mut self.code;
        traps
            .into_iter()
            .map(|(trap, label)| {
                code.op(Op::trap(trap));
                (label, code.finish(0, 0))
            })
            .collect()
    }

    /// The word of a global.
    pub(crate) fn global(&mut self, unit: Unit, index: u32) -> u32 {
        let next = u32::try_from(self.initial_values.len()).unwrap_or(u32::MAX);
        let word = *self.words.entry((unit, index)).or_insert(next);
        self.used_words.insert(word);
        if word == next {
            let global = &self.module(unit).globals[index as usize];
            self.initial_values.push(match global.value {
                _ if unit == Unit::Routines && index == runtime_library::INPUT_LENGTH => {
                    InitialValue::InputLength
                }
                value => InitialValue::Bits(value.unwrap_or(Bits::Word(0))),
            });
        }
        word
    }

    /// The word that holds the length of a passive data segment, and the segment's offset in the
    /// hidden data.
    pub(crate) fn passive(&mut self, segment: u32) -> (u32, u32) {
        let next = u32::try_from(self.initial_values.len()).unwrap_or(u32::MAX);
        let word = *self.lengths.entry(segment).or_insert(next);
        if word == next {
            let bytes = self.guest.data[segment as usize].bytes.len();
            let length = Bits::Word(u32::try_from(bytes).unwrap_or(u32::MAX));
            self.initial_values.push(InitialValue::Bits(length));
            self.passive.push(segment);
        }
        (word, self.passive_offset(segment))
    }

    /// The offset of a passive segment in the hidden data; for the index after the last segment,
    /// the end of all segments.
    fn passive_offset(&self, segment: u32) -> u32 {
        let before = &self.guest.data[..segment as usize];
        let passive = before.iter().filter(|data| data.address.is_none());
        let bytes: usize = passive.map(|data| data.bytes.len()).sum();
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// The address of a passive segment in memory.
    pub(crate) fn passive_address(&self, segment: u32) -> u32 {
        self.layout.hidden + self.passive_offset(segment)
    }

    /// The offset of the input in the hidden data: its length, then its bytes.
    pub(crate) fn input_offset(&self) -> u32 {
        self.passive_offset(u32::try_from(self.guest.data.len()).unwrap_or(u32::MAX))
    }

    /// Appends a call of a routine of the runtime library.
    pub(crate) fn call_routine(&mut self, name: &str) {
        let key = self.find_routine(name);
        let key = key.unwrap_or_else(|| panic!("the runtime library has no routine {name}"));
        let callee = self.request(key);
        self.code.call(callee);
    }

    /// The routine with a name, if the runtime library has one.
    pub(crate) fn find_routine(&self, name: &str) -> Option<Key> {
        [Unit::Routines, Unit::Floats].into_iter().find_map(|unit| {
            let index = self.module(unit).exported_function(name)?;
            Some(Key { unit, index })
        })
    }
}

/// The first mutable global of a module with its index, if it is a stack pointer: linkers align it
/// to 16, and give it this name, if any.
pub(super) fn stack_pointer<'m>(module: &'m Module<'_>) -> Option<(&'m Global, u32)> {
    let mut globals = module.globals.iter().zip(0..);
    let (global, index) = globals.find(|(global, _)| global.mutable)?;
    let name = module.global_names.get(&index);
    let is_named = name.is_none_or(|&name| name == "__stack_pointer");
    let is_aligned =
        matches!(global.value, Some(Bits::Word(word)) if word > 0 && word.is_multiple_of(16));
    (global.ty == ValType::I32 && is_named && is_aligned).then_some((global, index))
}
