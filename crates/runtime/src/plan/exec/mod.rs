//! Execution of kernels: the decoding state, the interpreter, the tables of keys, the cache of
//! predictions.

pub(crate) mod boxes;
pub(crate) mod columns;
pub(crate) mod groups;
pub(crate) mod interpreter;
pub(crate) mod predictions;
pub(crate) mod state;
pub(crate) mod table;
