//! Executable memory, and the unsafe boundary of machine code: entry and callbacks.

use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

use dynasmrt::ExecutableBuffer;
use dynasmrt::mmap::MutableBuffer;
use weightware_analysis::{Bailout, HeadAt};

use super::abi::{Frame, Needs, REFUSED, UNGUARDED, UNKNOWN};
use super::emit::assemble;
use super::{KernelExit, Layout};
use crate::plan::exec::state::PlanState;
use crate::plan::ir::{Inst, Kernel};
use crate::sparse::WIDTH;

/// The code of a kernel as a function of its frame.
type Function = for<'m> unsafe extern "sysv64" fn(*mut Frame<'m>) -> u32;

/// The translator of kernels to machine code.
#[derive(Debug)]
pub(in crate::plan) struct Translator(());

/// The machine code of a kernel.
#[derive(Debug)]
pub(in crate::plan) struct Code {
    function: Function,
    needs: Needs,
    /// The memory of the function.
    _buffer: Arc<ExecutableBuffer>,
}

impl Translator {
    /// A translator. `None` if the processor lacks AVX.
    pub(in crate::plan) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx").then_some(Self(()))
    }

    /// Translates kernels for a layout. The inner `None` is a kernel without code; the outer one
    /// means that there is no memory for code.
    pub(in crate::plan) fn translate(
        &self,
        kernels: &[&Kernel],
        layout: &Layout,
    ) -> Option<Vec<Option<Code>>> {
        let assembled = assemble(kernels, layout)?;
        let mut buffer = MutableBuffer::new(assembled.bytes.len()).ok()?;
        buffer.set_len(assembled.bytes.len());
        buffer.copy_from_slice(&assembled.bytes);
        let buffer = Arc::new(buffer.make_exec().ok()?);
        let code = |(start, needs): (usize, Needs)| {
            let start = buffer[start..].as_ptr();
            // SAFETY: `assemble` made a function of this signature there, for a processor with what
            // `new` checked. It lives as long as the buffer, which the code holds.
            let function = unsafe { std::mem::transmute::<*const u8, Function>(start) };
            Code {
                function,
                needs,
                _buffer: Arc::clone(&buffer),
            }
        };
        let kernels = assembled.kernels.into_iter();
        Some(kernels.map(|kernel| kernel.map(code)).collect())
    }
}

/// An executor of machine code, with exclusive access to a state.
#[derive(Debug)]
pub(in crate::plan) struct Executor<'m> {
    frame: Frame<'m>,
    /// Whether the state was borrowed since the frame's addresses were set.
    is_stale: bool,
    _exclusive: PhantomData<&'m mut PlanState>,
}

impl<'m> Executor<'m> {
    #[inline]
    pub(in crate::plan) fn new(
        state: &'m mut PlanState,
        heads: &'m [HeadAt],
        lines: &'m [u16],
    ) -> Self {
        let mut frame = Frame {
            registers: ptr::null_mut(),
            ids: ptr::null(),
            count: 0,
            tables: ptr::null(),
            table_entries: 0,
            columns: ptr::null(),
            column_entries: 0,
            embedding: ptr::null(),
            embedded: 0,
            lines: lines.as_ptr(),
            line_entries: lines.len(),
            step,
            rest,
            insert,
            find,
            found,
            state,
            kernel: ptr::null(),
            heads,
            bailout: None,
        };
        // SAFETY: `state` is an exclusive reference, which nothing else uses during the call.
        unsafe { refresh(&raw mut frame) };
        Self {
            frame,
            is_stale: false,
            _exclusive: PhantomData,
        }
    }

    /// The state, between runs.
    #[inline]
    pub(in crate::plan) fn state(&mut self) -> &mut PlanState {
        self.is_stale = true;
        self.exclusive()
    }

    fn exclusive(&mut self) -> &mut PlanState {
        // SAFETY: the pointer came from an exclusive reference that lives as long as `self`, and
        // between runs nothing else uses it.
        unsafe { &mut *self.frame.state }
    }

    /// Begins a token by [`PlanState::begin`].
    #[inline(always)]
    pub(in crate::plan) fn begin(&mut self, id: u16) -> Result<(), Bailout> {
        let state = self.exclusive();
        state.begin(id)?;
        // Tables and embeddings stay where they are.
        let registers = state.registers.as_mut_ptr();
        let (ids, count) = (state.ids.as_ptr(), state.ids.len() as u64);
        (self.frame.registers, self.frame.ids, self.frame.count) = (registers, ids, count);
        Ok(())
    }

    /// The number of tokens that have begun.
    #[inline]
    pub(in crate::plan) fn count(&self) -> u64 {
        self.frame.count
    }

    /// Whether a key is outside its box.
    #[inline]
    pub(in crate::plan) fn is_outside(&mut self) -> bool {
        self.exclusive().outside.is_some()
    }

    /// Runs the code of a kernel, for the last token.
    ///
    /// # Panics
    /// If tables, columns or lines are shorter than the code needs, or there is no token.
    #[inline(always)]
    pub(in crate::plan) fn run(
        &mut self,
        kernel: &Kernel,
        code: &Code,
    ) -> Result<KernelExit, Bailout> {
        if self.is_stale {
            self.is_stale = false;
            // SAFETY: no other reference to the frame or its state is in use.
            unsafe { refresh(&raw mut self.frame) };
        }
        let (tables, lines) = (self.frame.table_entries, self.frame.line_entries);
        let fits = tables >= code.needs.tables
            && lines >= code.needs.lines
            && self.frame.column_entries >= code.needs.columns
            && self.frame.count > 0;
        assert!(
            fits,
            "tables, columns and lines are as long as the code needs, and a token has begun"
        );
        self.frame.kernel = kernel;
        // SAFETY: the function reads and writes the frame's arrays within what was asserted above
        // (there are WIDTH registers; places are compared with the count, slots with the number of
        // all, places in columns with their lengths), calls nothing but the functions of the frame,
        // with the frame itself, and keeps what the calling convention wants kept.
        match unsafe { (code.function)(&raw mut self.frame) } {
            REFUSED => Err(self.bailout()),
            UNKNOWN => Ok(KernelExit::Unknown),
            UNGUARDED => Ok(KernelExit::Unguarded),
            token => Ok(KernelExit::Token(token)),
        }
    }

    #[cold]
    fn bailout(&mut self) -> Bailout {
        self.frame.bailout.take().unwrap_or(Bailout::Model)
    }
}

/// Sets the addresses of a frame to those of its state.
///
/// # Safety
/// The frame is that of an [`Executor`], and no reference to its memory is in use.
#[inline(always)]
unsafe fn refresh(frame: *mut Frame<'_>) {
    // SAFETY: the caller holds the only reference to the frame and its state.
    let (frame, state) = unsafe { (&mut *frame, &mut *(*frame).state) };
    let registers: &mut [f64; WIDTH] = &mut state.registers;
    frame.registers = registers.as_mut_ptr();
    frame.ids = state.ids.as_ptr();
    frame.count = state.ids.len() as u64;
    frame.tables = state.tables.as_ptr();
    frame.table_entries = state.tables.len();
    frame.columns = state.columns.entries.as_ptr();
    frame.column_entries = state.columns.entries.len();
    frame.embedding = state.rows.embedding.as_ptr();
    frame.embedded = state.rows.embedding.len() as u64;
}

/// The state, the kernel and the heads of a frame.
///
/// # Safety
/// The frame is the one with which code was entered, and until the call returns nothing else uses
/// its memory or its kernel.
unsafe fn parts<'f>(frame: *mut Frame<'f>) -> (&'f mut PlanState, &'f Kernel, &'f [HeadAt]) {
    // SAFETY: the caller grants exclusive use of the state and the kernel.
    unsafe { (&mut *(*frame).state, &*(*frame).kernel, (*frame).heads) }
}

unsafe extern "sysv64" fn step(frame: *mut Frame<'_>, at: u32) -> u32 {
    // SAFETY: only code calls this; afterwards it uses the addresses that `refresh` finds.
    unsafe {
        let (state, kernel, heads) = parts(frame);
        let at = at as usize;
        let done = state.run(kernel, at..=at, heads);
        refresh(frame);
        match done {
            Ok(()) => 0,
            Err(bailout) => refuse(frame, bailout),
        }
    }
}

unsafe extern "sysv64" fn rest(frame: *mut Frame<'_>, at: u32) -> u32 {
    // SAFETY: only code calls this, and does nothing afterwards.
    unsafe {
        let (state, kernel, heads) = parts(frame);
        match state.run(kernel, at as usize.., heads) {
            Ok(()) => UNKNOWN,
            Err(bailout) => refuse(frame, bailout),
        }
    }
}

unsafe extern "sysv64" fn insert(frame: *mut Frame<'_>, at: u32, x: f64, y: f64) -> u32 {
    // SAFETY: only code calls this; afterwards it uses the addresses that `refresh` finds.
    unsafe {
        let (state, kernel, _) = parts(frame);
        let Inst::Insert { group, values, .. } = kernel.ops[at as usize] else {
            return refuse(frame, Bailout::Model);
        };
        let values = &kernel.registers[values.start as usize..][..values.len as usize];
        let registers = &state.registers;
        let values = values.iter().map(|&r| registers[usize::from(r)]);
        let done = (state.groups).insert(group, [x, y], values, &mut state.outside);
        refresh(frame);
        match done {
            Ok(()) => 0,
            Err(bailout) => refuse(frame, bailout),
        }
    }
}

unsafe extern "sysv64" fn find(frame: *mut Frame<'_>, group: u32, query: f64) -> u32 {
    // SAFETY: only code calls this; until the call returns nothing writes to the frame's state.
    let state = unsafe { &*(*frame).state };
    match state.groups.find_index(group as u16, query) {
        Ok(entry) => entry,
        // SAFETY: code passes its own frame, which nothing else uses until the call returns.
        Err(bailout) => unsafe { refuse(frame, bailout) },
    }
}

unsafe extern "sysv64" fn found(frame: *mut Frame<'_>, group: u32, entry: u32, value: u32) -> f64 {
    // SAFETY: only code calls this; until the call returns nothing writes to the frame's state.
    let state = unsafe { &*(*frame).state };
    state.groups.value(group as u16, entry, value as u16)
}

/// Records a bailout in the frame; returns [`REFUSED`].
///
/// # Safety
/// The frame is the one with which code was entered, and nothing else uses it until the call
/// returns.
#[cold]
unsafe fn refuse(frame: *mut Frame<'_>, bailout: Bailout) -> u32 {
    // SAFETY: the caller grants exclusive use of the frame.
    unsafe { (*frame).bailout = Some(bailout) };
    REFUSED
}
