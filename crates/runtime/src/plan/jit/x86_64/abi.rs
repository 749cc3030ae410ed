//! The calling convention between machine code and its host: the frame, the offsets of its fields,
//! the codes returned.

use weightware_analysis::{Bailout, HeadAt};

use crate::plan::exec::state::PlanState;
use crate::plan::ir::Kernel;

/// The least lengths of the arrays that code reads.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    /// Entries of tables.
    pub(super) tables: usize,
    /// Entries of lines.
    pub(super) lines: usize,
}

/// The state that code reads and writes. The layout is that of C; [`field`] has the offsets.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Frame<'m> {
    /// [`WIDTH`](crate::sparse::WIDTH) registers.
    pub(super) registers: *mut f64,
    pub(super) ids: *const u16,
    /// The number of ids.
    pub(super) count: u64,
    /// At least [`Needs::tables`].
    pub(super) tables: *const f64,
    /// The number of table entries.
    pub(super) table_entries: usize,
    /// The embeddings, one after the other.
    pub(super) embedding: *const f64,
    /// The number of entries of all embeddings.
    pub(super) embedded: u64,
    /// At least [`Needs::lines`].
    pub(super) lines: *const u16,
    /// The number of line entries.
    pub(super) line_entries: usize,
    /// Interprets one step; 0 unless it bails out.
    pub(super) step: unsafe extern "sysv64" fn(*mut Frame<'m>, u32) -> u32,
    /// Interprets all steps from one on; the value that code returns.
    pub(super) rest: unsafe extern "sysv64" fn(*mut Frame<'m>, u32) -> u32,
    /// Inserts the key `(x, y)` of a step; 0 unless it bails out.
    pub(super) insert: unsafe extern "sysv64" fn(*mut Frame<'m>, u32, f64, f64) -> u32,
    /// The entry of a group that is nearest to a whole number; [`REFUSED`] if there is none.
    pub(super) find: unsafe extern "sysv64" fn(*mut Frame<'m>, u32, f64) -> u32,
    /// A value of an entry: group, entry, value.
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
    pub(in super::super) const EMBEDDING: i32 = offset_of!(Frame, embedding) as i32;
    pub(in super::super) const EMBEDDED: i32 = offset_of!(Frame, embedded) as i32;
    pub(in super::super) const LINES: i32 = offset_of!(Frame, lines) as i32;
    pub(in super::super) const STEP: i32 = offset_of!(Frame, step) as i32;
    pub(in super::super) const REST: i32 = offset_of!(Frame, rest) as i32;
    pub(in super::super) const INSERT: i32 = offset_of!(Frame, insert) as i32;
    pub(in super::super) const FIND: i32 = offset_of!(Frame, find) as i32;
    pub(in super::super) const FOUND: i32 = offset_of!(Frame, found) as i32;
}

/// Returned if the prediction is to be computed from registers.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Returned if a step bailed out.
pub(super) const REFUSED: u32 = u32::MAX - 1;

/// Returned if a guard failed; no number was computed.
pub(super) const UNGUARDED: u32 = u32::MAX - 2;
