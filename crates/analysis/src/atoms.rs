//! The numbers that a plan computes, each known by how it is computed, and the forms over them.

use std::ops::Index;

use crate::form::{Atom, Form, FormId};
use crate::hash::{Numbered, QuickMap, hash_of};
use crate::range::{Range, power};

/// How a number is computed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The constant 1.
    One,
    /// The position.
    Time,
    /// A column of the token's embedding; the tokens are those of a class.
    Token { slot: u16, class: u16 },
    /// The number by which programs are chosen, within a bucket.
    Index { bucket: u16 },
    /// The position at which keys `(a t, -b t^2)` score most with a query.
    Place { query: [FormId; 2], key: [u64; 2] },
    /// What a table says of the token at a place.
    Read { place: Atom, table: u32 },
    /// What was kept at a place.
    Kept { place: Atom, stream: u32 },
    /// The average over all tokens.
    Mean { sum: u32 },
    /// The exact sum over all tokens.
    Sum { sum: u32 },
    /// The integer that a number is close to.
    Near { of: Atom },
    /// A value at the token of the highest key.
    Latest { group: u32, value: u32 },
    /// The entry of a table that a query finds.
    Entry { group: u32, query: [FormId; 2] },
    /// A value of an entry.
    Found { entry: Atom, value: u32 },
    /// An answer of a head that has a hull of its own.
    Hull {
        head: u32,
        query: [FormId; 2],
        part: bool,
    },
    /// `base + (products added up in order)`, every operation rounded.
    Rounded {
        base: FormId,
        /// Weights' bits, and what they multiply.
        terms: Box<[(u64, FormId)]>,
    },
    /// The number that another is, where it lies within bounds (their bits).
    Within {
        /// The other.
        of: Atom,
        /// The least and the greatest.
        bounds: [u64; 2],
    },
    /// `max(gate, 0) * value`, rounded.
    Gated { gate: FormId, value: FormId },
    /// `gate * value`, rounded.
    Product { gate: FormId, value: FormId },
}

/// All atoms and forms, each once.
#[derive(Debug)]
pub struct Atoms {
    kinds: Vec<Kind>,
    ranges: Vec<Range>,
    known: Numbered,
    /// Exact forms that rounded numbers are close to, and how close.
    closeness: Vec<Option<(Form, f64)>>,
    forms: Vec<Form>,
    form_ranges: Vec<Range>,
    known_forms: Numbered,
    /// Forms of constants, by bits.
    constants: QuickMap<u64, FormId>,
}

/// How many atoms and forms there were.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    atoms: usize,
    forms: usize,
}

pub const TIME: Atom = 1;

impl Atoms {
    /// The constant and the position, up to a last one.
    pub fn new(last: u64) -> Self {
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
        let zero = atoms.id(Form::zero());
        debug_assert_eq!(zero, FormId::ZERO);
        atoms.get(Kind::One, || Range::of(1.0));
        atoms.get(Kind::Time, || Range::new(0.0, last as f64, 0));
        atoms
    }

    /// The atom of a kind, made if it is new.
    pub fn get(&mut self, kind: Kind, range: impl FnOnce() -> Range) -> Atom {
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
    pub fn find(&self, kind: &Kind) -> Option<Atom> {
        self.find_hashed(hash_of(kind), kind)
    }

    fn find_hashed(&self, hash: u32, kind: &Kind) -> Option<Atom> {
        let is = |atom: Atom| self.kinds[atom as usize] == *kind;
        self.known.find(hash, is)
    }

    /// How many forms there are.
    pub fn forms(&self) -> usize {
        self.forms.len()
    }

    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    pub fn mark(&self) -> Mark {
        Mark {
            atoms: self.kinds.len(),
            forms: self.forms.len(),
        }
    }

    /// Forgets all that came later.
    pub fn truncate(&mut self, mark: Mark) {
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

    /// The number of a form.
    pub fn id(&mut self, form: Form) -> FormId {
        let hash = hash_of(&form);
        let is = |id: u32| self.forms[id as usize] == form;
        if let Some(id) = self.known_forms.find(hash, is) {
            return FormId(id);
        }
        let id = self.forms.len() as u32;
        self.form_ranges.push(self.range(&form));
        self.forms.push(form);
        self.known_forms.insert(hash, id);
        FormId(id)
    }

    /// The number of the form that is a constant.
    pub fn constant(&mut self, value: f64) -> FormId {
        if value == 0.0 {
            return FormId::ZERO;
        }
        if let Some(&form) = self.constants.get(&value.to_bits()) {
            return form;
        }
        let form = self.id(Form::constant(value));
        self.constants.insert(value.to_bits(), form);
        form
    }

    /// The number of the form that is an atom of a kind.
    pub fn id_of(&mut self, kind: Kind, range: impl FnOnce() -> Range) -> FormId {
        let atom = self.get(kind, range);
        self.id(Form::atom(atom))
    }

    /// The form of an atom that is assumed to lie within bounds.
    pub fn within(&mut self, of: Atom, [lo, hi]: [f64; 2]) -> FormId {
        if lo == hi {
            return self.constant(lo);
        }
        let grain = self.range_of(of).grain;
        let bounds = [lo, hi].map(f64::to_bits);
        self.id_of(Kind::Within { of, bounds }, || Range::new(lo, hi, grain))
    }

    /// Bounds of a form.
    pub fn bounds(&self, form: FormId) -> Range {
        self.form_ranges[form.0 as usize]
    }

    pub fn kind(&self, atom: Atom) -> &Kind {
        &self.kinds[atom as usize]
    }

    pub fn range_of(&self, atom: Atom) -> Range {
        self.ranges[atom as usize]
    }

    /// An exact form that an atom is close to, and how close, as far as it was noted.
    pub fn closeness(&self, atom: Atom) -> Option<(Form, f64)> {
        self.closeness[atom as usize].clone()
    }

    /// Notes what an atom is close to.
    pub fn note_closeness(&mut self, atom: Atom, close: Option<(Form, f64)>) {
        self.closeness[atom as usize] = close;
    }

    /// Notes that an atom is an integer, or off by at most `error`.
    pub fn note_nearness(&mut self, atom: Atom, error: f64) {
        let range = self.range_of(atom);
        if error < 0.25 && range.size() < power(50) {
            let near = Kind::Near { of: atom };
            let near = self.get(near, || {
                Range::new((range.lo - 1.0).floor(), (range.hi + 1.0).ceil(), 0)
            });
            self.note_closeness(atom, Some((Form::atom(near), error)));
        }
    }
}

impl Index<FormId> for Atoms {
    type Output = Form;

    fn index(&self, form: FormId) -> &Form {
        &self.forms[form.0 as usize]
    }
}
