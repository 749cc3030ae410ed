//! The kinds of writers: neurons, heads and tables, by what they compute.

use std::sync::Arc;

use crate::form::{Dim, LinearForm};
use crate::table::Table;

/// The keys of a lookup: the token's key point is `(2 index, -square + 2^-recency * time - CLEARED
/// * clear)`.
///
/// For a query q, or a fraction q = query / scale, the attended token maximises `-(q - index)^2`,
/// then `time`, among the tokens with `clear == 0`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Key {
    /// The integer that queries search for.
    pub index: LinearForm,
    /// The square of `index`: a form of its own, since no linear form squares.
    pub square: LinearForm,
    /// The order of tokens of equal index: the greatest wins. `2^-recency * time` must stay below
    /// 1.
    pub time: LinearForm,
    /// Halvings of time in a key: it is scaled by `2^-recency`.
    pub recency: i32,
    /// 0 at a token that is a live key, a positive integer at any other.
    pub clear: LinearForm,
}

/// A neuron or a head, by what it computes.
#[derive(Debug, Clone, PartialEq)]
pub enum Writer {
    /// A neuron: value · relu(gate).
    Neuron {
        /// The linear factor.
        value: LinearForm,
        /// The rectified factor.
        gate: LinearForm,
    },
    /// A head that finds a key.
    Lookup {
        /// The integer to find, or the numerator of a fraction whose nearest integer is to be
        /// found.
        query: LinearForm,
        /// The denominator, not negative; usually one.
        scale: LinearForm,
        /// The keys.
        key: Key,
        /// One or two forms, read at the attended token.
        values: Vec<LinearForm>,
    },
    /// A head whose keys are all equal: the average of one or two forms over all tokens so far.
    Average {
        /// The forms to average.
        values: Vec<LinearForm>,
    },
    /// Neurons that compute functions of an integer.
    Table {
        /// The integer.
        argument: LinearForm,
        /// The functions.
        table: Arc<Table>,
    },
    /// A neuron that multiplies an average by t + 1.
    Total {
        /// A dimension that only an `Average` writes.
        average: Dim,
    },
}

impl Writer {
    /// Whether it is a table, whose neurons are additional ones.
    #[must_use]
    pub const fn is_table(&self) -> bool {
        matches!(self, Writer::Table { .. })
    }

    /// Whether a head computes it; otherwise neurons do.
    #[must_use]
    pub const fn is_head(&self) -> bool {
        matches!(self, Writer::Lookup { .. } | Writer::Average { .. })
    }
}
