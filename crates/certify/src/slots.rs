//! Facts about the slots of the residual stream before a layer, from the weights alone.

use weightware_model::{LayerWeights, Model};

/// The known content of a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Held {
    /// 1 at every token except those whose embedding is zero.
    One,
    /// The position.
    Time,
    /// The square of the position.
    TimeSquared,
    /// A number from the embedding, with the greatest absolute value.
    Embedding(f64),
    /// A result of heads and neurons.
    Computed,
}

impl Held {
    /// Whether the number depends on the token alone.
    pub(crate) const fn is_embedding(self) -> bool {
        matches!(self, Self::One | Self::Embedding(_))
    }
}

/// The contents of all slots before the first layer.
pub(crate) fn at_first(model: &Model) -> Vec<Held> {
    let tok = &model.weights.tok;
    let features = &model.config.position_features;
    (0..tok.cols)
        .map(|slot| {
            let column = || (0..tok.rows).map(|row| tok.row(row)[slot]);
            let feature = features.iter().find(|feature| feature.slot == slot);
            let empty = tok.column_is_zero(slot);
            match feature.map(|feature| feature.coefficients) {
                Some([0.0, 1.0, 0.0]) if empty => Held::Time,
                Some([0.0, 0.0, 1.0]) if empty => Held::TimeSquared,
                Some(_) => Held::Computed,
                None if !empty && ones(model, slot) => Held::One,
                None => Held::Embedding(column().fold(0.0, |most, entry| most.max(entry.abs()))),
            }
        })
        .collect()
}

/// Whether every embedding has a 1 in the slot, or is zero everywhere.
fn ones(model: &Model, slot: usize) -> bool {
    let tok = &model.weights.tok;
    (0..tok.rows).all(|row| tok.row(row)[slot] == 1.0 || tok.row_is_zero(row))
}

/// Forgets the contents of the slots that a layer writes.
pub(crate) fn forget_written(held: &mut [Held], layer: &LayerWeights) {
    for (slot, held) in held.iter_mut().enumerate() {
        if !layer.out_proj.row_is_zero(slot) || !layer.ff_out.row_is_zero(slot) {
            *held = Held::Computed;
        }
    }
}
