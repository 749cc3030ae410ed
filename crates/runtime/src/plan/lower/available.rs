//! Availability analysis: the atoms whose registers stay valid from one token to the next, and the
//! guards that this needs.

use weightware_analysis::{Atom, QuickMap};

use crate::plan::ir::Guard;

/// A set of a compiler's guards, a bit for each.
pub(super) type Guards = u64;

/// The atoms whose registers stay valid from one token to the next.
#[derive(Debug, Default)]
pub(crate) struct Available {
    /// For each atom, the guards under which it stays, if it does.
    pub(super) atoms: QuickMap<Atom, Option<Guards>>,
    pub(super) guards: Vec<Guard>,
}

impl Available {
    /// The set of one guard, unless there are too many guards.
    pub(super) fn set_of(&mut self, guard: Guard) -> Option<Guards> {
        let known = self.guards.iter().position(|&known| known == guard);
        let at = known.unwrap_or(self.guards.len());
        if at == Guards::BITS as usize {
            return None;
        }
        if known.is_none() {
            self.guards.push(guard);
        }
        Some(1 << at)
    }

    pub(super) fn guards(&self, set: Guards) -> impl Iterator<Item = Guard> {
        let is_in = move |at: &usize| set >> at & 1 != 0;
        (0..self.guards.len())
            .filter(is_in)
            .map(|at| self.guards[at])
    }
}
