//! Memory that was never written: whatever address a load asks for, it finds no key but a store's.
//!
//! Addresses go to 2^32, keys only as far as the memory that a profile holds. Tokens that write
//! nothing have keys too, wherever garbage puts them; they are cleared, which lowers their scores:
//!
//! ```text
//! score of a key for q        q^2 - (q - x)^2 + lift - CLEARED clear
//! the first token's           at least 0: its key is 0, and not cleared
//! a cleared one's, at most    q^2 + 1 - CLEARED clear
//! ```
//! So a cleared key is never found if `CLEARED clear > q^2 + 1`. Of all queries of loads the
//! greatest is bounded, and of all tokens but those of stores the least `clear`. Among a store's
//! own tokens only that before its first byte is cleared; it has no byte, so that it answers 0, as
//! memory does that was never written.

use weightware_isa::{Op, Token};
use weightware_model::Model;

use super::error::ProofError;
use super::facts::Facts;
use crate::graph::{CLEARED, Writer};
use crate::machine::columns::{Class, op_columns};
use crate::machine::{Extension, Machine, Profile};
use crate::schedule::Schedule;

/// What is known of what loads find by address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unwritten {
    /// The greatest `|q|` of a load, an address less the centre of all.
    pub asked: f64,
    /// No cleared key is found by a query below this.
    pub cleared: f64,
}

impl Unwritten {
    /// Whether memory that was never written is 0 at every address.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.asked < self.cleared
    }
}

/// Proves that loads find the keys of stores alone.
///
/// # Errors
/// If the schedule is not that of the machine, or the analysis refuses the weights.
///
/// # Panics
/// If no lookup finds memory by address.
pub fn unwritten(profile: Profile, model: &Model) -> Result<Unwritten, ProofError> {
    let machine = Machine::with_profile(profile, &Extension::ALL);
    let schedule = Schedule::parse(&machine.graph, profile.schedule())?;
    let mut facts = Facts::new(&machine, &schedule, model)?;
    let mut found = Unwritten {
        asked: 0.0,
        cleared: f64::INFINITY,
    };
    let by_address = match profile.cells {
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
        if matches!(class, Class::Load | Class::LoadSigned) {
            let asked = facts.over_classes(token, |facts| facts.farthest(lookup))?;
            found.asked = asked.into_iter().fold(found.asked, f64::max);
        }
        if class != Class::Store {
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
        panic!("{lookup} is no lookup");
    };
    let mut least = 0.0;
    for &(dim, coefficient) in key.clear.terms() {
        let form = facts.dim(dim)?;
        let bounds = facts.analysis.interner.bounds(form);
        assert!(coefficient > 0, "what clears does not lift");
        least += coefficient as f64 * bounds.lo;
    }
    Ok(least)
}
