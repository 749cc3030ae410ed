//! Machine code made of kernels, where the feature `jit` and the processor allow it.
//!
//! The safe twin of the code is [`PlanState::run`](crate::plan::exec::state::PlanState::run): code
//! computes the same numbers in the same order, by the same operations but those that change no
//! bit, keeps every register in memory as well, leaves rare steps to the twin, and the rest of a
//! kernel wherever something is not as usual. So it never has to decide what is wrong, and whoever
//! runs a kernel with or without code reads the same registers afterwards. Keys are inserted and
//! entries found by calls of what the twin calls; a panic there ends the process.
//!
//! Addresses are in bounds whatever the numbers are: registers and tables are indexed by 16 bits in
//! arrays that are long enough, places are compared with the number of tokens.

#[cfg(not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")))]
mod none;
#[cfg(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64"))]
mod x86_64;

#[cfg(not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")))]
pub(super) use none::{Code, Executor, Translator};
#[cfg(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64"))]
pub(super) use x86_64::{Code, Executor, Translator};

/// How often a kernel ran, and its machine code once there is some.
#[derive(Debug, Default)]
pub(super) struct Translation {
    /// Runs without code.
    pub(super) runs: u32,
    pub(super) code: Option<Code>,
}

impl Translation {
    /// Counts a run, and tells whether it is time to translate the kernel.
    #[inline]
    pub(super) fn is_due(&mut self, after: u32) -> bool {
        self.runs += u32::from(self.code.is_none());
        self.code.is_none() && self.runs == after
    }
}

/// What became of a kernel.
#[cfg_attr(
    not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")),
    expect(dead_code, reason = "only code has to do with it")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KernelExit {
    /// The token that follows.
    Token(u32),
    /// It ran; what it ends with is to be computed from registers.
    Unknown,
    /// A guard does not hold; nothing was computed.
    Unguarded,
}

/// What code has to know of a model.
#[cfg_attr(
    not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")),
    expect(dead_code, reason = "only code has to do with it")
)]
#[derive(Debug)]
pub(super) struct Layout {
    /// Of an embedding.
    pub(super) slots: usize,
    /// The registers that beginning a token may change, besides that of the position.
    pub(super) sums: std::ops::Range<usize>,
}
