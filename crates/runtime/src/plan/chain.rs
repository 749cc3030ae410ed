//! Programs for tokens that follow each other: what the last token computed stays in its registers, and much of it holds
//! for the next token as well.
//!
//! If the token changes nothing that programs are chosen by, its program is known before anything is computed. Such a
//! program belongs to the one before it, and reads the registers of that one wherever an atom *stays*: it is made of
//! nothing but sums that the token adds nothing to, highest keys and tables that the token does not change, and tokens at
//! places that stay. That a place stays is proven but for one thing, which is checked before the program runs (a *guard*):
//! that it lay before the last token, so that it was not the greatest position that there was.

use smallvec::SmallVec;

use super::analysis::Refusal;
use super::atoms::Kind;
use super::compile::{Compiler, Known};
use super::form::{Atom, FormId};
use super::program::Register;

type Result<T> = std::result::Result<T, Refusal>;

/// A position, as the sum of a register and a constant, that must be less than that of the last token.
pub(crate) type Guard = (Register, f64);

pub(super) type Guards = SmallVec<[Guard; 2]>;

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
        let atoms: SmallVec<[Atom; 8]> = self.analysis.atoms[form].atoms().collect();
        self.stays_if_guarded(&atoms)
    }

    /// Whether atoms stay, provided that guards hold that are set now.
    fn stays_if_guarded(&mut self, atoms: &[Atom]) -> Result<bool> {
        let Some(guards) = self.all_stay(atoms.iter().copied())? else {
            return Ok(false);
        };
        for guard in guards {
            self.guard(guard);
        }
        Ok(true)
    }

    /// Keeps what else stays for the next token, as far as the guards that there are suffice.
    pub(super) fn carry(&mut self) -> Result<()> {
        let Some(carried) = self.carried else {
            return Ok(());
        };
        let guards = self.program.guards.clone();
        let suffice = |needed: &Guards| {
            let mut registers = needed.iter().map(|(register, _)| register);
            registers.all(|register| guards.iter().any(|(known, _)| known == register))
        };
        for &atom in carried.atoms.keys() {
            if !self.known.atoms.contains_key(&atom)
                && self.stays(atom)?.is_some_and(|needed| suffice(&needed))
            {
                self.atom(atom)?;
            }
        }
        for (&atom, &near) in &carried.recalled {
            if !self.known.recalled.contains_key(&atom)
                && self.stays(atom)?.is_some_and(|needed| suffice(&needed))
            {
                self.stays_if_guarded(&[atom])?;
                self.known.recalled.insert(atom, near);
            }
        }
        for (&form, &register) in &carried.forms {
            let atoms: SmallVec<[Atom; 8]> = self.analysis.atoms[form].atoms().collect();
            if !self.known.forms.contains_key(&form)
                && self.all_stay(atoms)?.is_some_and(|needed| suffice(&needed))
            {
                self.form_stays(form)?;
                self.known.forms.insert(form, register);
            }
        }
        for (&rest, &base) in &carried.bases {
            let atoms: SmallVec<[Atom; 8]> = self.analysis.atoms[rest].atoms().collect();
            if !self.known.bases.contains_key(&rest)
                && self.all_stay(atoms)?.is_some_and(|needed| suffice(&needed))
            {
                self.form_stays(rest)?;
                self.known.bases.insert(rest, base);
            }
        }
        Ok(())
    }

    pub(super) fn guard(&mut self, (register, plus): Guard) {
        let guards = &mut self.program.guards;
        match guards.iter_mut().find(|(known, _)| *known == register) {
            Some((_, greatest)) => *greatest = greatest.max(plus),
            None => guards.push((register, plus)),
        }
    }

    /// The guards under which an atom stays, if it does.
    fn stays(&mut self, atom: Atom) -> Result<Option<Guards>> {
        if let Some(known) = self.staying.get(&atom) {
            return Ok(known.clone());
        }
        let guards = self.guards_of(atom)?;
        self.staying.insert(atom, guards.clone());
        Ok(guards)
    }

    fn guards_of(&mut self, atom: Atom) -> Result<Option<Guards>> {
        let free = Some(Guards::new());
        match self.analysis.atoms.kind(atom).clone() {
            Kind::One => Ok(free),
            Kind::Sum { sum } => {
                let quiet = self.analysis.classes.adds_nothing(self.scope.class, sum);
                Ok(free.filter(|_| quiet))
            }
            Kind::Near { of } => self.stays(of),
            Kind::Latest { group, .. } => {
                let unchanged = self.is_unchanged(group)?;
                Ok(free.filter(|_| unchanged))
            }
            Kind::Entry { group, query } => match self.is_unchanged(group)? {
                true => self.forms_stay(&query),
                false => Ok(None),
            },
            Kind::Found { entry, .. } => self.stays(entry),
            Kind::Place { query, .. } => {
                // Of a query `(q, 1)`: scores fall on either side of the best place.
                let level = self.analysis.atoms[query[1]].as_constant() == Some(1.0);
                let carried = self.carried.and_then(|carried| carried.atoms.get(&atom));
                match carried.filter(|_| level) {
                    Some(&register) => self.forms_stay_before(&query, (register, 0.0)),
                    None => Ok(None),
                }
            }
            Kind::Read { place, .. } => {
                let carried = self.carried.and_then(|carried| carried.recalled.get(&atom));
                match (carried, self.analysis.atoms.kind(place)) {
                    (Some(&near), &Kind::Place { query, .. }) => {
                        self.forms_stay_before(&query, near)
                    }
                    _ => self.stays(place),
                }
            }
            Kind::Kept { place, .. } => self.stays(place),
            Kind::Rounded { base, terms } => {
                let mut forms: Vec<FormId> = terms.iter().map(|&(_, form)| form).collect();
                forms.push(base);
                self.forms_stay(&forms)
            }
            Kind::Gated { gate, value } | Kind::Product { gate, value } => {
                self.forms_stay(&[gate, value])
            }
            Kind::Time
            | Kind::Index { .. }
            | Kind::Token { .. }
            | Kind::Mean { .. }
            | Kind::Hull { .. } => Ok(None),
        }
    }

    fn forms_stay_before(&mut self, forms: &[FormId], guard: Guard) -> Result<Option<Guards>> {
        let mut guards = self.forms_stay(forms)?;
        guards.iter_mut().for_each(|guards| guards.push(guard));
        Ok(guards)
    }

    fn forms_stay(&mut self, forms: &[FormId]) -> Result<Option<Guards>> {
        let terms = forms
            .iter()
            .flat_map(|&form| self.analysis.atoms[form].atoms());
        let atoms: SmallVec<[Atom; 8]> = terms.collect();
        self.all_stay(atoms)
    }

    fn all_stay(&mut self, atoms: impl IntoIterator<Item = Atom>) -> Result<Option<Guards>> {
        let mut all = Guards::new();
        for atom in atoms {
            match self.stays(atom)? {
                Some(guards) => {
                    for guard in guards {
                        if !all.contains(&guard) {
                            all.push(guard);
                        }
                    }
                }
                None => return Ok(None),
            }
        }
        Ok(Some(all))
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
