//! Rounding-error bounds: an exact polynomial that a rounded number is close to, and the greatest
//! difference.

use crate::symbolic::atoms::{AtomKind, TIME};
use crate::symbolic::interner::Interner;
use crate::symbolic::interval::power;
use crate::symbolic::polynomial::{Atom, PolyId, Polynomial};

impl Interner {
    /// A polynomial with rounded coefficients that a rounded number is close to, and the greatest
    /// difference.
    fn shadow(&self, atom: Atom) -> Option<(Polynomial, f64)> {
        match self.kind(atom) {
            AtomKind::Rounded { base, terms } => {
                let mut sum = self[*base].clone();
                let mut mass = self.bounds(*base).size();
                for &(weight, form) in terms {
                    let weight = f64::from_bits(weight);
                    mass += weight.abs() * self.bounds(form).size();
                    sum.about_add(weight, &self[form]);
                }
                Some((sum, mass * power(-44)))
            }
            &AtomKind::Product { gate, value } => {
                let size = self.bounds(gate).size() * self.bounds(value).size();
                if let Some(sum) = self.total(gate, value) {
                    let sum = Polynomial::atom(sum);
                    return Some((sum.clone(), self.range(&sum).size() * power(-50)));
                }
                Some((self[gate].times(&self[value])?, size * power(-44)))
            }
            &AtomKind::Gated { gate, value } if gate == value => {
                // max(g, 0) g = g^2 - min(g, 0)^2
                let range = self.bounds(gate);
                let below = range.lo.min(0.0);
                // The middle of the range of the omitted square.
                let half = below * below / 2.0;
                let gate = &self[gate];
                let square = gate
                    .times(gate)?
                    .about_plus(-half, &Polynomial::constant(1.0));
                Some((square, half + range.size() * range.size() * power(-44)))
            }
            _ => None,
        }
    }

    /// The running sum whose average a product multiplies by the token count.
    pub(crate) fn total(&self, gate: PolyId, value: PolyId) -> Option<Atom> {
        let [gate, value] = [&self[gate], &self[value]];
        let is_count = |form: &Polynomial| form.terms() == [((0, 0), 1.0), ((0, TIME), 1.0)];
        let mean = match (is_count(gate), is_count(value)) {
            (true, _) => value.as_atom()?,
            (_, true) => gate.as_atom()?,
            _ => return None,
        };
        match self.kind(mean) {
            &AtomKind::Mean { sum } => self.find(&AtomKind::Sum { sum }),
            _ => None,
        }
    }

    /// An exact form that a form's value is close to, and the greatest difference: the sum of the
    /// error bounds of its rounded atoms.
    pub(crate) fn close_to(&self, form: &Polynomial) -> Option<(Polynomial, f64)> {
        let (mut close, mut error) = (Polynomial::zero(), 0.0);
        for &((a, b), coefficient) in form.terms() {
            let near = if a == 0 { self.close_to_atom(b) } else { None };
            let exact = match near {
                Some((near, off)) => {
                    error += coefficient.abs() * off;
                    close.add(coefficient, &near)
                }
                None => close.add(1.0, &Polynomial::monomial((a, b), coefficient)),
            };
            if !exact {
                return None;
            }
        }
        // The factor covers the rounding of the error itself.
        Some((close, error * (1.0 + power(-40))))
    }

    fn close_to_atom(&self, atom: Atom) -> Option<(Polynomial, f64)> {
        match self.kind(atom) {
            AtomKind::Rounded { .. } | AtomKind::Latest { .. } => self.closeness(atom),
            &AtomKind::Product { gate, value } => {
                let sum = Polynomial::atom(self.total(gate, value)?);
                // A quotient and a product, both rounded.
                Some((sum.clone(), self.range(&sum).size() * power(-51)))
            }
            _ => None,
        }
    }

    /// An upper bound of the lift `y + (x / 2)^2`. Forms replace the rounded numbers that are close
    /// to them, so that large terms cancel.
    pub(crate) fn lift(&self, x: &Polynomial, y: &Polynomial) -> f64 {
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

    /// A form in which polynomials replace the rounded numbers that are close to them, and the
    /// greatest difference.
    fn unrounded(&self, form: &Polynomial) -> (Polynomial, f64) {
        let (mut form, mut error) = (form.clone(), 0.0);
        for _ in 0..12 {
            let mut next = Polynomial::zero();
            let mut changed = false;
            for &((a, b), coefficient) in form.terms() {
                match (a, self.shadow(b)) {
                    (0, Some((shadow, off))) => {
                        error += coefficient.abs() * off;
                        next.about_add(coefficient, &shadow);
                        changed = true;
                    }
                    _ => next.about_add(coefficient, &Polynomial::monomial((a, b), 1.0)),
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
