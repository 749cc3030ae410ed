//! Faults: behaviour of a running program that the machine leaves undefined.

use crate::Op;

/// A step of a program whose effect the machine leaves undefined. A network's behaviour after it is
/// undefined, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("instruction {instruction}: {kind}")]
pub struct Fault {
    /// The index of the instruction in the program's code, from 0.
    pub instruction: usize,
    /// The reason for which its effect is undefined.
    pub kind: FaultKind,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// An operand is missing.
    #[error("the operand stack is empty")]
    Underflow,
    /// An operand, local or global has the other width.
    #[error("a value of {wanted} bytes is wanted, and there is one of the other width")]
    Width {
        /// The width in bytes that the instruction needs.
        wanted: u8,
    },
    /// The top of the stack is not the low word of the product of the two words below it.
    #[error("`i32.mul_high` without the low word of the product on the stack")]
    NotAProduct,
    /// The two operands of `dump` are not alike.
    #[error("`dump` without an address twice on the stack")]
    NotAlike,
    /// The instruction after `i64.const` is not `i64.const_high`.
    #[error("`i64.const_high` does not follow `i64.const`")]
    NoHighWord,
    /// A local or global is read that was never written. The field is its word.
    #[error("word {0} is read before it is written")]
    Unwritten(usize),
    /// A return outside every call.
    #[error("return without a call")]
    NoCaller,
    /// The instruction after a call is not `resume`.
    #[error("`resume` does not follow a call")]
    NoResume,
    /// The frame size of a call is 0.
    #[error("a call whose frame size is 0")]
    NoFrame,
    /// A `resume`, or a `section` after another instruction, is executed.
    #[error("`{0}` is executed")]
    NotExecutable(Op),
    /// The trace of the context before, at the end of the prompt, is not one of this program.
    #[error("the trace of the context before is not one of this program")]
    Saved,
    /// Execution continues at an index after `}`.
    #[error("there is no such instruction")]
    Outside,
    /// The number of data sections differs from that of the leading `section` instructions.
    #[error("{given} data sections for {declared} `section` instructions")]
    Sections {
        /// The number of leading `section` instructions.
        declared: usize,
        /// The number of data sections.
        given: usize,
    },
}
