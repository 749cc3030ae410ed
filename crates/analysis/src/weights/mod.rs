//! The weights as sparse rows, and the classes of token ids.

pub(crate) mod classes;
pub(crate) mod rows;
pub(crate) mod sparse_weights;
pub(crate) mod tables;
