//! Where code is kept, and entered.

use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

use dynasmrt::ExecutableBuffer;
use dynasmrt::mmap::MutableBuffer;
use weightware_analysis::{HeadAt, Refusal};

use super::emit::{Needs, assemble};
use super::{Layout, Ran};
use crate::plan::memory::Memory;
use crate::plan::program::{Op, Program};
use crate::sparse::WIDTH;

/// What code works on. The layout is that of C; [`field`] names where things are.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Frame<'m> {
    /// [`WIDTH`] of them.
    registers: *mut f64,
    ids: *const u16,
    /// How many ids there are.
    count: u64,
    /// At least [`Needs::tables`].
    tables: *const f64,
    /// How many there are.
    table_entries: usize,
    /// The embeddings, one after the other.
    embedding: *const f64,
    /// How many numbers they are.
    embedded: u64,
    /// At least [`Needs::lines`].
    lines: *const u16,
    /// How many there are.
    line_entries: usize,
    /// Runs one step by the twin; 0 if it could be run.
    step: unsafe extern "sysv64" fn(*mut Frame<'m>, u32) -> u32,
    /// Runs all steps from one on by the twin; what code returns.
    rest: unsafe extern "sysv64" fn(*mut Frame<'m>, u32) -> u32,
    /// Takes in the key that a step inserts, of this x and y; 0 if it fits.
    insert: unsafe extern "sysv64" fn(*mut Frame<'m>, u32, f64, f64) -> u32,
    /// The entry of a group that is nearest to a whole number; [`REFUSED`] if there is none.
    find: unsafe extern "sysv64" fn(*mut Frame<'m>, u32, f64) -> u32,
    /// A value of an entry: group, entry, value.
    found: unsafe extern "sysv64" fn(*mut Frame<'m>, u32, u32, u32) -> f64,
    memory: *mut Memory,
    program: *const Program,
    heads: &'m [HeadAt],
    refusal: Option<Refusal>,
}

/// Where the fields of a frame are.
pub(super) mod field {
    use std::mem::offset_of;

    use super::Frame;

    pub(in super::super) const REGISTERS: i32 = offset_of!(Frame, registers) as i32;
    pub(in super::super) const IDS: i32 = offset_of!(Frame, ids) as i32;
    pub(in super::super) const COUNT: i32 = offset_of!(Frame, count) as i32;
    pub(in super::super) const TABLES: i32 = offset_of!(Frame, tables) as i32;
    pub(in super::super) const EMBEDDING: i32 = offset_of!(Frame, embedding) as i32;
    pub(in super::super) const EMBEDDED: i32 = offset_of!(Frame, embedded) as i32;
    pub(in super::super) const LINES: i32 = offset_of!(Frame, lines) as i32;
    pub(in super::super) const STEP: i32 = offset_of!(Frame, step) as i32;
    pub(in super::super) const REST: i32 = offset_of!(Frame, rest) as i32;
    pub(in super::super) const INSERT: i32 = offset_of!(Frame, insert) as i32;
    pub(in super::super) const FIND: i32 = offset_of!(Frame, find) as i32;
    pub(in super::super) const FOUND: i32 = offset_of!(Frame, found) as i32;
}

/// Returned for no token in particular: the output is to be computed from registers.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Returned if a step was refused.
pub(super) const REFUSED: u32 = u32::MAX - 1;

/// Returned if a guard does not hold; nothing was computed.
pub(super) const UNGUARDED: u32 = u32::MAX - 2;

type Function = for<'m> unsafe extern "sysv64" fn(*mut Frame<'m>) -> u32;

/// Translates programs.
#[derive(Debug)]
pub(in crate::plan) struct Translator(());

/// Code of a program.
#[derive(Debug)]
pub(in crate::plan) struct Code {
    function: Function,
    needs: Needs,
    /// Where the function is.
    _buffer: Arc<ExecutableBuffer>,
}

impl Translator {
    /// None if the processor lacks the instructions.
    pub(in crate::plan) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx").then_some(Self(()))
    }

    /// The code of some programs for a layout, none where a program has none; nothing if there is no room for
    /// it.
    pub(in crate::plan) fn translate(
        &self,
        programs: &[&Program],
        layout: &Layout,
    ) -> Option<Vec<Option<Code>>> {
        let assembled = assemble(programs, layout)?;
        let mut buffer = MutableBuffer::new(assembled.bytes.len()).ok()?;
        buffer.set_len(assembled.bytes.len());
        buffer.copy_from_slice(&assembled.bytes);
        let buffer = Arc::new(buffer.make_exec().ok()?);
        let code = |(start, needs): (usize, Needs)| {
            let start = buffer[start..].as_ptr();
            // SAFETY: `assemble` made a function of this signature there, for a processor with what `new` asked for. It
            // lives as long as the buffer, which the code holds.
            let function = unsafe { std::mem::transmute::<*const u8, Function>(start) };
            Code {
                function,
                needs,
                _buffer: Arc::clone(&buffer),
            }
        };
        let programs = assembled.programs.into_iter();
        Some(programs.map(|program| program.map(code)).collect())
    }
}

/// What runs code, with exclusive access to a memory.
#[derive(Debug)]
pub(in crate::plan) struct Processor<'m> {
    frame: Frame<'m>,
    /// Whether the memory was lent since its addresses were found.
    is_stale: bool,
    _exclusive: PhantomData<&'m mut Memory>,
}

impl<'m> Processor<'m> {
    #[inline]
    pub(in crate::plan) fn new(
        memory: &'m mut Memory,
        heads: &'m [HeadAt],
        lines: &'m [u16],
    ) -> Self {
        let mut frame = Frame {
            registers: ptr::null_mut(),
            ids: ptr::null(),
            count: 0,
            tables: ptr::null(),
            table_entries: 0,
            embedding: ptr::null(),
            embedded: 0,
            lines: lines.as_ptr(),
            line_entries: lines.len(),
            step,
            rest,
            insert,
            find,
            found,
            memory,
            program: ptr::null(),
            heads,
            refusal: None,
        };
        // SAFETY: the frame's memory came from a reference that nobody uses meanwhile.
        unsafe { refresh(&raw mut frame) };
        Self {
            frame,
            is_stale: false,
            _exclusive: PhantomData,
        }
    }

    /// The memory, between runs.
    #[inline]
    pub(in crate::plan) fn memory(&mut self) -> &mut Memory {
        self.is_stale = true;
        self.exclusive()
    }

    fn exclusive(&mut self) -> &mut Memory {
        // SAFETY: it came from a reference that lives as long as `self`, and is used by nobody else between runs.
        unsafe { &mut *self.frame.memory }
    }

    /// Begins a token, as [`Memory::begin`] does.
    #[inline(always)]
    pub(in crate::plan) fn begin(&mut self, id: u16) -> Result<(), Refusal> {
        let memory = self.exclusive();
        memory.begin(id)?;
        // Tables and embeddings stay where they are.
        let registers = memory.registers.as_mut_ptr();
        let (ids, count) = (memory.ids.as_ptr(), memory.ids.len() as u64);
        (self.frame.registers, self.frame.ids, self.frame.count) = (registers, ids, count);
        Ok(())
    }

    /// How many tokens have begun.
    #[inline]
    pub(in crate::plan) fn count(&self) -> u64 {
        self.frame.count
    }

    /// Whether a key is outside its box.
    #[inline]
    pub(in crate::plan) fn is_outside(&mut self) -> bool {
        self.exclusive().outside.is_some()
    }

    /// Runs a program that has code, for the last token.
    ///
    /// # Panics
    /// If it has none, tables or lines are shorter than they were when it was made, or there is no token.
    #[inline(always)]
    pub(in crate::plan) fn run(&mut self, program: &Program) -> Result<Ran, Refusal> {
        let Some(code) = &program.code else {
            unreachable!("others are run step by step");
        };
        if self.is_stale {
            self.is_stale = false;
            // SAFETY: nobody else has a reference to the frame or its memory.
            unsafe { refresh(&raw mut self.frame) };
        }
        let (tables, lines) = (self.frame.table_entries, self.frame.line_entries);
        let fits = tables >= code.needs.tables && lines >= code.needs.lines && self.frame.count > 0;
        assert!(fits, "code is run with what it was made for");
        self.frame.program = program;
        // SAFETY: the function reads and writes the frame's arrays within what was asserted above (there are WIDTH registers;
        // places are compared with the count, slots with the number of all), calls nothing but the functions of the frame,
        // with the frame itself, and keeps what the calling convention wants kept.
        match unsafe { (code.function)(&raw mut self.frame) } {
            REFUSED => Err(self.refusal()),
            UNKNOWN => Ok(Ran::Unknown),
            UNGUARDED => Ok(Ran::Unguarded),
            token => Ok(Ran::Token(token)),
        }
    }

    #[cold]
    fn refusal(&mut self) -> Refusal {
        self.frame.refusal.take().unwrap_or(Refusal::Model)
    }
}

/// Sets the addresses of a frame anew, as its memory has them.
///
/// # Safety
/// The frame is that of a [`Processor`], and no reference to its memory is in use.
#[inline(always)]
unsafe fn refresh(frame: *mut Frame<'_>) {
    // SAFETY: as above.
    let (frame, memory) = unsafe { (&mut *frame, &mut *(*frame).memory) };
    let registers: &mut [f64; WIDTH] = &mut memory.registers;
    frame.registers = registers.as_mut_ptr();
    frame.ids = memory.ids.as_ptr();
    frame.count = memory.ids.len() as u64;
    frame.tables = memory.tables.as_ptr();
    frame.table_entries = memory.tables.len();
    frame.embedding = memory.rows.embedding.as_ptr();
    frame.embedded = memory.rows.embedding.len() as u64;
}

/// A frame's memory, program and heads.
///
/// # Safety
/// Code calls with its own frame, and until the call returns nobody else uses its memory or its program.
unsafe fn parts<'f>(frame: *mut Frame<'f>) -> (&'f mut Memory, &'f Program, &'f [HeadAt]) {
    // SAFETY: as above.
    unsafe { (&mut *(*frame).memory, &*(*frame).program, (*frame).heads) }
}

unsafe extern "sysv64" fn step(frame: *mut Frame<'_>, at: u32) -> u32 {
    // SAFETY: only code calls this; afterwards it uses the addresses that `refresh` finds.
    unsafe {
        let (memory, program, heads) = parts(frame);
        let at = at as usize;
        let done = memory.run(program, at..=at, heads);
        refresh(frame);
        match done {
            Ok(()) => 0,
            Err(refusal) => refuse(frame, refusal),
        }
    }
}

unsafe extern "sysv64" fn rest(frame: *mut Frame<'_>, at: u32) -> u32 {
    // SAFETY: only code calls this, and does nothing afterwards.
    unsafe {
        let (memory, program, heads) = parts(frame);
        match memory.run(program, at as usize.., heads) {
            Ok(()) => UNKNOWN,
            Err(refusal) => refuse(frame, refusal),
        }
    }
}

unsafe extern "sysv64" fn insert(frame: *mut Frame<'_>, at: u32, x: f64, y: f64) -> u32 {
    // SAFETY: only code calls this; afterwards it uses the addresses that `refresh` finds.
    unsafe {
        let (memory, program, _) = parts(frame);
        let Op::Insert { group, values, .. } = program.ops[at as usize] else {
            return refuse(frame, Refusal::Model);
        };
        let values = &program.registers[values.start as usize..][..values.len as usize];
        let done = memory.insert(group, [x, y], values);
        refresh(frame);
        match done {
            Ok(()) => 0,
            Err(refusal) => refuse(frame, refusal),
        }
    }
}

unsafe extern "sysv64" fn find(frame: *mut Frame<'_>, group: u32, query: f64) -> u32 {
    // SAFETY: only code calls this; until the call returns nobody writes to the frame's memory.
    let memory = unsafe { &*(*frame).memory };
    match memory.groups[group as usize].table().find_whole(query) {
        Ok(entry) => entry,
        // SAFETY: as above.
        Err(_) => unsafe { refuse(frame, Refusal::Group(group)) },
    }
}

unsafe extern "sysv64" fn found(frame: *mut Frame<'_>, group: u32, entry: u32, value: u32) -> f64 {
    // SAFETY: only code calls this; until the call returns nobody writes to the frame's memory.
    let memory = unsafe { &*(*frame).memory };
    memory.groups[group as usize].table().value(entry, value)
}

/// Notes a refusal; [`REFUSED`].
///
/// # Safety
/// As for [`parts`].
#[cold]
unsafe fn refuse(frame: *mut Frame<'_>, refusal: Refusal) -> u32 {
    // SAFETY: as above.
    unsafe { (*frame).refusal = Some(refusal) };
    REFUSED
}
