//! Programs that lean against the horizon, and what must be true there: every engine says what the
//! plain interpreter says, up to the same last token, and then stops.

mod programs;
mod stock;

use weightware::{Keys, Model, certify};

pub use crate::beside::{Stopped, beside};
pub use programs::{Adversary, adversaries, farthest};
pub use stock::{Sampled, at_positions};

/// The greatest count that orders writes of keys with an index, where it is a count: how often the
/// memory may be stored to.
#[must_use]
pub fn most_stores(model: &Model) -> Option<u64> {
    let certificate = certify(model);
    let heads = certificate.heads.iter();
    let counted = heads.filter(|head| {
        matches!(
            head.keys,
            Keys::Indexed {
                by_position: false,
                ..
            }
        )
    });
    counted
        .filter_map(|head| Some(head.index_box.as_ref()?.times))
        .min()
}

/// The same model with a nearer horizon: it stops behind that position, and after so many stores.
///
/// # Panics
/// If the model cannot store that often.
#[must_use]
pub fn nearer(mut model: Model, last_position: u64, stores: u64) -> Model {
    let certificate = certify(&model);
    model.config.last_position = last_position;
    for head in &certificate.heads {
        let (
            Keys::Indexed {
                by_position: false, ..
            },
            Some(bounds),
        ) = (&head.keys, &head.index_box)
        else {
            continue;
        };
        assert!(
            stores <= bounds.times,
            "the model stores {} times",
            bounds.times
        );
        let its = |bound: &&mut weightware_model::KeyBound| {
            (bound.layer, bound.head) == (head.layer, head.head)
        };
        for bound in model.config.key_bounds.iter_mut().filter(its) {
            bound.max_lift = stores as f64 * bounds.unit;
        }
    }
    model
}
