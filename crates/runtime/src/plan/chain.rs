//! Programs for tokens that follow each other: what the last token computed stays in its registers, and much of it holds
//! for the next token as well.
//!
//! If the token changes nothing that programs are chosen by, its program is known before anything is computed. Such a
//! program belongs to the one before it, and reads the registers of that one wherever an atom *stays*: it is made of
//! nothing but sums that the token adds nothing to, highest keys and tables that the token does not change, and tokens at
//! places that stay. That a place stays is proven but for one thing, which is checked before the program runs (a *guard*):
//! that it lay before the last token, so that it was not the greatest position that there was.

use super::analysis::Refusal;
use super::atoms::Kind;
use super::compile::{Compiler, Known};
use super::form::{Atom, FormId};
use super::program::Register;

type Result<T> = std::result::Result<T, Refusal>;

/// A position, as the sum of a register and a constant, that must be less than that of the last token.
pub(crate) type Guard = (Register, f64);

impl Compiler<'_> {
    /// The register in which an atom stays.
    pub(super) fn carried_atom(&mut self, atom: Atom) -> Result<Option<Register>> {
        let Some(carried) = self.carried else {
            return Ok(None);
        };
        let Some(&register) = carried.atoms.get(&atom) else {
            return Ok(None);
        };
        if !self.stays_if_guarded(&[atom])? {
            return Ok(None);
        }
        if let Some(&near) = carried.recalled.get(&atom) {
            self.known.recalled.insert(atom, near);
        }
        Ok(Some(register))
    }

    /// The register in which a form stays.
    pub(super) fn carried_form(&mut self, form: FormId) -> Result<Option<Register>> {
        let register = self.carried.and_then(|carried| carried.forms.get(&form));
        match register {
            Some(&register) if self.form_stays(form)? => Ok(Some(register)),
            _ => Ok(None),
        }
    }

    /// The register in which a form stays that differs from this one by a constant, and the constant of it.
    pub(super) fn carried_base(&mut self, rest: FormId) -> Result<Option<(Register, f64)>> {
        let base = self.carried.and_then(|carried| carried.bases.get(&rest));
        match base {
            Some(&base) if self.form_stays(rest)? => Ok(Some(base)),
            _ => Ok(None),
        }
    }

    /// Whether all atoms of a form stay.
    pub(super) fn form_stays(&mut self, form: FormId) -> Result<bool> {
        let atoms: Vec<Atom> = self.analysis.atoms[form].atoms().collect();
        self.stays_if_guarded(&atoms)
    }

    /// Whether atoms stay, provided that guards hold that are set now.
    fn stays_if_guarded(&mut self, atoms: &[Atom]) -> Result<bool> {
        let mut guards = Vec::new();
        for &atom in atoms {
            if !self.stays(atom, &mut guards)? {
                return Ok(false);
            }
        }
        for guard in guards {
            self.guard(guard);
        }
        Ok(true)
    }

    pub(super) fn guard(&mut self, (register, plus): Guard) {
        let guards = &mut self.program.guards;
        match guards.iter_mut().find(|(known, _)| *known == register) {
            Some((_, greatest)) => *greatest = greatest.max(plus),
            None => guards.push((register, plus)),
        }
    }

    fn stays(&mut self, atom: Atom, guards: &mut Vec<Guard>) -> Result<bool> {
        Ok(match self.analysis.atoms.kind(atom).clone() {
            Kind::One => true,
            Kind::Sum { sum } => self.analysis.classes.adds_nothing(self.scope.class, sum),
            Kind::Near { of } => self.stays(of, guards)?,
            Kind::Latest { group, .. } => self.is_unchanged(group)?,
            Kind::Entry { group, query } => {
                self.is_unchanged(group)? && self.forms_stay(&query, guards)?
            }
            Kind::Found { entry, .. } => self.stays(entry, guards)?,
            Kind::Place { query, .. } => {
                // Of a query `(q, 1)`: scores fall on either side of the best place.
                let carried = self.carried.and_then(|carried| carried.atoms.get(&atom));
                match carried {
                    Some(&register) if self.analysis.atoms[query[1]].as_constant() == Some(1.0) => {
                        guards.push((register, 0.0));
                        self.forms_stay(&query, guards)?
                    }
                    _ => false,
                }
            }
            Kind::Read { place, .. } => {
                let carried = self.carried.and_then(|carried| carried.recalled.get(&atom));
                match (carried, self.analysis.atoms.kind(place)) {
                    (Some(&near), &Kind::Place { query, .. }) => {
                        guards.push(near);
                        self.forms_stay(&query, guards)?
                    }
                    _ => self.stays(place, guards)?,
                }
            }
            Kind::Kept { place, .. } => self.stays(place, guards)?,
            Kind::Rounded { base, terms } => {
                let forms: Vec<FormId> = terms.iter().map(|&(_, form)| form).collect();
                self.forms_stay(&[base], guards)? && self.forms_stay(&forms, guards)?
            }
            Kind::Gated { gate, value } | Kind::Product { gate, value } => {
                self.forms_stay(&[gate, value], guards)?
            }
            Kind::Time
            | Kind::Index { .. }
            | Kind::Token { .. }
            | Kind::Mean { .. }
            | Kind::Hull { .. } => false,
        })
    }

    fn forms_stay(&mut self, forms: &[FormId], guards: &mut Vec<Guard>) -> Result<bool> {
        let terms = forms
            .iter()
            .flat_map(|&form| self.analysis.atoms[form].atoms());
        let atoms: Vec<Atom> = terms.collect();
        for atom in atoms {
            if !self.stays(atom, guards)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the token leaves a group as it is.
    fn is_unchanged(&mut self, group: u32) -> Result<bool> {
        self.insert(group)?;
        Ok(!self.touched.contains(&group))
    }
}

impl Known {
    /// What the program of the next token begins with: nothing, in registers that are free.
    pub(super) fn next(&self) -> Self {
        Self::new(self.next)
    }
}
