//! Hash-consing of atoms and polynomials: equal ones have one number, so comparing numbers compares
//! them, and bounds are computed once.

use std::ops::Index;

use crate::symbolic::atoms::{AtomKind, TIME};
use crate::symbolic::hash::{Numbered, QuickMap, hash_of};
use crate::symbolic::interval::{Range, power};
use crate::symbolic::operation_memo::OperationMemo;
use crate::symbolic::polynomial::{Atom, PolyId, Polynomial};

/// An interner of atoms and forms: each is stored once, with its bounds and the memoised results of
/// operations on it.
///
/// The index operator looks up a form by its number: `interner[number]`.
#[derive(Debug)]
pub struct Interner {
    kinds: Vec<AtomKind>,
    ranges: Vec<Range>,
    known: Numbered,
    /// For each atom, an exact form that the rounded number is close to, and the greatest
    /// difference.
    closeness: Vec<Option<(Polynomial, f64)>>,
    /// For each atom p a number c, so that p is between 0 and `c t` for the position t; 0 if none
    /// is known.
    past: Vec<f64>,
    forms: Vec<Polynomial>,
    form_ranges: Vec<Range>,
    known_forms: Numbered,
    /// Forms of constants, by the bits of the constant.
    constants: QuickMap<u64, PolyId>,
    pub(crate) memo: OperationMemo,
    last_position: u64,
}

/// A mark of an interner's state, to which [`Analysis::forget`](crate::Analysis::forget) returns.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    atoms: usize,
    forms: usize,
}

impl Interner {
    /// An interner with the constant 1 and the position, which is at most `last_position`.
    pub(crate) fn new(last_position: u64) -> Self {
        let mut interner = Self {
            kinds: Vec::new(),
            ranges: Vec::new(),
            known: Numbered::default(),
            closeness: Vec::new(),
            past: Vec::new(),
            forms: Vec::new(),
            form_ranges: Vec::new(),
            known_forms: Numbered::default(),
            constants: QuickMap::default(),
            memo: OperationMemo::default(),
            last_position,
        };
        let zero = interner.id(Polynomial::zero());
        debug_assert_eq!(zero, PolyId::ZERO);
        interner.atom(AtomKind::One, || Range::of(1.0));
        let time = interner.atom(AtomKind::Time, || Range::new(0.0, last_position as f64, 0));
        debug_assert_eq!(time, TIME);
        interner
    }

    /// The last position that forms hold for: the model's horizon, and at most 2^26.
    #[inline]
    #[must_use]
    pub fn last_position(&self) -> u64 {
        self.last_position
    }

    /// The atom of a kind; a new one has the bounds that `range` computes.
    pub(crate) fn atom(&mut self, kind: AtomKind, range: impl FnOnce() -> Range) -> Atom {
        let hash = hash_of(&kind);
        if let Some(atom) = self.find_hashed(hash, &kind) {
            return atom;
        }
        let atom = self.kinds.len() as Atom;
        self.kinds.push(kind);
        self.ranges.push(range());
        self.closeness.push(None);
        self.past.push(0.0);
        self.known.insert(hash, atom);
        atom
    }

    /// Notes that an atom is `c` times the position of an earlier token, or of the token itself; or
    /// an average of such numbers.
    pub(crate) fn note_past(&mut self, atom: Atom, c: f64) {
        self.past[atom as usize] = c;
    }

    /// A number c, so that an atom is between 0 and `c t` for the position t; 0 if none is known.
    pub(crate) fn past(&self, atom: Atom) -> f64 {
        self.past[atom as usize]
    }

    /// The atom of a kind, if there is one.
    #[must_use]
    pub fn find(&self, kind: &AtomKind) -> Option<Atom> {
        self.find_hashed(hash_of(kind), kind)
    }

    fn find_hashed(&self, hash: u32, kind: &AtomKind) -> Option<Atom> {
        let is = |atom: Atom| self.kinds[atom as usize] == *kind;
        self.known.find(hash, is)
    }

    /// The count of forms in the interner.
    #[must_use]
    pub fn forms(&self) -> usize {
        self.forms.len()
    }

    /// The count of atoms.
    pub(crate) fn atoms(&self) -> usize {
        self.kinds.len()
    }

    /// Marks the present state.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            atoms: self.kinds.len(),
            forms: self.forms.len(),
        }
    }

    /// Forgets all atoms and forms after a mark, and all results of operations.
    pub(crate) fn truncate(&mut self, mark: Mark) {
        self.known.truncate(mark.atoms);
        self.kinds.truncate(mark.atoms);
        self.ranges.truncate(mark.atoms);
        self.closeness.truncate(mark.atoms);
        self.past.truncate(mark.atoms);
        self.known_forms.truncate(mark.forms);
        self.forms.truncate(mark.forms);
        self.form_ranges.truncate(mark.forms);
        self.constants
            .retain(|_, form| (form.0 as usize) < mark.forms);
        self.memo = OperationMemo::default();
    }

    /// Interns a form and returns its number. Takes O(terms).
    pub fn id(&mut self, form: Polynomial) -> PolyId {
        let hash = hash_of(&form);
        let is = |id: u32| self.forms[id as usize] == form;
        if let Some(id) = self.known_forms.find(hash, is) {
            return PolyId(id);
        }
        let id = self.forms.len() as u32;
        self.form_ranges.push(self.range(&form));
        self.forms.push(form);
        self.known_forms.insert(hash, id);
        PolyId(id)
    }

    /// Interns a constant and returns the number of its form.
    pub fn constant(&mut self, value: f64) -> PolyId {
        if value == 0.0 {
            return PolyId::ZERO;
        }
        if let Some(&form) = self.constants.get(&value.to_bits()) {
            return form;
        }
        let form = self.id(Polynomial::constant(value));
        self.constants.insert(value.to_bits(), form);
        form
    }

    /// Interns the form that consists of the atom of a kind.
    pub(crate) fn id_of(&mut self, kind: AtomKind, range: impl FnOnce() -> Range) -> PolyId {
        let atom = self.atom(kind, range);
        self.id(Polynomial::atom(atom))
    }

    /// The form of an atom that is assumed to lie within bounds: a constant if they are equal.
    ///
    /// Forms that are derived from it hold for the tokens at which the atom lies within the bounds.
    pub fn within(&mut self, of: Atom, [lo, hi]: [f64; 2]) -> PolyId {
        if lo == hi {
            return self.constant(lo);
        }
        let grain = self.range_of(of).grain;
        let bounds = [lo, hi].map(f64::to_bits);
        self.id_of(AtomKind::Within { of, bounds }, || {
            Range::new(lo, hi, grain)
        })
    }

    /// The proved bounds of a form, and the grid that its values lie on.
    #[inline]
    #[must_use]
    pub fn bounds(&self, form: PolyId) -> Range {
        self.form_ranges[form.0 as usize]
    }

    /// The expression that computes an atom.
    #[inline]
    #[must_use]
    pub fn kind(&self, atom: Atom) -> &AtomKind {
        &self.kinds[atom as usize]
    }

    /// The bounds of an atom.
    #[inline]
    #[must_use]
    pub fn range_of(&self, atom: Atom) -> Range {
        self.ranges[atom as usize]
    }

    /// The exact form that an atom is close to, and the greatest difference, if they are recorded.
    pub(crate) fn closeness(&self, atom: Atom) -> Option<(Polynomial, f64)> {
        self.closeness[atom as usize].clone()
    }

    /// Records the exact form that an atom is close to, and the greatest difference.
    pub(crate) fn note_closeness(&mut self, atom: Atom, close: Option<(Polynomial, f64)>) {
        self.closeness[atom as usize] = close;
    }

    /// Records that an atom differs from an integer by at most `error`.
    pub(crate) fn note_nearness(&mut self, atom: Atom, error: f64) {
        let range = self.range_of(atom);
        if error < 0.25 && range.size() < power(50) {
            let near = AtomKind::Near { of: atom };
            let near = self.atom(near, || {
                Range::new((range.lo - 1.0).floor(), (range.hi + 1.0).ceil(), 0)
            });
            self.note_closeness(atom, Some((Polynomial::atom(near), error)));
        }
    }
}

impl Index<PolyId> for Interner {
    type Output = Polynomial;

    #[inline]
    fn index(&self, form: PolyId) -> &Polynomial {
        &self.forms[form.0 as usize]
    }
}
