//! What atoms and forms are made of.

use crate::atoms::{Atoms, Kind};
use crate::form::{Atom, FormId};
use crate::hash::QuickSet;

impl Atoms {
    /// Which atoms are certain ones, or made of them.
    pub(crate) fn made_of(&self, certain: impl Fn(Atom, &Kind) -> bool) -> Vec<bool> {
        let mut made = Vec::with_capacity(self.len());
        for atom in 0..self.len() as Atom {
            let kind = self.kind(atom);
            let any = |forms: &[FormId]| {
                let mut atoms = forms.iter().flat_map(|&form| self[form].atoms());
                atoms.any(|atom| made[atom as usize])
            };
            // Atoms are made of earlier ones.
            let from = match kind {
                Kind::Place { query, .. }
                | Kind::Entry { query, .. }
                | Kind::Hull { query, .. } => any(query),
                Kind::Read { place, .. } | Kind::Kept { place, .. } => made[*place as usize],
                Kind::Found { entry, .. } => made[*entry as usize],
                Kind::Near { of } | Kind::Within { of, .. } => made[*of as usize],
                Kind::Rounded { base, terms } => {
                    any(&[*base]) || terms.iter().any(|(_, form)| any(&[*form]))
                }
                Kind::Gated { gate, value } | Kind::Product { gate, value } => {
                    any(&[*gate, *value])
                }
                Kind::One
                | Kind::Time
                | Kind::Token { .. }
                | Kind::Index { .. }
                | Kind::Mean { .. }
                | Kind::Sum { .. }
                | Kind::Latest { .. } => false,
            };
            let is = from || certain(atom, kind);
            made.push(is);
        }
        made
    }

    /// The atoms of a form and of what its rounded ones are made of.
    pub(crate) fn depends_on(&self, form: FormId) -> QuickSet<Atom> {
        let mut seen = QuickSet::default();
        let mut open: Vec<Atom> = self[form].atoms().collect();
        while let Some(atom) = open.pop() {
            if !seen.insert(atom) {
                continue;
            }
            match self.kind(atom) {
                Kind::Rounded { base, terms } => {
                    open.extend(self[*base].atoms());
                    open.extend(terms.iter().flat_map(|&(_, form)| self[form].atoms()));
                }
                Kind::Gated { gate, value } | Kind::Product { gate, value } => {
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
