//! Lowering: from the polynomials of the analysis to kernels.
//!
//! Lowering is driven by demand: asking for the register of a value lowers what the value needs
//! first. A [`compiler::Compiler`] lowers one kernel; [`linear`] lowers polynomials, [`effects`]
//! the keys and values that a token appends and what it predicts, [`carry`] reuses what the kernel
//! before left in registers, and [`dispatch`] decides which tokens share a kernel.

pub(crate) mod available;
pub(crate) mod carry;
pub(crate) mod compiler;
pub(crate) mod dispatch;
pub(crate) mod effects;
pub(crate) mod linear;
