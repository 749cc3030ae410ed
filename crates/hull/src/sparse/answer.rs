//! Budgets of queries, answers, and the arithmetic of their bounds.

use crate::exponential::exp;

/// How many keys a query uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// Exactly this number of keys, the best ones, or all if there are fewer.
    Keys(usize),
    /// At most this share of the probability is proved to be left out. A query begins with 8 keys
    /// and doubles the number until that holds. Where the limit of the cache does not suffice, it
    /// takes all keys. With 0, it takes all keys whose weights do not underflow: those of at least
    /// `e^-708` of the greatest.
    MassError(f64),
}

/// How a query was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By a scan of all keys.
    Scan,
    /// By the index, and a scan of the latest keys.
    Hull,
}

/// The answer of a [`SparseCache`](crate::SparseCache).
///
/// The bounds are proved for softmax over scores of unlimited precision. The rounding of the answer
/// itself is not part of them: each sum has a relative error of about `2^-52` for each term, and
/// each exponent an error of about `2^-51` times the magnitudes of the products in the score. Where
/// scores cancel products above `2^50`, rounded softmax means nothing, by a scan or otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention<const N: usize = 2> {
    /// The average of the values of the keys used, weighted by softmax.
    pub value: [f64; N],
    /// The sum of the weights of the keys used, where the best key weighs 1. The logarithm of the
    /// denominator of softmax is the logarithm of this and the best key's score.
    pub weight: f64,
    /// An upper bound of the share of the probability that full softmax would give to the other
    /// keys: 0 if there are none, or if the weights of all others underflow. It also bounds the
    /// distance in total variation.
    ///
    /// It is `W / (S + W)` for an upper bound `W` of the weights left out and the sum `S` of those
    /// used. No weight left out is above that of the next best key; boxes with counts bound the
    /// weights further.
    pub missed: f64,
    /// For each component, an upper bound of the difference from full softmax: `missed` times the
    /// greatest distance of the answer from any value pushed.
    ///
    /// Full softmax is `(1 - m) value + m rest` with `m <= missed`, and `rest` is an average of
    /// values.
    pub output_error: [f64; N],
    /// How many keys were used.
    pub keys: usize,
    /// How they were found.
    pub method: Method,
    /// How many keys, vertices and boxes the query looked at.
    pub operations: usize,
}

/// An upper bound of the share `W / (S + W)`, from upper bounds of `W` and of the rounding error of
/// exponents, and the rounded sum `S` of `k` weights of which the first is 1.
pub(super) fn share(weight: f64, sum: f64, error: f64, k: usize) -> f64 {
    // The exponents of all weights but the first are off by at most `error`.
    let least = 1.0 + (sum - 1.0) * exp([-error])[0];
    // More than the rounding of the exponentials and of the sums.
    let slack = 1e-12 + k as f64 * f64::EPSILON;
    (weight / (least + weight) * (1.0 + slack)).min(1.0)
}
