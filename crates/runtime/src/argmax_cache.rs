//! Direct-mapped cache of the argmax of logits, by the bits of the columns that the unembedding
//! reads.
//!
//! Programs loop, so most columns recur soon.

use weightware_model::TokenId;

use crate::sparse::WIDTH;
use crate::unembed::{Scratch, Unembed};

/// The most columns whose argmax is cached.
const MOST_COLUMNS: usize = 4;

const ENTRIES: usize = 1 << 13;

/// The cache of the last searches, and buffers for the next one.
#[derive(Debug, Default)]
pub(crate) struct ArgmaxCache {
    /// Columns and their token, by hash; empty before the first search.
    entries: Vec<([u64; MOST_COLUMNS], TokenId)>,
    columns: Vec<f64>,
    scratch: Scratch,
}

impl ArgmaxCache {
    /// The token predicted from the residual stream: the lowest of the greatest logit. `None` if a
    /// logit might overflow.
    pub(crate) fn predict(
        &mut self,
        unembed: &Unembed,
        residual: &[f64; WIDTH],
    ) -> Option<TokenId> {
        let mut columns = std::mem::take(&mut self.columns);
        unembed.read(residual, &mut columns);
        let token = self.argmax(unembed, &columns);
        self.columns = columns;
        token
    }

    /// The lowest token of the greatest logit, from the columns that the unembedding reads. `None`
    /// if a logit might overflow.
    pub(crate) fn argmax(&mut self, unembed: &Unembed, columns: &[f64]) -> Option<TokenId> {
        if columns.len() > MOST_COLUMNS {
            return self.search(unembed, columns);
        }
        if self.entries.is_empty() {
            // This NaN marks an empty entry: no column is NaN.
            self.entries = vec![([u64::MAX; MOST_COLUMNS], TokenId(0)); ENTRIES];
        }
        let mut key = [0; MOST_COLUMNS];
        let mut hash = 0_u64;
        for (bits, column) in key.iter_mut().zip(columns) {
            // Logits of -0 are those of +0.
            *bits = (column + 0.0).to_bits();
            hash = (hash.rotate_left(29) ^ *bits).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        let at = (hash >> 48) as usize % ENTRIES;
        if self.entries[at].0 != key {
            self.entries[at] = (key, self.search(unembed, columns)?);
        }
        Some(self.entries[at].1)
    }

    /// The lowest token of the greatest logit, without the cache.
    #[cold]
    pub(crate) fn search(&mut self, unembed: &Unembed, columns: &[f64]) -> Option<TokenId> {
        unembed.argmax(columns, &mut self.scratch)
    }
}
