//! Dependency queries: which atoms a polynomial is computed from.

use crate::symbolic::atoms::{AtomKind, Atoms};
use crate::symbolic::hash::QuickSet;
use crate::symbolic::polynomial::{Atom, PolyId};

impl Atoms {
    /// Which atoms are certain ones, or made of them.
    pub(crate) fn made_of(&self, certain: impl Fn(Atom, &AtomKind) -> bool) -> Vec<bool> {
        let mut made = Vec::with_capacity(self.len());
        for atom in 0..self.len() as Atom {
            let kind = self.kind(atom);
            let any = |forms: &[PolyId]| {
                let mut atoms = forms.iter().flat_map(|&form| self[form].atoms());
                atoms.any(|atom| made[atom as usize])
            };
            // Atoms are made of earlier ones.
            let from = match kind {
                AtomKind::Place { query, .. }
                | AtomKind::Entry { query, .. }
                | AtomKind::Hull { query, .. } => any(query),
                AtomKind::Read { place, .. } | AtomKind::Kept { place, .. } => {
                    made[*place as usize]
                }
                AtomKind::Found { entry, .. } => made[*entry as usize],
                AtomKind::Near { of } | AtomKind::Within { of, .. } => made[*of as usize],
                AtomKind::Rounded { base, terms } => {
                    any(&[*base]) || terms.iter().any(|(_, form)| any(&[*form]))
                }
                AtomKind::Gated { gate, value } | AtomKind::Product { gate, value } => {
                    any(&[*gate, *value])
                }
                AtomKind::One
                | AtomKind::Time
                | AtomKind::Token { .. }
                | AtomKind::Index { .. }
                | AtomKind::Mean { .. }
                | AtomKind::Sum { .. }
                | AtomKind::Latest { .. } => false,
            };
            let is = from || certain(atom, kind);
            made.push(is);
        }
        made
    }

    /// The atoms of a form and of what its rounded ones are made of.
    pub(crate) fn depends_on(&self, form: PolyId) -> QuickSet<Atom> {
        let mut seen = QuickSet::default();
        let mut open: Vec<Atom> = self[form].atoms().collect();
        while let Some(atom) = open.pop() {
            if !seen.insert(atom) {
                continue;
            }
            match self.kind(atom) {
                AtomKind::Rounded { base, terms } => {
                    open.extend(self[*base].atoms());
                    open.extend(terms.iter().flat_map(|&(_, form)| self[form].atoms()));
                }
                AtomKind::Gated { gate, value } | AtomKind::Product { gate, value } => {
                    open.extend(
                        [gate, value]
                            .into_iter()
                            .flat_map(|&form| self[form].atoms()),
                    );
                }
                _ => {}
            }
        }
        seen
    }
}
