//! Adversarial programs that run into the horizon. Every engine must generate the plain
//! interpreter's tokens up to the same last one, and then stop.

mod programs;
mod stock;

use weightware::{Keys, Model, certify};

pub use crate::beside::{Stopped, beside};
pub use programs::{Adversary, adversaries, farthest};
pub use stock::{Sampled, at_positions};

/// The greatest count of stores, if a count orders the writes of keys with an index.
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

/// Moves the horizon of a model: it stops after that position, and after this many stores.
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
