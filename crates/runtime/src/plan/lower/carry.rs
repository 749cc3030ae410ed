//! Redundancy elimination across kernels: a linked kernel reuses the registers of the kernel before
//! whose numbers provably still hold.
//!
//! If a token does not change the dispatch key, its kernel is known in advance. Such a kernel is
//! linked to the one before it, and reads the registers of atoms that *stay*. An atom stays if it
//! depends only on sums to which the token adds nothing, on highest keys and tables that the token
//! does not change, and on tokens at places that stay. A place stays if it lay before the last
//! token, so that it was not clamped to the greatest position; a *guard* checks this before the
//! kernel runs.

use smallvec::SmallVec;
use weightware_analysis::{Atom, AtomKind, PolyId};

use crate::plan::ir::{Guard, Register};
use crate::plan::lower::available::Guards;
use crate::plan::lower::compiler::{Compiler, Known, Result};

impl Compiler<'_> {
    /// The register of an atom in the kernel before, if the atom stays.
    pub(crate) fn carried_atom(&mut self, atom: Atom) -> Result<Option<Register>> {
        let Some(carried) = self.carried else {
            return Ok(None);
        };
        let Some(&register) = carried.atoms.get(&atom) else {
            return Ok(None);
        };
        let Some(guards) = self.stays(atom)? else {
            return Ok(None);
        };
        self.set_guards(guards);
        if let Some(&near) = carried.recalled.get(&atom) {
            self.known.recalled.insert(atom, near);
        }
        Ok(Some(register))
    }

    /// The register of a form in the kernel before, if the form stays.
    pub(crate) fn carried_form(&mut self, form: PolyId) -> Result<Option<Register>> {
        let register = self.carried.and_then(|carried| carried.forms.get(&form));
        match register {
            Some(&register) if self.form_stays(form)? => Ok(Some(register)),
            _ => Ok(None),
        }
    }

    /// The register in the kernel before of a form that stays and differs from `rest` by a
    /// constant, and the constant.
    pub(crate) fn carried_base(&mut self, rest: PolyId) -> Result<Option<(Register, f64)>> {
        let base = self.carried.and_then(|carried| carried.bases.get(&rest));
        match base {
            Some(&base) if self.form_stays(rest)? => Ok(Some(base)),
            _ => Ok(None),
        }
    }

    /// Whether all atoms of a form stay. If so, adds the guards that this needs.
    pub(crate) fn form_stays(&mut self, form: PolyId) -> Result<bool> {
        let guards = self.stays_under(form)?;
        if let Some(guards) = guards {
            self.set_guards(guards);
        }
        Ok(guards.is_some())
    }

    fn set_guards(&mut self, set: Guards) {
        for at in 0..self.available.guards.len() {
            if set >> at & 1 != 0 {
                self.guard(self.available.guards[at]);
            }
        }
    }

    /// Keeps further values that stay for the next token, if the kernel's guards suffice.
    pub(crate) fn carry(&mut self) -> Result<()> {
        let Some(carried) = self.carried else {
            return Ok(());
        };
        for (&atom, &register) in &carried.atoms {
            if !self.known.atoms.contains_key(&atom) {
                let needed = self.stays(atom)?;
                if self.suffices(needed) {
                    self.known.atoms.insert(atom, register);
                }
            }
        }
        for (&atom, &near) in &carried.recalled {
            if !self.known.recalled.contains_key(&atom) {
                let needed = self.stays(atom)?;
                if self.suffices(needed) {
                    self.known.recalled.insert(atom, near);
                }
            }
        }
        for (&form, &register) in &carried.forms {
            if !self.known.forms.contains_key(&form) {
                let needed = self.stays_under(form)?;
                if self.suffices(needed) {
                    self.known.forms.insert(form, register);
                }
            }
        }
        for (&rest, &base) in &carried.bases {
            if !self.known.bases.contains_key(&rest) {
                let needed = self.stays_under(rest)?;
                if self.suffices(needed) {
                    self.known.bases.insert(rest, base);
                }
            }
        }
        Ok(())
    }

    /// Whether the kernel has guards for all registers that need one; if so, the guards are set.
    fn suffices(&mut self, needed: Option<Guards>) -> bool {
        let Some(needed) = needed else { return false };
        let guards = &self.kernel.guards;
        let is_known = |register| guards.iter().any(|(known, _)| *known == register);
        let all = self.available.guards(needed).all(|guard| is_known(guard.0));
        if all {
            self.set_guards(needed);
        }
        all
    }

    pub(crate) fn guard(&mut self, (register, plus): Guard) {
        let guards = &mut self.kernel.guards;
        match guards.iter_mut().find(|(known, _)| *known == register) {
            Some((_, greatest)) => *greatest = greatest.max(plus),
            None => guards.push((register, plus)),
        }
    }

    /// The guards under which an atom stays, if it does.
    fn stays(&mut self, atom: Atom) -> Result<Option<Guards>> {
        if let Some(&known) = self.available.atoms.get(&atom) {
            return Ok(known);
        }
        let guards = self.guards_of(atom)?;
        self.available.atoms.insert(atom, guards);
        Ok(guards)
    }

    fn guards_of(&mut self, atom: Atom) -> Result<Option<Guards>> {
        let free = Some(0);
        match *self.analysis.interner.kind(atom) {
            AtomKind::One => Ok(free),
            AtomKind::Sum { sum } => {
                let quiet = self.analysis.classes.adds_nothing(self.scope.class, sum);
                Ok(free.filter(|_| quiet))
            }
            AtomKind::Near { of } | AtomKind::Within { of, .. } => self.stays(of),
            AtomKind::Latest { group, .. } => {
                let unchanged = self.is_unchanged(group)?;
                Ok(free.filter(|_| unchanged))
            }
            AtomKind::Entry { group, query } => match self.is_unchanged(group)? {
                true => self.all_stay(query),
                false => Ok(None),
            },
            AtomKind::Found { entry, .. } => self.stays(entry),
            AtomKind::Place { query, .. } => {
                // For a query `(q, 1)`, scores decrease on either side of the best place, so a new
                // position cannot win.
                let level = self.analysis.interner[query[1]].as_constant() == Some(1.0);
                let carried = self.carried.and_then(|carried| carried.atoms.get(&atom));
                match carried.filter(|_| level) {
                    Some(&register) => self.all_stay_before(query, (register, 0.0)),
                    None => Ok(None),
                }
            }
            AtomKind::Read { place, .. } => {
                let carried = self.carried.and_then(|carried| carried.recalled.get(&atom));
                match (carried, self.analysis.interner.kind(place)) {
                    (Some(&near), &AtomKind::Place { query, .. }) => {
                        self.all_stay_before(query, near)
                    }
                    _ => self.stays(place),
                }
            }
            AtomKind::Kept { place, .. } => self.stays(place),
            AtomKind::Rounded { base, ref terms } => {
                let terms = terms.iter().map(|&(_, form)| form);
                let forms: SmallVec<[PolyId; 8]> = terms.chain([base]).collect();
                self.all_stay(forms)
            }
            AtomKind::Gated { gate, value } | AtomKind::Product { gate, value } => {
                self.all_stay([gate, value])
            }
            AtomKind::Looked { argument, .. } => self.all_stay([argument]),
            AtomKind::Time
            | AtomKind::Index { .. }
            | AtomKind::Token { .. }
            | AtomKind::Mean { .. }
            | AtomKind::Hull { .. } => Ok(None),
        }
    }

    fn all_stay_before(&mut self, forms: [PolyId; 2], guard: Guard) -> Result<Option<Guards>> {
        let guards = self.all_stay(forms)?;
        Ok(guards.and_then(|guards| Some(guards | self.available.set_of(guard)?)))
    }

    fn all_stay(&mut self, forms: impl IntoIterator<Item = PolyId>) -> Result<Option<Guards>> {
        let mut all = 0;
        for form in forms {
            match self.stays_under(form)? {
                Some(guards) => all |= guards,
                None => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// The guards under which all atoms of a form stay, if they do.
    fn stays_under(&mut self, form: PolyId) -> Result<Option<Guards>> {
        let mut all = 0;
        for at in 0..self.analysis.interner[form].terms().len() {
            let ((a, b), _) = self.analysis.interner[form].terms()[at];
            for atom in [a, b] {
                // The constant stays.
                if atom != 0 {
                    match self.stays(atom)? {
                        Some(guards) => all |= guards,
                        None => return Ok(None),
                    }
                }
            }
        }
        Ok(Some(all))
    }

    /// Whether the token does not change a group.
    fn is_unchanged(&mut self, group: u32) -> Result<bool> {
        self.insert(group)?;
        Ok(!self.touched.contains(&group))
    }
}

impl Known {
    /// The empty set of values, after whose registers the next token's kernel begins.
    pub(crate) fn next(&self) -> Self {
        let mut next = Self::new(self.next);
        next.atoms.reserve(self.atoms.len());
        next.forms.reserve(self.forms.len());
        next.bases.reserve(self.bases.len());
        next.given.reserve(self.given.len());
        next
    }
}
