//! The calling convention between machine code and its host: the frame, the offsets of its fields,
//! and the return codes.

use weightware_analysis::{Bailout, HeadAt};

use crate::plan::exec::state::PlanState;
use crate::plan::ir::Kernel;

/// The least lengths of the arrays that code reads.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    /// The number of table entries.
    pub(super) tables: usize,
    /// The number of line entries.
    pub(super) lines: usize,
    /// The number of entries of columns.
    pub(super) columns: usize,
}

/// The frame: the state that code reads and writes, in the layout of C. [`field`] has the offsets.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Frame<'m> {
    /// An array of [`WIDTH`](crate::sparse::WIDTH) registers.
    pub(super) registers: *mut f64,
    pub(super) ids: *const u16,
    /// The number of ids.
    pub(super) count: u64,
    /// The entries of all tables, at least [`Needs::tables`].
    pub(super) tables: *const f64,
    /// The number of table entries.
    pub(super) table_entries: usize,
    /// The entries of columns, at least [`Needs::columns`].
    pub(super) columns: *const f64,
    /// The number of entries of columns.
    pub(super) column_entries: usize,
    /// The embeddings as one list.
    pub(super) embedding: *const f64,
    /// The number of entries of all embeddings.
    pub(super) embedded: u64,
    /// The entries of all lines, at least [`Needs::lines`].
    pub(super) lines: *const u16,
    /// The number of line entries.
    pub(super) line_entries: usize,
    /// Interprets one step; returns 0 unless the step bails out.
    pub(super) step: unsafe extern "sysv64" fn(*mut Frame<'m>, u32) -> u32,
    /// Interprets all steps from one on; returns the return code of the kernel.
    pub(super) rest: unsafe extern "sysv64" fn(*mut Frame<'m>, u32) -> u32,
    /// Inserts the key `(x, y)` of a step; returns 0 unless the step bails out.
    pub(super) insert: unsafe extern "sysv64" fn(*mut Frame<'m>, u32, f64, f64) -> u32,
    /// Finds the entry of a group that is nearest to an integer; returns [`REFUSED`] on a bailout.
    pub(super) find: unsafe extern "sysv64" fn(*mut Frame<'m>, u32, f64) -> u32,
    /// Reads a value of an entry: group, entry, value.
    pub(super) found: unsafe extern "sysv64" fn(*mut Frame<'m>, u32, u32, u32) -> f64,
    pub(super) state: *mut PlanState,
    pub(super) kernel: *const Kernel,
    pub(super) heads: &'m [HeadAt],
    pub(super) bailout: Option<Bailout>,
}

/// The offsets of a frame's fields.
pub(super) mod field {
    use std::mem::offset_of;

    use super::Frame;

    pub(in super::super) const REGISTERS: i32 = offset_of!(Frame, registers) as i32;
    pub(in super::super) const IDS: i32 = offset_of!(Frame, ids) as i32;
    pub(in super::super) const COUNT: i32 = offset_of!(Frame, count) as i32;
    pub(in super::super) const TABLES: i32 = offset_of!(Frame, tables) as i32;
    pub(in super::super) const COLUMNS: i32 = offset_of!(Frame, columns) as i32;
    pub(in super::super) const EMBEDDING: i32 = offset_of!(Frame, embedding) as i32;
    pub(in super::super) const EMBEDDED: i32 = offset_of!(Frame, embedded) as i32;
    pub(in super::super) const LINES: i32 = offset_of!(Frame, lines) as i32;
    pub(in super::super) const STEP: i32 = offset_of!(Frame, step) as i32;
    pub(in super::super) const REST: i32 = offset_of!(Frame, rest) as i32;
    pub(in super::super) const INSERT: i32 = offset_of!(Frame, insert) as i32;
    pub(in super::super) const FIND: i32 = offset_of!(Frame, find) as i32;
    pub(in super::super) const FOUND: i32 = offset_of!(Frame, found) as i32;
}

/// The return code if the prediction is to be computed from registers.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// The return code if a step bailed out.
pub(super) const REFUSED: u32 = u32::MAX - 1;

/// The return code if a guard failed; no step ran.
pub(super) const UNGUARDED: u32 = u32::MAX - 2;
