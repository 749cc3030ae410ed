//! Selection of the best few of many keys with rounded scores, ranked exactly.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::key::Key;
use crate::rank::{Found, rank};

/// The number of a key and its rounded score.
pub(crate) type Scored = (f64, u32);

/// Candidates for the best few keys, and buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Best<K> {
    /// The greatest scores of parts of the keys.
    pub(crate) maxima: Vec<f64>,
    spare: Vec<f64>,
    pub(crate) candidates: Vec<Scored>,
    ranked: Vec<Found<K>>,
}

impl<K: Key> Best<K> {
    /// The `k`-th greatest of the maxima, negative infinity if there are fewer. No score below it
    /// is among the best `k`: there are `k` greater ones, one in each of `k` parts.
    pub(crate) fn threshold(&mut self, k: usize) -> f64 {
        self.spare.clear();
        if self.maxima.len() >= 64 * k.max(4) {
            // Eight parts joined are a part as well.
            let joined = self.maxima.chunks(8);
            self.spare
                .extend(joined.map(|part| part.iter().fold(f64::NEG_INFINITY, most)));
        } else {
            self.spare.extend_from_slice(&self.maxima);
        }
        match k {
            0 => f64::INFINITY,
            1 => self.spare.iter().fold(f64::NEG_INFINITY, most),
            _ if self.spare.len() < k => f64::NEG_INFINITY,
            _ => {
                let order = |a: &f64, b: &f64| b.total_cmp(a);
                *self.spare.select_nth_unstable_by(k - 1, order).1
            }
        }
    }

    /// Drops candidates that are not among the best `k`, most of them if not all, and returns a
    /// threshold below which there is none of the best. Each rounded score is off by at most
    /// `error`.
    pub(crate) fn cut(
        &mut self,
        q: K,
        k: usize,
        error: f64,
        found: impl Fn(u32) -> Found<K>,
    ) -> f64 {
        let list = &mut self.candidates;
        let Some(last) = k.checked_sub(1).filter(|&last| last < list.len()) else {
            return f64::NEG_INFINITY;
        };
        let (_, &mut (score, _), _) = list.select_nth_unstable_by(last, by_score);
        let threshold = score - 2.0 * error;
        let mut kept = k;
        for i in k..list.len() {
            if list[i].0 >= threshold {
                list.swap(kept, i);
                kept += 1;
            }
        }
        list.truncate(kept);
        if kept > 2 * k + 64 {
            // Most of the keys tie or nearly tie.
            list.select_nth_unstable_by(last, exactly(q, found));
            list.truncate(k);
        }
        threshold
    }

    /// Ranks the best `k` of the candidates. Scores that differ by more than `2 error` are in the
    /// right order, and exact comparisons order the others.
    pub(crate) fn rank(&mut self, q: K, k: usize, error: f64, found: impl Fn(u32) -> Found<K>) {
        if self.candidates.len() > k {
            self.cut(q, k, error, &found);
        }
        let list = &mut self.candidates;
        list.sort_unstable_by(by_score);
        let mut start = 0;
        while start < list.len() {
            let mut end = start + 1;
            while end < list.len() && list[end - 1].0 - list[end].0 <= 2.0 * error {
                end += 1;
            }
            list[start..end].sort_unstable_by(exactly(q, &found));
            start = end;
        }
        list.truncate(k);
        self.ranked.clear();
        self.ranked
            .extend(list.iter().map(|&(_, number)| found(number)));
    }

    /// The keys ranked last, best first.
    pub(crate) fn ranked(&self) -> &[Found<K>] {
        &self.ranked
    }
}

/// The greater score first.
fn by_score(a: &Scored, b: &Scored) -> Ordering {
    b.0.total_cmp(&a.0)
}

/// The exact order, the better one first.
fn exactly<K: Key>(q: K, found: impl Fn(u32) -> Found<K>) -> impl Fn(&Scored, &Scored) -> Ordering {
    move |&(_, a), &(_, b)| {
        let (a, b) = (found(a), found(b));
        // Coinciding keys need no arithmetic.
        if a.key == b.key {
            a.id.cmp(&b.id)
        } else {
            rank(q, a, b)
        }
    }
}

/// The greater number.
#[inline(always)]
pub(crate) fn most(a: f64, b: &f64) -> f64 {
    if *b > a { *b } else { a }
}
