//! Running sums of one sequence of tokens.

use weightware_model::{Model, TokenId};

use crate::certificate::{SUM_TOLERANCE, UNIT};
use crate::keys::equal_keys;
use crate::slots;

/// How large the running sums of a sequence are beside what stock softmax gets right: its sum of n
/// terms may be off by `(n + 2) 2^-53` times the sum of their absolute values, whatever the order
/// in which a library adds them.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningSums {
    /// By sum: `|value|` of every token.
    values: Vec<Vec<f64>>,
    /// By sum: of the tokens so far.
    totals: Vec<f64>,
    tokens: u64,
    /// The first position at which one of them was too large.
    exceeded: Option<u64>,
}

impl RunningSums {
    /// The sums of a model over no tokens. What is averaged and is not what the embedding alone
    /// says counts as 1 at every token.
    ///
    /// # Panics
    /// If the model is inconsistent, which [`Model::validate`] excludes.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let mut held = slots::at_first(model);
        let mut values = vec![];
        for layer in &model.weights.layers {
            for head in 0..model.config.shape.heads {
                for row in equal_keys(layer, head, &held) {
                    let told = row.iter().all(|&(slot, _)| held[slot].is_embedding());
                    let tok = &model.weights.tok;
                    let value = |id| -> f64 {
                        let entries = row.iter().map(|&(slot, weight)| weight * tok.row(id)[slot]);
                        if told { entries.sum() } else { 1.0 }
                    };
                    values.push((0..tok.rows).map(|id| value(id).abs()).collect());
                }
            }
            slots::behind(&mut held, layer);
        }
        Self {
            totals: vec![0.0; values.len()],
            values,
            tokens: 0,
            exceeded: None,
        }
    }

    /// Appends a token of the vocabulary; another adds nothing.
    pub fn push(&mut self, token: TokenId) {
        self.tokens += 1;
        for (total, values) in self.totals.iter_mut().zip(&self.values) {
            *total += values.get(token.0 as usize).unwrap_or(&0.0);
        }
        if self.exceeded.is_none() && self.used() > 1.0 {
            self.exceeded = Some(self.tokens - 1);
        }
    }

    /// The greatest sum, as a share of what is proved at this length.
    #[must_use]
    pub fn used(&self) -> f64 {
        let largest = self.totals.iter().copied().fold(0.0, f64::max);
        (self.tokens as f64 + 2.0) * UNIT * largest / SUM_TOLERANCE
    }

    /// The greatest position, of the tokens so far, up to which stock softmax sums right.
    #[must_use]
    pub fn proved(&self) -> u64 {
        self.exceeded.unwrap_or(self.tokens).saturating_sub(1)
    }
}
