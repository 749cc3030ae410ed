//! Machine code made of programs, where the feature `jit` and the processor allow it.
//!
//! The safe twin of the code is [`Memory::run`](super::memory::Memory::run): code computes the same numbers in the same
//! order, by the same operations but those that change no bit, keeps every register in memory as well, leaves rare steps
//! to the twin, and the rest of a program wherever something is not as usual. So it never has to decide what is wrong, and
//! whoever runs a program with or without code reads the same registers afterwards. Keys are inserted and entries found
//! by calls of what the twin calls; a panic there ends the process.
//!
//! Addresses are in bounds whatever the numbers are: registers and tables are indexed by 16 bits in arrays that are long
//! enough, places are compared with the number of tokens.

#[cfg(not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")))]
mod none;
#[cfg(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64"))]
mod x86_64;

#[cfg(not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")))]
pub(super) use none::{Code, Processor, Translator};
#[cfg(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64"))]
pub(super) use x86_64::{Code, Processor, Translator};

/// What became of a program.
#[cfg_attr(
    not(all(feature = "jit", target_arch = "x86_64", target_pointer_width = "64")),
    expect(dead_code, reason = "only code has to do with it")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
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
