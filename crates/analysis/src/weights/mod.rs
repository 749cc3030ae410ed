//! Weights as rows without zeros, and the classes of tokens whose embeddings are alike.

pub(crate) mod classes;
pub(crate) mod rows;
pub(crate) mod sparse_weights;
