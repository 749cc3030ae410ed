//! Proof that memory which was never written is 0: for every address, a load or a `probe` finds
//! only keys of stores.
//!
//! Addresses range up to 2^32, keys only up to the memory of the profile. Tokens that write nothing
//! have keys too, at meaningless places. They are cleared, which lowers their scores:
//!
//! ```text
//! score of a key for q        q^2 - (q - x)^2 + lift - CLEARED clear
//! the first token's           at least 0: its key is 0, and not cleared
//! a cleared one's, at most    q^2 + 1 - CLEARED clear
//! ```
//! So a cleared key is never found if `CLEARED clear > q^2 + 1`. The proof bounds the greatest
//! query of all loads, and the least `clear` of all tokens except those of stores. The only cleared
//! token of a store, or of a `dump`, is the one before its first byte. It has no byte, so its value
//! is 0, as for memory that was never written.

use weightware_isa::{Op, Token};
use weightware_model::Model;

use super::error::ProofError;
use super::facts::Facts;
use crate::graph::{CLEARED, Writer};
use crate::machine::columns::{Class, op_columns};
use crate::machine::{Extension, Machine, Profile};
use crate::schedule::Schedule;

/// Bounds on the queries of loads and on the keys that they find.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unwritten {
    /// The greatest `|q|` of a load: an address less the centre.
    pub asked: f64,
    /// Queries below this find no cleared key.
    pub cleared: f64,
}

impl Unwritten {
    /// Whether memory that was never written is 0 at every address.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.asked < self.cleared
    }
}

/// Proves that loads find only keys of stores.
///
/// # Errors
/// If the schedule is not that of the machine, or the analysis refuses the weights.
///
/// # Panics
/// If no lookup finds memory by address.
pub fn unwritten(profile: Profile, model: &Model) -> Result<Unwritten, ProofError> {
    let machine = Machine::with_profile(profile, &Extension::ALL);
    let schedule = Schedule::parse(&machine.graph, profile.schedule())?;
    unwritten_of(&machine, &schedule, model)
}

/// Proves that loads find only keys of stores, for weights that were assembled for a machine with
/// any schedule.
///
/// # Errors
/// If the analysis refuses the weights.
///
/// # Panics
/// If no lookup finds memory by address.
pub fn unwritten_of(
    machine: &Machine,
    schedule: &Schedule,
    model: &Model,
) -> Result<Unwritten, ProofError> {
    let mut facts = Facts::new(machine, schedule, model)?;
    let mut found = Unwritten {
        asked: 0.0,
        cleared: f64::INFINITY,
    };
    let by_address = match machine.profile().cells {
        None => ["load.at", "load"].as_slice(),
        Some(_) => ["cell.load"].as_slice(),
    };
    let text = [Token::Begin, Token::Open, Token::Close];
    let ops = Op::ALL.iter().map(|&op| Token::Op(op));
    for (&lookup, token) in by_address
        .iter()
        .flat_map(|lookup| ops.clone().chain(text).map(move |token| (lookup, token)))
    {
        let class = match token {
            Token::Op(op) => op_columns(op).class,
            _ => Class::None,
        };
        let loads = [Class::Load, Class::LoadSigned, Class::Dump, Class::Probe];
        if loads.contains(&class) {
            let asked = facts.over_classes(token, |facts| facts.farthest(lookup))?;
            found.asked = asked.into_iter().fold(found.asked, f64::max);
        }
        if !matches!(class, Class::Store | Class::Dump) {
            let clears = facts.over_classes(token, |facts| clear(facts, lookup))?;
            let least = clears.into_iter().fold(f64::INFINITY, f64::min);
            let below = least * CLEARED as f64 - 1.0;
            found.cleared = found.cleared.min(below.max(0.0).sqrt());
        }
    }
    Ok(found)
}

/// The least `clear` of a lookup's key.
fn clear(facts: &mut Facts<'_>, lookup: &str) -> Result<f64, ProofError> {
    let (_, Writer::Lookup { key, .. }) = facts.lookup(lookup) else {
        panic!("{lookup} is not a lookup");
    };
    let mut least = 0.0;
    for &(dim, coefficient) in key.clear.terms() {
        let form = facts.dim(dim)?;
        let bounds = facts.analysis.interner.bounds(form);
        assert!(
            coefficient > 0,
            "the clearing term of {lookup} has a negative coefficient"
        );
        least += coefficient as f64 * bounds.lo;
    }
    Ok(least)
}
