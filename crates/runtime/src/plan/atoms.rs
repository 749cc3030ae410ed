//! The numbers that a plan computes, each known by how it is computed.

use super::form::{Atom, Form, QuickMap, Range, is_exact, is_power, power};

/// How a number is computed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The constant 1.
    One,
    /// The position.
    Time,
    /// A column of the token's embedding; the tokens are those of a class.
    Token { slot: u16, class: u16 },
    /// The number by which programs are chosen, within a bucket.
    Index { bucket: u16 },
    /// The position at which keys `(a t, -b t^2)` score most with a query.
    Place { query: [Form; 2], key: [u64; 2] },
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
    Entry { group: u32, query: [Form; 2] },
    /// A value of an entry.
    Found { entry: Atom, value: u32 },
    /// An answer of a head that has a hull of its own.
    Hull {
        head: u32,
        query: [Form; 2],
        part: bool,
    },
    /// `base + (products added up in order)`, every operation rounded.
    Rounded {
        base: Option<Form>,
        terms: Vec<(u64, Form)>,
    },
    /// `max(gate, 0) * value`, rounded.
    Gated { gate: Form, value: Form },
    /// `gate * value`, rounded.
    Product { gate: Form, value: Form },
}

/// All atoms, each once.
#[derive(Debug)]
pub(crate) struct Atoms {
    kinds: Vec<Kind>,
    ranges: Vec<Range>,
    known: QuickMap<Kind, Atom>,
    /// Exact forms that rounded numbers are close to, and how close.
    closeness: Vec<Option<(Form, f64)>>,
}

pub(crate) const TIME: Atom = 1;

impl Atoms {
    /// The constant and the position, up to a last one.
    pub(crate) fn new(last: u64) -> Self {
        let mut atoms = Self {
            kinds: Vec::new(),
            ranges: Vec::new(),
            known: QuickMap::default(),
            closeness: Vec::new(),
        };
        atoms.get(Kind::One, || Range::of(1.0));
        atoms.get(Kind::Time, || Range::new(0.0, last as f64, 0));
        atoms
    }

    /// The atom of a kind, made if it is new.
    pub(crate) fn get(&mut self, kind: Kind, range: impl FnOnce() -> Range) -> Atom {
        match self.known.get(&kind) {
            Some(&atom) => atom,
            None => {
                let atom = self.kinds.len() as Atom;
                self.kinds.push(kind.clone());
                self.ranges.push(range());
                self.closeness.push(None);
                self.known.insert(kind, atom);
                atom
            }
        }
    }

    pub(crate) fn has(&self, kind: &Kind) -> bool {
        self.known.contains_key(kind)
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Forgets all atoms but the first ones.
    pub(crate) fn truncate(&mut self, len: usize) {
        for kind in self.kinds.drain(len..) {
            self.known.remove(&kind);
        }
        self.ranges.truncate(len);
        self.closeness.truncate(len);
    }

    pub(crate) fn kind(&self, atom: Atom) -> &Kind {
        &self.kinds[atom as usize]
    }

    pub(crate) fn range_of(&self, atom: Atom) -> Range {
        self.ranges[atom as usize]
    }

    /// Bounds of a form.
    pub(crate) fn range(&self, form: &Form) -> Range {
        let mut all = Range::of(0.0);
        for &((a, b), coefficient) in form.terms() {
            let [a, b] = [a, b].map(|atom| (atom, self.range_of(atom)));
            let product = match (a.0, b.0) {
                (0, 0) => Range::of(1.0),
                (0, _) => b.1,
                (a, b) if a == b => self.range_of(a).squared(),
                _ => a.1.times(b.1),
            };
            let term = product.scaled(coefficient);
            all.lo += term.lo;
            all.hi += term.hi;
            all.grain = all.grain.min(term.grain);
        }
        if all.size() == 0.0 {
            return Range::of(0.0);
        }
        let mass = self.mass(form);
        // One number, times a power of two, is not rounded however large it is.
        let one = matches!(form.terms(), [((0, _), coefficient)] if is_power(*coefficient));
        if one || is_exact(mass, all.grain) {
            Range::new(all.lo, all.hi, all.grain)
        } else {
            all.widened(mass)
        }
    }

    /// The sum of the greatest magnitudes of a form's terms.
    pub(crate) fn mass(&self, form: &Form) -> f64 {
        form.terms()
            .iter()
            .map(|&((a, b), coefficient)| {
                coefficient.abs() * self.range_of(a).size() * self.range_of(b).size()
            })
            .sum()
    }

    /// Whether a form's value is computed without rounding in whatever order.
    pub(crate) fn is_safe(&self, form: &Form) -> bool {
        if let [((0, _), coefficient)] = form.terms()
            && is_power(*coefficient)
        {
            return true;
        }
        let grain = form
            .terms()
            .iter()
            .map(|&((a, b), coefficient)| {
                super::form::grain(coefficient)
                    .saturating_add(self.range_of(a).grain)
                    .saturating_add(self.range_of(b).grain)
            })
            .min()
            .unwrap_or(0);
        is_exact(self.mass(form), grain)
    }

    /// What a rounded number is close to, and how close.
    fn shadow(&self, atom: Atom) -> Option<(Form, f64)> {
        match self.kind(atom) {
            Kind::Rounded { base, terms } => {
                let mut sum = base.clone().unwrap_or_default();
                let mut mass = self.range(&sum).size();
                for (weight, form) in terms {
                    let weight = f64::from_bits(*weight);
                    mass += weight.abs() * self.range(form).size();
                    sum.about_add(weight, form);
                }
                Some((sum, mass * power(-44)))
            }
            Kind::Product { gate, value } => {
                let size = self.range(gate).size() * self.range(value).size();
                if let Some(sum) = self.total(gate, value) {
                    let sum = Form::atom(sum);
                    return Some((sum.clone(), self.range(&sum).size() * power(-50)));
                }
                Some((gate.times(value)?, size * power(-44)))
            }
            Kind::Gated { gate, value } if gate == value => {
                // max(g, 0) g = g^2 - min(g, 0)^2
                let range = self.range(gate);
                let below = range.lo.min(0.0);
                // The middle of what is left out.
                let half = below * below / 2.0;
                let square = gate.times(gate)?.about_plus(-half, &Form::constant(1.0));
                Some((square, half + range.size() * range.size() * power(-44)))
            }
            _ => None,
        }
    }

    /// The sum whose average times the number of tokens a product is.
    pub(crate) fn total(&self, gate: &Form, value: &Form) -> Option<Atom> {
        let count = Form::atom(TIME).plus(1.0, &Form::constant(1.0))?;
        let mean = match (gate == &count, value == &count) {
            (true, _) => value.as_atom()?,
            (_, true) => gate.as_atom()?,
            _ => return None,
        };
        match self.kind(mean) {
            &Kind::Mean { sum } => self.known.get(&Kind::Sum { sum }).copied(),
            _ => None,
        }
    }

    /// An exact form that a form's value is close to, and how close: rounding errors are bounded operation by operation.
    pub(crate) fn close_to(&self, form: &Form) -> Option<(Form, f64)> {
        let (mut close, mut error) = (Form::zero(), 0.0);
        for &((a, b), coefficient) in form.terms() {
            let near = if a == 0 { self.close_to_atom(b) } else { None };
            close = match near {
                Some((near, off)) => {
                    error += coefficient.abs() * off;
                    close.plus(coefficient, &near)?
                }
                None => close.plus(1.0, &Form::monomial((a, b), coefficient))?,
            };
        }
        Some((close, error))
    }

    fn close_to_atom(&self, atom: Atom) -> Option<(Form, f64)> {
        match self.kind(atom) {
            Kind::Rounded { .. } | Kind::Latest { .. } => self.closeness[atom as usize].clone(),
            Kind::Product { gate, value } => {
                let sum = Form::atom(self.total(gate, value)?);
                // A quotient and a product, both rounded.
                Some((sum.clone(), self.range(&sum).size() * power(-51)))
            }
            _ => None,
        }
    }

    /// Notes what an atom is close to.
    pub(crate) fn note_closeness(&mut self, atom: Atom, close: Option<(Form, f64)>) {
        self.closeness[atom as usize] = close;
    }

    /// Notes that an atom is an integer, or off by at most `error`.
    pub(crate) fn note_nearness(&mut self, atom: Atom, error: f64) {
        let range = self.range_of(atom);
        if error < 0.25 && range.size() < power(50) {
            let near = Kind::Near { of: atom };
            let near = self.get(near, || {
                Range::new((range.lo - 1.0).floor(), (range.hi + 1.0).ceil(), 0)
            });
            self.note_closeness(atom, Some((Form::atom(near), error)));
        }
    }

    /// An upper bound of `y + (x / 2)^2`, by what rounded numbers are close to: large terms that cancel are gone.
    pub(crate) fn lift(&self, x: &Form, y: &Form) -> f64 {
        let (x, x_error) = self.unrounded(x);
        let (y, y_error) = self.unrounded(y);
        let Some(square) = x.times(&x) else {
            return f64::INFINITY;
        };
        let error = y_error
            + (self.range(&x).size() + x_error) * x_error
            + self.mass(&square) * power(-48)
            + self.mass(&y) * power(-48);
        let lift = y.about_plus(0.25, &square);
        self.range(&lift).hi + error
    }

    /// A form with rounded numbers replaced by what they are close to, and the error of that.
    fn unrounded(&self, form: &Form) -> (Form, f64) {
        let (mut form, mut error) = (form.clone(), 0.0);
        for _ in 0..12 {
            let mut next = Form::zero();
            let mut changed = false;
            for &((a, b), coefficient) in form.terms() {
                match (a, self.shadow(b)) {
                    (0, Some((shadow, off))) => {
                        error += coefficient.abs() * off;
                        next.about_add(coefficient, &shadow);
                        changed = true;
                    }
                    _ => next.about_add(coefficient, &Form::monomial((a, b), 1.0)),
                }
            }
            error += self.mass(&next) * power(-48);
            form = next;
            if !changed {
                break;
            }
        }
        (form, error)
    }
}
