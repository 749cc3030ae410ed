//! What a program does wrong while it runs.

use crate::Op;

/// What a program did that no valid program does. A network's behaviour behind this point is
/// undefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("instruction {instruction}: {kind}")]
pub struct Fault {
    /// Index of the instruction.
    pub instruction: usize,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// The faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// An operand is missing.
    #[error("the operand stack is empty")]
    Underflow,
    /// An operand, local or global has the other width.
    #[error("a value of {wanted} bytes is wanted, and there is one of the other width")]
    Width {
        /// The bytes that the instruction takes.
        wanted: u8,
    },
    /// The top of the stack is not the low word of the product of the two words below it.
    #[error("`i32.mul_high` without the low word of the product on the stack")]
    NotAProduct,
    /// The instruction behind `i64.const` is another one than `i64.const_high`.
    #[error("`i64.const` without `i64.const_high` behind it")]
    NoHighWord,
    /// A local or global is read that was never written.
    #[error("word {0} is read before it is written")]
    Unwritten(usize),
    /// A return outside every call.
    #[error("return without a call")]
    NoCaller,
    /// The instruction behind a call is another one than `resume`.
    #[error("a call without `resume` behind it")]
    NoResume,
    /// The frame size of a call is 0.
    #[error("a call whose frame size is 0")]
    NoFrame,
    /// A `resume`, or a `section` that does not stand first, is executed.
    #[error("`{0}` is executed")]
    NotExecutable(Op),
    /// Execution goes to an index behind `}`.
    #[error("there is no such instruction")]
    Outside,
    /// The program does not have one data section for each leading `section`.
    #[error("{given} data sections for {declared} `section` instructions")]
    Sections {
        /// Leading `section` instructions.
        declared: usize,
        /// Data sections.
        given: usize,
    },
}
