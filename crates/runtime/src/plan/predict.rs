//! The token that follows, by what the unembedding reads.

use crate::network::Network;
use crate::unembed::Scratch;

/// Predictions by the columns that the unembedding reads.
#[derive(Debug)]
pub(super) struct Predictions {
    /// Columns and token, by a hash.
    known: Vec<([u64; MOST_COLUMNS], u32)>,
    scratch: Scratch,
}

const MOST_COLUMNS: usize = 4;
const PREDICTIONS: usize = 1 << 13;

impl Predictions {
    pub(super) fn new() -> Self {
        Self {
            known: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// The token of the greatest logit; logits do not overflow.
    #[inline]
    pub(super) fn of(&mut self, network: &Network, columns: &[f64]) -> u32 {
        if columns.len() > MOST_COLUMNS {
            return self.look(network, columns);
        }
        if self.known.is_empty() {
            // No column is this NaN.
            self.known = vec![([u64::MAX; MOST_COLUMNS], 0); PREDICTIONS];
        }
        let mut key = [0; MOST_COLUMNS];
        let mut hash = 0_u64;
        for (bits, column) in key.iter_mut().zip(columns) {
            *bits = (column + 0.0).to_bits();
            hash = (hash.rotate_left(29) ^ *bits).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        let at = (hash >> 48) as usize % PREDICTIONS;
        if self.known[at].0 != key {
            self.known[at] = (key, self.look(network, columns));
        }
        self.known[at].1
    }

    #[inline(never)]
    fn look(&mut self, network: &Network, columns: &[f64]) -> u32 {
        network
            .unembed
            .argmax_of(columns, &mut self.scratch)
            .map_or(0, |token| token.0)
    }
}
