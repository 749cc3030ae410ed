//! The index of a cache: all keys but the tail, ranked and summarised.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::Error;
use crate::nested::{Indexed, Ranking};
use crate::rank::{Found, rank};
use crate::simd::Arch;
use crate::sketch::Sketch;

/// How many of the latest keys can always be taken back at once: see
/// [`SparseCache::truncate`](crate::SparseCache::truncate).
pub const WINDOW: usize = 256;

/// How many keys enter the index together.
pub(super) const BATCH: usize = 256;

/// An index of the best few keys, boxes with counts of keys, and the last query.
#[derive(Clone, Debug)]
pub(super) struct Hull<K: Indexed> {
    index: K::Index,
    sketch: Sketch<K>,
    len: usize,
    top: <K::Index as Ranking<K>>::Top,
}

impl<K: Indexed> Hull<K> {
    /// An index for queries of up to `limit` keys and the next one.
    pub(super) fn new(limit: usize, arch: Arch) -> Self {
        Self {
            index: K::Index::with_limit(limit.saturating_add(1)),
            sketch: Sketch::new(arch),
            len: 0,
            top: Default::default(),
        }
    }

    /// The number of keys.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether more keys than the tail of a cache of `len` keys are missing.
    pub(super) fn lags(&self, len: usize) -> bool {
        len >= self.len + WINDOW + BATCH
    }

    /// How many times pushes have displaced keys.
    pub(super) fn moves(&self) -> u64 {
        self.index.displaced()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.index.bytes() + self.sketch.heap_bytes()
    }

    pub(super) fn push(&mut self, key: K) -> Result<(), Error> {
        self.index.add(key)?;
        self.sketch.push(key);
        self.len += 1;
        Ok(())
    }

    /// Begins a query for the best `k` keys.
    pub(super) fn begin(&mut self, q: K, k: usize) -> Result<(), Error> {
        self.index.begin(q, k, &mut self.top)
    }

    /// Continues the query until `k` keys are found.
    pub(super) fn extend(&mut self, k: usize) {
        self.index.extend(k, &mut self.top);
    }

    /// The keys found, best first.
    pub(super) fn found(&self) -> &[Found<K>] {
        K::Index::found(&self.top)
    }

    /// How many vertices, or boxes and keys, the query has looked at.
    pub(super) fn touched(&self) -> usize {
        K::Index::touched(&self.top)
    }

    /// The number of boxes that [`Self::weight`] looks at.
    pub(super) fn boxes(&self) -> usize {
        self.sketch.len()
    }

    /// An upper bound of the weights of the index's keys except the used ones: see
    /// [`Sketch::weight`].
    pub(super) fn weight(
        &self,
        q: K,
        best: K,
        used: &[Found<K>],
        cap: f64,
        scratch: &mut Vec<f64>,
    ) -> f64 {
        let used = used.iter().filter(|found| (found.id as usize) < self.len);
        let used = used.map(|found| found.key);
        self.sketch.weight(q, best, used, cap, scratch)
    }
}

/// Merges two ranked lists into the best `k` of both.
pub(super) fn merge<K: Indexed>(
    q: K,
    found: &[Found<K>],
    tail: &[Found<K>],
    k: usize,
    out: &mut Vec<Found<K>>,
) {
    out.clear();
    if tail.is_empty() {
        out.extend_from_slice(&found[..k.min(found.len())]);
        return;
    }
    let (mut found, mut tail) = (found.iter().peekable(), tail.iter().peekable());
    while out.len() < k {
        let next = match (found.peek(), tail.peek()) {
            (Some(&&a), Some(&&b)) if rank(q, a, b) == Ordering::Less => found.next(),
            (_, Some(_)) => tail.next(),
            _ => found.next(),
        };
        match next {
            Some(&next) => out.push(next),
            None => break,
        }
    }
}
