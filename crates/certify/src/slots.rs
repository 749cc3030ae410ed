//! What a slot of the residual stream is known to hold before a layer, from the weights alone.

use weightware_model::{LayerWeights, Model};

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Held {
    /// 1 at every token but those whose embedding is zero.
    One,
    /// The position.
    Time,
    /// Its square.
    TimeSquared,
    /// What the embedding says: at most so much, in absolute value.
    Embedding(f64),
    /// What heads and neurons have made of it.
    Computed,
}

impl Held {
    /// Whether the token alone says it.
    pub(crate) const fn is_embedding(self) -> bool {
        matches!(self, Self::One | Self::Embedding(_))
    }
}

/// What every slot holds before the first layer.
pub(crate) fn at_first(model: &Model) -> Vec<Held> {
    let tok = &model.weights.tok;
    let features = &model.config.position_features;
    (0..tok.cols)
        .map(|slot| {
            let column = || (0..tok.rows).map(|row| tok.row(row)[slot]);
            let feature = features.iter().find(|feature| feature.slot == slot);
            let empty = column().all(|entry| entry == 0.0);
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

/// Whether an embedding has a 1 there, or nothing at all.
fn ones(model: &Model, slot: usize) -> bool {
    let tok = &model.weights.tok;
    (0..tok.rows)
        .map(|row| tok.row(row))
        .all(|row| row[slot] == 1.0 || row.iter().all(|&entry| entry == 0.0))
}

/// Forgets what was known of the slots that a layer writes.
pub(crate) fn behind(held: &mut [Held], layer: &LayerWeights) {
    for (slot, held) in held.iter_mut().enumerate() {
        let written = |row: &[f64]| row.iter().any(|&weight| weight != 0.0);
        if written(layer.out_proj.row(slot)) || written(layer.ff_out.row(slot)) {
            *held = Held::Computed;
        }
    }
}
