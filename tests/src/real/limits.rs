//! The limit of a profile that a run exceeds, in a phrase.

use weightware::{HorizonReason, Limit, Run};

use crate::thousands::thousands;

/// The limit that ended a run, as a reader of the page on horizons knows it.
pub(super) fn phrase(run: &Run<'_>, reason: &HorizonReason) -> String {
    let Some(exceeded) = run.exceeded() else {
        return reason.to_string();
    };
    let profile = exceeded.profile;
    let count = |number: i64| thousands(number.unsigned_abs());
    match (exceeded.limit, profile.cells) {
        (Limit::Positions, _) => format!("{} positions", thousands(profile.last_position)),
        (Limit::Stores, _) => format!("{} stores", thousands(profile.last_store())),
        (Limit::Addresses, _) => format!(
            "address {} of {}",
            count(exceeded.address.unwrap_or(0)),
            count(profile.memory.last())
        ),
        (Limit::Written, Some(cells)) => format!("{} written addresses", count(cells.last())),
        _ => reason.to_string(),
    }
}
