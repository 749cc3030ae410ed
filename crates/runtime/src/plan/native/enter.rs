//! Where code is kept, and entered.

use std::sync::Arc;

use dynasmrt::ExecutableBuffer;
use dynasmrt::mmap::MutableBuffer;

use super::Follows;
use super::emit::{Needs, assemble};
use crate::plan::analysis::{HeadAt, Refusal};
use crate::plan::memory::Memory;
use crate::plan::program::Program;
use crate::sparse::WIDTH;

/// What code works on. The layout is that of C; [`field`] names where things are.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Frame<'t> {
    /// [`WIDTH`] of them.
    registers: *mut f64,
    ids: *const u16,
    /// How many ids there are.
    count: u64,
    /// At least [`Needs::tables`].
    tables: *const f64,
    /// At least [`Needs::slots`].
    embedded: *const f64,
    /// At least [`Needs::lines`].
    lines: *const u16,
    /// Runs one step by the twin; 0 if it could be run.
    step: extern "sysv64" fn(*mut Frame<'t>, u32) -> u32,
    /// Runs all steps from one on by the twin; what code returns.
    rest: extern "sysv64" fn(*mut Frame<'t>, u32) -> u32,
    twin: *mut Twin<'t>,
}

/// Where the fields of a frame are.
pub(super) mod field {
    use std::mem::offset_of;

    use super::Frame;

    pub(in super::super) const REGISTERS: i32 = offset_of!(Frame, registers) as i32;
    pub(in super::super) const IDS: i32 = offset_of!(Frame, ids) as i32;
    pub(in super::super) const COUNT: i32 = offset_of!(Frame, count) as i32;
    pub(in super::super) const TABLES: i32 = offset_of!(Frame, tables) as i32;
    pub(in super::super) const EMBEDDED: i32 = offset_of!(Frame, embedded) as i32;
    pub(in super::super) const LINES: i32 = offset_of!(Frame, lines) as i32;
    pub(in super::super) const STEP: i32 = offset_of!(Frame, step) as i32;
    pub(in super::super) const REST: i32 = offset_of!(Frame, rest) as i32;
}

/// Returned for no token in particular: the output is to be computed from registers.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Returned if a step was refused.
pub(super) const REFUSED: u32 = u32::MAX - 1;

/// What steps are run on without code.
#[derive(Debug)]
struct Twin<'t> {
    memory: &'t mut Memory,
    program: &'t Program,
    heads: &'t [HeadAt],
    refusal: Option<Refusal>,
}

/// Translates programs.
#[derive(Debug)]
pub(in crate::plan) struct Translator(());

/// Code of a program.
#[derive(Debug)]
pub(in crate::plan) struct Code {
    buffer: Arc<ExecutableBuffer>,
    /// Where it begins in the buffer.
    start: usize,
    needs: Needs,
}

impl Translator {
    /// None if the processor lacks the instructions.
    pub(in crate::plan) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx").then_some(Self(()))
    }

    /// The code of some programs; none if there is no room for it.
    pub(in crate::plan) fn translate(&self, programs: &[&Program]) -> Option<Vec<Code>> {
        let assembled = assemble(programs)?;
        let mut buffer = MutableBuffer::new(assembled.bytes.len()).ok()?;
        buffer.set_len(assembled.bytes.len());
        buffer.copy_from_slice(&assembled.bytes);
        let buffer = Arc::new(buffer.make_exec().ok()?);
        let code = |(start, needs)| Code {
            buffer: Arc::clone(&buffer),
            start,
            needs,
        };
        Some(assembled.programs.into_iter().map(code).collect())
    }
}

impl Code {
    /// Runs the program for the last token, whose code this is.
    ///
    /// # Panics
    /// If tables or lines are shorter than they were when the code was made.
    #[inline]
    pub(in crate::plan) fn run(
        &self,
        memory: &mut Memory,
        program: &Program,
        heads: &[HeadAt],
        lines: &[u16],
    ) -> Result<Follows, Refusal> {
        let last = memory.ids.last().map_or(0, |&id| usize::from(id));
        let embedded = memory.rows.embedding_of(last);
        let fits = memory.tables.len() >= self.needs.tables
            && lines.len() >= self.needs.lines
            && embedded.len() >= self.needs.slots;
        assert!(fits, "code is run with what it was made for");
        let mut twin = Twin {
            memory,
            program,
            heads,
            refusal: None,
        };
        let mut frame = Frame {
            registers: std::ptr::null_mut(),
            ids: std::ptr::null(),
            count: 0,
            tables: std::ptr::null(),
            embedded: std::ptr::null(),
            lines: lines.as_ptr(),
            step,
            rest,
            twin: &raw mut twin,
        };
        // SAFETY: the twin outlives the call below, and nobody else uses it meanwhile.
        unsafe { refresh(&raw mut frame) };
        let start = &self.buffer[self.start..];
        // SAFETY: `assemble` made a function of this signature at the start. It reads and writes the frame's arrays within
        // what was asserted above (registers are WIDTH, places are compared with the count), calls nothing but the
        // frame's two functions with the frame itself, and keeps what the calling convention wants kept.
        let said = unsafe {
            let function: extern "sysv64" fn(*mut Frame<'_>) -> u32 =
                std::mem::transmute(start.as_ptr());
            function(&raw mut frame)
        };
        match said {
            REFUSED => Err(twin.refusal.unwrap_or(Refusal::Model)),
            UNKNOWN => Ok(None),
            token => Ok(Some(token)),
        }
    }
}

/// Sets the addresses of a frame anew, as the twin's memory has them.
///
/// # Safety
/// The frame and its twin are valid, and no reference to the twin's memory is in use.
#[inline(always)]
unsafe fn refresh(frame: *mut Frame<'_>) {
    // SAFETY: as above.
    let (frame, twin) = unsafe { (&mut *frame, &mut *(*frame).twin) };
    let memory = &mut *twin.memory;
    let registers: &mut [f64; WIDTH] = &mut memory.registers;
    frame.registers = registers.as_mut_ptr();
    frame.ids = memory.ids.as_ptr();
    frame.count = memory.ids.len() as u64;
    frame.tables = memory.tables.as_ptr();
    let last = memory.ids.last().map_or(0, |&id| usize::from(id));
    frame.embedded = memory.rows.embedding_of(last).as_ptr();
}

extern "sysv64" fn step(frame: *mut Frame<'_>, at: u32) -> u32 {
    // SAFETY: code calls this with its own frame, and uses no address of it before it has returned.
    unsafe {
        let twin = &mut *(*frame).twin;
        let said = run(twin, at as usize..at as usize + 1);
        refresh(frame);
        u32::from(said.is_err())
    }
}

extern "sysv64" fn rest(frame: *mut Frame<'_>, at: u32) -> u32 {
    // SAFETY: code ends with this call, with its own frame.
    let twin = unsafe { &mut *(*frame).twin };
    let end = twin.program.ops.len();
    match run(twin, at as usize..end) {
        Ok(()) => UNKNOWN,
        Err(()) => REFUSED,
    }
}

fn run(twin: &mut Twin<'_>, steps: std::ops::Range<usize>) -> Result<(), ()> {
    let done = twin.memory.run(twin.program, steps, twin.heads);
    done.map_err(|refusal| twin.refusal = Some(refusal))
}
