//! Atoms, the variables of polynomials: hash-consed by how each is computed, with bounds.

use std::ops::Index;

use crate::symbolic::hash::{Numbered, QuickMap, hash_of};
use crate::symbolic::interval::{Range, power};
use crate::symbolic::polynomial::{Atom, PolyId, Polynomial};

/// How a number is computed. Indices are into the lists of [`Analysis`](crate::Analysis).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AtomKind {
    /// The constant 1.
    One,
    /// The position of the token, the first one's being 0.
    Time,
    /// A column of the token's embedding; the token is of a class.
    Token {
        /// The column.
        slot: u16,
        /// The class.
        class: u16,
    },
    /// The counter of [`Cases`](crate::Cases), where it is known to lie within bounds.
    Index {
        /// The bits of the least and the greatest value.
        bounds: [u64; 2],
    },
    /// The position t at which the key `(a t, -b t^2)` scores most with a query `(x, y)`: the
    /// nearest to `a x / (2 b y)`, the token's own included.
    Place {
        /// x and y.
        query: [PolyId; 2],
        /// The bits of a and b, which are positive.
        key: [u64; 2],
    },
    /// What a table says of the token at a place.
    Read {
        /// An atom of kind [`Place`](Self::Place).
        place: Atom,
        /// The table.
        table: u32,
    },
    /// What the token at a place computed.
    Kept {
        /// An atom of kind [`Place`](Self::Place).
        place: Atom,
        /// Which of the numbers that every token keeps.
        stream: u32,
    },
    /// The average over all tokens so far, rounded once.
    Mean {
        /// Which running sum it is made of.
        sum: u32,
    },
    /// The exact sum over all tokens so far.
    Sum {
        /// Which running sum.
        sum: u32,
    },
    /// The integer that a number is close to.
    Near {
        /// The number.
        of: Atom,
    },
    /// A value at the token of the highest key so far.
    Latest {
        /// The group of heads.
        group: u32,
        /// Which of the group's values.
        value: u32,
    },
    /// The key `(2 j, -j^2 + lift)` that scores most with a query; it stands for no number.
    Entry {
        /// The group of heads.
        group: u32,
        /// x and y.
        query: [PolyId; 2],
    },
    /// A value of the token with that key.
    Found {
        /// An atom of kind [`Entry`](Self::Entry).
        entry: Atom,
        /// Which of the group's values.
        value: u32,
    },
    /// An answer of a head with keys of any kind.
    Hull {
        /// Which of these heads.
        head: u32,
        /// x and y.
        query: [PolyId; 2],
        /// The second part of the answer, not the first.
        part: bool,
    },
    /// `base + (products added up in order)`, every operation rounded.
    Rounded {
        /// What is added to at last.
        base: PolyId,
        /// Weights' bits, and what they multiply.
        terms: Box<[(u64, PolyId)]>,
    },
    /// The number that another is, where that is assumed to lie within bounds.
    Within {
        /// The other.
        of: Atom,
        /// The bits of the least and the greatest value.
        bounds: [u64; 2],
    },
    /// `max(gate, 0) * value`, rounded.
    Gated {
        /// What may be of either sign.
        gate: PolyId,
        /// What it is multiplied by.
        value: PolyId,
    },
    /// `gate * value`, rounded.
    Product {
        /// What is not negative.
        gate: PolyId,
        /// What it is multiplied by.
        value: PolyId,
    },
}

/// All atoms and forms, each once, with bounds of them. A form is looked up by its number:
/// `atoms[number]`.
#[derive(Debug)]
pub struct Atoms {
    kinds: Vec<AtomKind>,
    ranges: Vec<Range>,
    known: Numbered,
    /// Exact forms that rounded numbers are close to, and how close.
    closeness: Vec<Option<(Polynomial, f64)>>,
    forms: Vec<Polynomial>,
    form_ranges: Vec<Range>,
    known_forms: Numbered,
    /// Forms of constants, by bits.
    constants: QuickMap<u64, PolyId>,
}

/// How many atoms and forms there were: what [`Analysis::forget`](crate::Analysis::forget) goes
/// back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    atoms: usize,
    forms: usize,
}

/// The atom of kind [`AtomKind::Time`].
pub const TIME: Atom = 1;

impl Atoms {
    /// The constant and the position, up to a last one.
    pub(crate) fn new(last: u64) -> Self {
        let mut atoms = Self {
            kinds: Vec::new(),
            ranges: Vec::new(),
            known: Numbered::default(),
            closeness: Vec::new(),
            forms: Vec::new(),
            form_ranges: Vec::new(),
            known_forms: Numbered::default(),
            constants: QuickMap::default(),
        };
        let zero = atoms.id(Polynomial::zero());
        debug_assert_eq!(zero, PolyId::ZERO);
        atoms.get(AtomKind::One, || Range::of(1.0));
        atoms.get(AtomKind::Time, || Range::new(0.0, last as f64, 0));
        atoms
    }

    /// The atom of a kind, made if it is new.
    pub(crate) fn get(&mut self, kind: AtomKind, range: impl FnOnce() -> Range) -> Atom {
        let hash = hash_of(&kind);
        if let Some(atom) = self.find_hashed(hash, &kind) {
            return atom;
        }
        let atom = self.kinds.len() as Atom;
        self.kinds.push(kind);
        self.ranges.push(range());
        self.closeness.push(None);
        self.known.insert(hash, atom);
        atom
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

    /// How many forms there are.
    #[must_use]
    pub fn forms(&self) -> usize {
        self.forms.len()
    }

    /// How many atoms there are.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Remembers how many atoms and forms there are.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            atoms: self.kinds.len(),
            forms: self.forms.len(),
        }
    }

    /// Forgets all that came later.
    pub(crate) fn truncate(&mut self, mark: Mark) {
        self.known.truncate(mark.atoms);
        self.kinds.truncate(mark.atoms);
        self.ranges.truncate(mark.atoms);
        self.closeness.truncate(mark.atoms);
        self.known_forms.truncate(mark.forms);
        self.forms.truncate(mark.forms);
        self.form_ranges.truncate(mark.forms);
        self.constants
            .retain(|_, form| (form.0 as usize) < mark.forms);
    }

    /// The number of a form, made if it is new: then its bounds are found, in O(terms).
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

    /// The number of the form that is a constant.
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

    /// The number of the form that is an atom of a kind.
    pub(crate) fn id_of(&mut self, kind: AtomKind, range: impl FnOnce() -> Range) -> PolyId {
        let atom = self.get(kind, range);
        self.id(Polynomial::atom(atom))
    }

    /// The form of an atom that is assumed to lie within bounds: a constant if they are equal.
    ///
    /// What follows from it holds of those tokens at which the atom lies there, whatever is known
    /// of it beside.
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

    /// Bounds of a form, as they were found when it was made.
    #[inline]
    #[must_use]
    pub fn bounds(&self, form: PolyId) -> Range {
        self.form_ranges[form.0 as usize]
    }

    /// How an atom is computed.
    #[inline]
    #[must_use]
    pub fn kind(&self, atom: Atom) -> &AtomKind {
        &self.kinds[atom as usize]
    }

    /// Bounds of an atom.
    #[inline]
    #[must_use]
    pub fn range_of(&self, atom: Atom) -> Range {
        self.ranges[atom as usize]
    }

    /// An exact form that an atom is close to, and how close, as far as it was noted.
    pub(crate) fn closeness(&self, atom: Atom) -> Option<(Polynomial, f64)> {
        self.closeness[atom as usize].clone()
    }

    /// Notes what an atom is close to.
    pub(crate) fn note_closeness(&mut self, atom: Atom, close: Option<(Polynomial, f64)>) {
        self.closeness[atom as usize] = close;
    }

    /// Notes that an atom is off an integer by at most `error`.
    pub(crate) fn note_nearness(&mut self, atom: Atom, error: f64) {
        let range = self.range_of(atom);
        if error < 0.25 && range.size() < power(50) {
            let near = AtomKind::Near { of: atom };
            let near = self.get(near, || {
                Range::new((range.lo - 1.0).floor(), (range.hi + 1.0).ceil(), 0)
            });
            self.note_closeness(atom, Some((Polynomial::atom(near), error)));
        }
    }
}

impl Index<PolyId> for Atoms {
    type Output = Polynomial;

    #[inline]
    fn index(&self, form: PolyId) -> &Polynomial {
        &self.forms[form.0 as usize]
    }
}
