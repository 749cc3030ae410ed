//! Sums that compare a position with the token's own.
//!
//! A [past](Interner::past) atom p is c times the position of a token, or an average of such
//! numbers. Positions are distinct integers up to the token's own, t. So p is `c t` for the token
//! itself, and at most `c t - c/2` otherwise: two positions differ by 1 at least.

use crate::symbolic::atoms::{AtomKind, TIME};
use crate::symbolic::interner::Interner;
use crate::symbolic::interval::{Range, is_exact, power};
use crate::symbolic::polynomial::{PolyId, Polynomial, exact_product};

/// A sum of products, and of the sums within it.
struct Unfolded {
    /// The sum without rounding.
    form: Polynomial,
    /// The sum of the greatest magnitudes of all products.
    mass: f64,
    /// The grain of all products at the token itself.
    grain: i32,
    /// Whether no operation rounds there.
    exact: bool,
}

/// A sum `r + d p - d c t` of products, with a past atom p and d > 0. It is r at the token itself,
/// and else at most `r - d c / 2`.
struct Recency {
    /// The rest r.
    rest: Range,
    /// The distance `d c / 2`.
    apart: f64,
    /// A bound of all rounding errors. At the token itself there are none.
    error: f64,
}

impl Interner {
    /// An upper bound of a sum of products that are rounded, if it compares a position with the
    /// token's own.
    pub(crate) fn greatest_by_recency(&self, base: PolyId, terms: &[(f64, PolyId)]) -> Option<f64> {
        let Recency { rest, error, .. } = self.recency(base, terms)?;
        Some(rest.hi + error)
    }

    /// The bounds of `max(gate, 0)` for such a sum, if it is positive only at the token itself.
    pub(crate) fn open_by_recency(&self, gate: PolyId) -> Option<Range> {
        let (base, terms) = self.rounded(gate)?;
        let terms = terms.iter().map(|&(w, form)| (f64::from_bits(w), form));
        let Recency { rest, apart, error } = self.recency(base, &terms.collect::<Vec<_>>())?;
        let closed = rest.hi - apart + error < 0.0;
        closed.then(|| Range::new(0.0, rest.hi.max(0.0), rest.grain))
    }

    fn recency(&self, base: PolyId, terms: &[(f64, PolyId)]) -> Option<Recency> {
        if !terms.iter().any(|&(_, form)| self.is_near_past(form)) {
            return None;
        }
        let Unfolded {
            mut form,
            mass,
            exact,
            ..
        } = self.unfold(base, terms)?;
        let time = form.coefficient((0, TIME));
        let past = form.terms().iter().find_map(|&((one, atom), d)| {
            let c = self.past(atom);
            let cancels = one == 0 && d > 0.0 && c > 0.0 && exact_product(d, c) == Some(-time);
            cancels.then(|| Polynomial::monomial((0, atom), d))
        })?;
        let cancelled = form.add(-1.0, &past) && form.add(-time, &Polynomial::atom(TIME));
        (exact && cancelled).then(|| Recency {
            rest: self.range(&form),
            apart: -time / 2.0,
            error: mass * power(-44),
        })
    }

    /// Whether a form is a past atom, or a rounded sum with one.
    fn is_near_past(&self, form: PolyId) -> bool {
        self.is_past(form)
            || self
                .rounded(form)
                .is_some_and(|(_, terms)| terms.iter().any(|&(_, form)| self.is_past(form)))
    }

    fn is_past(&self, form: PolyId) -> bool {
        let atom = self[form].as_atom();
        atom.is_some_and(|atom| self.past(atom) > 0.0)
    }

    fn unfold(&self, base: PolyId, terms: &[(f64, PolyId)]) -> Option<Unfolded> {
        let mut all = Unfolded {
            form: Polynomial::zero(),
            mass: 0.0,
            grain: 0,
            exact: true,
        };
        for (weight, form) in std::iter::once((1.0, base)).chain(terms.iter().copied()) {
            let part = match self.rounded(form) {
                Some((base, terms)) => {
                    let terms = terms.iter().map(|&(w, form)| (f64::from_bits(w), form));
                    self.unfold(base, &terms.collect::<Vec<_>>())?
                }
                None => self.unfold_atom(form),
            };
            all.exact &= part.exact && weight.fract() == 0.0;
            all.mass += weight.abs() * part.mass;
            all.grain = all.grain.min(part.grain);
            if !all.form.add(weight, &part.form) {
                return None;
            }
        }
        all.exact &= is_exact(all.mass, all.grain);
        Some(all)
    }

    /// A form that is no sum of products. A past atom counts as an integer, which it is at the
    /// token itself.
    fn unfold_atom(&self, form: PolyId) -> Unfolded {
        let range = self.bounds(form);
        let atom = self[form].as_atom();
        let c = atom.map_or(0.0, |atom| self.past(atom));
        let is_integer = c > 0.0 && c.fract() == 0.0;
        Unfolded {
            form: self[form].clone(),
            mass: range.size(),
            grain: if is_integer { 0 } else { range.grain },
            exact: true,
        }
    }

    /// The base and the products of a rounded sum.
    fn rounded(&self, form: PolyId) -> Option<(PolyId, &[(u64, PolyId)])> {
        match self.kind(self[form].as_atom()?) {
            AtomKind::Rounded { base, terms } => Some((*base, terms)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::transfer::Terms;

    /// `max(r - 4 t + p, 0)`, where p is 4 times an average of positions.
    fn open(r: f64) -> Range {
        let mut atoms = Interner::new(1_000_000);
        let average = Range::new(0.0, 4e6, 0).of_means();
        let past = atoms.unknown(0, average);
        atoms.note_past(past, 4.0);
        let mut terms = Terms::default();
        for (weight, form) in [
            (r, Polynomial::constant(1.0)),
            (-4.0, Polynomial::atom(TIME)),
            (1.0, Polynomial::atom(past)),
        ] {
            terms.push(weight, atoms.id(form));
        }
        let gate = atoms.sum(PolyId::ZERO, &terms);
        let one = atoms.constant(1.0);
        let neuron = atoms.gated(gate, one);
        atoms.bounds(neuron)
    }

    #[test]
    fn a_neuron_tells_the_token_itself_from_averages() {
        // 4 t itself, or at most 4 t - 2.
        assert_eq!(open(1.0), Range::new(0.0, 1.0, 0));
        let three = open(3.0);
        assert!(three.hi >= 3.0 && three.grain < 0, "an average may open it");
        assert!(open(-1.0).hi <= 0.0);
    }
}
