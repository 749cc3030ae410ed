//! Lowering of the analysis' polynomials to kernels.
//!
//! Lowering is demand-driven: finding the register of a value lowers its operands first. A
//! [`compiler::Compiler`] lowers one kernel; [`linear`] lowers polynomials, [`atoms`] their
//! variables, [`effects`] the keys and values that a token appends and the token that it predicts.
//! [`carry`] reuses registers of the kernel before, and [`dispatch`] decides which tokens share a
//! kernel.

pub(crate) mod atoms;
pub(crate) mod available;
pub(crate) mod carry;
pub(crate) mod compiler;
pub(crate) mod dispatch;
pub(crate) mod effects;
pub(crate) mod linear;
