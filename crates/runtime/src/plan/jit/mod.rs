//! A template compiler of kernels to machine code, with the feature `jit` on x86-64.
//!
//! Code computes the numbers of the interpreter,
//! [`PlanState::run`](crate::plan::exec::state::PlanState::run), by its operations in its order,
//! except operations that change no bit. Every result is stored in its register in memory, so the
//! interpreter can continue after any step. The interpreter runs rare steps, and the rest of a
//! kernel in any unusual case; code itself never decides on a bailout. Code calls the interpreter's
//! functions to insert and find keys. A panic in one of them aborts the process.
//!
//! Addresses are in bounds for any numbers: registers and tables are indexed by 16 bits in arrays
//! that are long enough, and places are compared with the number of tokens or of a column's
//! entries.

#[cfg(not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")))]
mod none;
#[cfg(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64"))]
mod x86_64;

#[cfg(not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")))]
pub(super) use none::{Code, Executor, Translator};
#[cfg(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64"))]
pub(super) use x86_64::{Code, Executor, Translator};

use crate::plan::exec::columns::Column;

/// The translation of a kernel: its number of runs, and its machine code, if it has any.
#[derive(Debug, Default)]
pub(super) struct Translation {
    /// The number of runs without code.
    pub(super) runs: u32,
    pub(super) code: Option<Code>,
}

impl Translation {
    /// Counts a run; returns whether the kernel is to be translated now.
    #[inline]
    pub(super) fn is_due(&mut self, after: u32) -> bool {
        self.runs += u32::from(self.code.is_none());
        self.code.is_none() && self.runs == after
    }
}

/// The exit of a kernel's code.
#[cfg_attr(
    not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")),
    expect(dead_code, reason = "only machine code uses it")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KernelExit {
    /// The kernel ran and predicted a token.
    Token(u32),
    /// The kernel ran; the prediction is to be computed from registers.
    Unknown,
    /// A guard failed; no step ran.
    Unguarded,
}

/// The parts of a model's layout that code depends on.
#[cfg_attr(
    not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")),
    expect(dead_code, reason = "only machine code uses it")
)]
#[derive(Debug)]
pub(super) struct Layout {
    /// The number of slots of an embedding.
    pub(super) slots: usize,
    /// The columns of the tables in the weights.
    pub(super) columns: Vec<Column>,
    /// The registers of running sums, which beginning a token may change.
    pub(super) sums: std::ops::Range<usize>,
}
