//! Available values: atoms that stay in registers from one token to the next, under guards.

use weightware_analysis::{Atom, QuickMap};

use crate::plan::ir::Guard;

/// A set of guards that a compiler has seen, a bit each.
pub(super) type Guards = u64;

/// Atoms whose registers keep their values from one token to the next.
#[derive(Debug, Default)]
pub(crate) struct Available {
    /// By atom: the guards under which it stays, if it does.
    pub(super) atoms: QuickMap<Atom, Option<Guards>>,
    pub(super) guards: Vec<Guard>,
}

impl Available {
    /// A set of one guard, unless there are too many.
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
