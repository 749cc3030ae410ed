//! Symbolic arithmetic: hash-consed polynomials over atoms, with intervals, granularity and
//! rounding errors.
//!
//! No module here knows a network.

pub(crate) mod atoms;
pub(crate) mod bounds;
pub(crate) mod depends;
pub(crate) mod hash;
pub(crate) mod integers;
pub(crate) mod interner;
pub(crate) mod interval;
pub(crate) mod interval_sum;
pub(crate) mod operation_memo;
pub(crate) mod polynomial;
pub(crate) mod recency;
pub(crate) mod rounding;
pub(crate) mod steps;
pub(crate) mod transfer;
