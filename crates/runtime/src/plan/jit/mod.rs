//! A template compiler of kernels to machine code, with the feature `jit` on x86-64.
//!
//! Code computes the numbers of the interpreter,
//! [`PlanState::run`](crate::plan::exec::state::PlanState::run), by its operations in its order,
//! without those that change no bit. Every result is stored in its register in memory, so the
//! interpreter can take over after any step. It takes over rare steps, and the rest of a kernel in
//! any unusual case; code itself never decides on a bailout. Code and interpreter insert and find
//! keys by common functions; a panic in one of them ends the process.
//!
//! Addresses are in bounds for all numbers: registers and tables are indexed by 16 bits in arrays
//! that are long enough, and places are compared with the number of tokens.

#[cfg(not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")))]
mod none;
#[cfg(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64"))]
mod x86_64;

#[cfg(not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")))]
pub(super) use none::{Code, Executor, Translator};
#[cfg(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64"))]
pub(super) use x86_64::{Code, Executor, Translator};

/// A kernel's number of runs, and its machine code once there is some.
#[derive(Debug, Default)]
pub(super) struct Translation {
    /// Runs without code.
    pub(super) runs: u32,
    pub(super) code: Option<Code>,
}

impl Translation {
    /// Counts a run; whether the kernel is to be translated now.
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
    /// The token that follows.
    Token(u32),
    /// It ran; the prediction is to be computed from registers.
    Unknown,
    /// A guard failed; no number was computed.
    Unguarded,
}

/// The parts of a model that code depends on.
#[cfg_attr(
    not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")),
    expect(dead_code, reason = "only machine code uses it")
)]
#[derive(Debug)]
pub(super) struct Layout {
    /// The number of slots of an embedding.
    pub(super) slots: usize,
    /// The registers that beginning a token may change, besides that of the position.
    pub(super) sums: std::ops::Range<usize>,
}
