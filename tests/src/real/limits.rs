//! The limit of a profile that a run exceeds, in a phrase.

use weightware::{Config, HorizonReason, Limit, Profile};
use weightware_runtime::KeyRange;

use crate::tokens::thousands;

/// The limit that ended a run, as a reader of the page on horizons knows it.
pub(super) fn phrase(profile: Profile, config: &Config, reason: &HorizonReason) -> String {
    let count = |number: i64| thousands(number.unsigned_abs());
    match *reason {
        HorizonReason::LastPosition(last) => format!("{} positions", thousands(last)),
        HorizonReason::KeyBound {
            layer,
            head,
            x,
            lift,
        } => {
            let key = KeyRange {
                layer,
                head,
                x: [x; 2],
                lift,
            };
            let counted = profile.cells.unwrap_or(profile.memory);
            match profile.limit_of(config, &key) {
                Some(Limit::Addresses) => {
                    let address = profile.last_address(config, [key]);
                    format!(
                        "address {} of {}",
                        count(address),
                        count(profile.memory.last())
                    )
                }
                Some(Limit::Stores) => format!("{} stores", thousands(counted.last_time)),
                _ if is_of_cells(profile, config, &key) => {
                    format!("{} written addresses", count(counted.last()))
                }
                _ => reason.to_string(),
            }
        }
        _ => reason.to_string(),
    }
}

/// Whether the key is outside the box of the numbers to which addresses are translated.
fn is_of_cells(profile: Profile, config: &Config, key: &KeyRange) -> bool {
    let Some(cells) = profile.cells else {
        return false;
    };
    let mut bounds = config.key_bounds.iter();
    let bound = bounds.find(|bound| (bound.layer, bound.head) == (key.layer, key.head));
    bound.is_some_and(|bound| bound.max_abs_x == 2.0 * cells.reach as f64)
}
