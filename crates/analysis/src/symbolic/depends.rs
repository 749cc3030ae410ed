//! Dependency queries: the atoms that a polynomial is computed from.

use crate::symbolic::atoms::AtomKind;
use crate::symbolic::hash::QuickSet;
use crate::symbolic::interner::Interner;
use crate::symbolic::polynomial::{Atom, PolyId};

impl Interner {
    /// Taint analysis: for each atom, whether it or any atom that it is computed from satisfies a
    /// predicate.
    pub(crate) fn tainted_by(&self, is_source: impl Fn(Atom, &AtomKind) -> bool) -> Vec<bool> {
        let mut tainted: Vec<bool> = Vec::with_capacity(self.atoms());
        for atom in 0..self.atoms() as Atom {
            let kind = self.kind(atom);
            let any = |forms: &[PolyId]| {
                let mut atoms = forms.iter().flat_map(|&form| self[form].atoms());
                atoms.any(|atom| tainted[atom as usize])
            };
            // An atom is computed only from earlier atoms.
            let from = match kind {
                AtomKind::Place { query, .. }
                | AtomKind::Entry { query, .. }
                | AtomKind::Hull { query, .. } => any(query),
                AtomKind::Read { place, .. } | AtomKind::Kept { place, .. } => {
                    tainted[*place as usize]
                }
                AtomKind::Looked { argument, .. } => any(&[*argument]),
                AtomKind::Found { entry, .. } => tainted[*entry as usize],
                AtomKind::Near { of } | AtomKind::Within { of, .. } => tainted[*of as usize],
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
            tainted.push(from || is_source(atom, kind));
        }
        tainted
    }

    /// The atoms of a form, and transitively those that its rounded atoms are computed from.
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
                AtomKind::Looked { argument, .. } => open.extend(self[*argument].atoms()),
                _ => {}
            }
        }
        seen
    }
}
