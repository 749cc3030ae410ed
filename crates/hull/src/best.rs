//! The best few of a stream of keys with rounded scores, ranked exactly.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::key::Key;
use crate::rank::{Found, rank};

/// The best `k` keys offered so far, and some that were worse.
///
/// Each rounded score is off by at most `error`. A key whose rounded score is more than `2 error`
/// below that of the k-th best is certainly not among them: it is below the threshold. Candidates
/// collect until there are about twice as many as wanted; then a selection drops the worse half and
/// raises the threshold. All orders are exact: rounded scores decide where they differ by more than
/// `2 error`, exact comparisons elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Best<K> {
    q: K,
    k: usize,
    error: f64,
    threshold: f64,
    candidates: Vec<Scored<K>>,
}

/// A key and its rounded score.
pub(crate) type Scored<K> = (f64, Found<K>);

/// Candidates beyond twice the wanted number before a selection.
const SLACK: usize = 32;

impl<K: Key> Best<K> {
    /// Begins a search for the best `k` keys. Each rounded score is off by at most `error`, and keys
    /// with rounded scores below `threshold` are known not to be among the best.
    pub(crate) fn begin(&mut self, q: K, k: usize, error: f64, threshold: f64) {
        (self.q, self.k, self.error, self.threshold) = (q, k, error, threshold);
        self.candidates.clear();
    }

    pub(crate) fn query(&self) -> K {
        self.q
    }

    /// The least rounded score that matters.
    #[inline]
    pub(crate) fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Adds a key whose rounded score is at least the threshold.
    #[inline]
    pub(crate) fn offer(&mut self, score: f64, found: Found<K>) {
        self.candidates.push((score, found));
    }

    /// Drops what is not among the best if there are many candidates.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if self.candidates.len() > 2 * self.k + SLACK {
            self.select();
        }
    }

    fn select(&mut self) {
        let order = order(self.q, self.error);
        let last = self.k.saturating_sub(1);
        if last < self.candidates.len() {
            let (_, worst, _) = self.candidates.select_nth_unstable_by(last, order);
            self.threshold = worst.0 - 2.0 * self.error;
        }
        self.candidates.truncate(self.k);
    }

    /// The best keys, best first, with their rounded scores.
    pub(crate) fn finish(&mut self) -> &[Scored<K>] {
        if self.candidates.len() > self.k {
            self.select();
        }
        let order = order(self.q, self.error);
        self.candidates.sort_unstable_by(order);
        &self.candidates
    }
}

/// The exact order of candidates, the better one first.
fn order<K: Key>(q: K, error: f64) -> impl Fn(&Scored<K>, &Scored<K>) -> Ordering {
    move |a, b| {
        let difference = a.0 - b.0;
        if difference.abs() > 2.0 * error {
            if difference > 0.0 {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        } else {
            rank(q, a.1, b.1)
        }
    }
}
