//! Running sums of one sequence of tokens.

use weightware_model::{Model, TokenId};

use crate::certificate::{SUM_TOLERANCE, UNIT};
use crate::keys::equal_keys;
use crate::slots;

/// The running sums of a sequence, compared with the bound up to which stock softmax is right. Its
/// sum of n terms has an error of up to `(n + 2) 2^-53` times the sum of their absolute values, in
/// any order of additions.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningSums {
    /// For each sum, the `|value|` of every token.
    values: Vec<Vec<f64>>,
    /// For each sum, its total over the tokens so far.
    totals: Vec<f64>,
    tokens: u64,
    /// The first position at which a sum was too large.
    exceeded: Option<u64>,
}

impl RunningSums {
    /// Creates the sums of a model over no tokens. An averaged value that does not depend on the
    /// embedding alone counts as 1 at every token.
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
                    let is_embedded = row.iter().all(|&(slot, _)| held[slot].is_embedding());
                    let tok = &model.weights.tok;
                    let value = |id| -> f64 {
                        let entries = row.iter().map(|&(slot, weight)| weight * tok.row(id)[slot]);
                        if is_embedded { entries.sum() } else { 1.0 }
                    };
                    values.push((0..tok.rows).map(|id| value(id).abs()).collect());
                }
            }
            slots::forget_written(&mut held, layer);
        }
        Self {
            totals: vec![0.0; values.len()],
            values,
            tokens: 0,
            exceeded: None,
        }
    }

    /// Appends a token. A token outside the vocabulary adds nothing.
    pub fn push(&mut self, token: TokenId) {
        self.tokens += 1;
        for (total, values) in self.totals.iter_mut().zip(&self.values) {
            *total += values.get(token.0 as usize).unwrap_or(&0.0);
        }
        if self.exceeded.is_none() && self.used() > 1.0 {
            self.exceeded = Some(self.tokens - 1);
        }
    }

    /// The greatest sum, as a share of the bound at this length.
    #[must_use]
    pub fn used(&self) -> f64 {
        let largest = self.totals.iter().copied().fold(0.0, f64::max);
        (self.tokens as f64 + 2.0) * UNIT * largest / SUM_TOLERANCE
    }

    /// The greatest position, of the tokens so far, up to which the sums of stock softmax are
    /// right.
    #[must_use]
    pub fn proved(&self) -> u64 {
        self.exceeded.unwrap_or(self.tokens).saturating_sub(1)
    }
}
