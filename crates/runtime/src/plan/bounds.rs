//! What bounds of atoms say of forms.

use super::atoms::{Atoms, Kind, TIME};
use super::form::{Atom, Form, FormId};
use super::range::{Range, is_exact, is_power, power};

impl Atoms {
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
                super::range::grain(coefficient)
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
                let mut sum = self[*base].clone();
                let mut mass = self.bounds(*base).size();
                for &(weight, form) in terms {
                    let weight = f64::from_bits(weight);
                    mass += weight.abs() * self.bounds(form).size();
                    sum.about_add(weight, &self[form]);
                }
                Some((sum, mass * power(-44)))
            }
            &Kind::Product { gate, value } => {
                let size = self.bounds(gate).size() * self.bounds(value).size();
                if let Some(sum) = self.total(gate, value) {
                    let sum = Form::atom(sum);
                    return Some((sum.clone(), self.range(&sum).size() * power(-50)));
                }
                Some((self[gate].times(&self[value])?, size * power(-44)))
            }
            &Kind::Gated { gate, value } if gate == value => {
                // max(g, 0) g = g^2 - min(g, 0)^2
                let range = self.bounds(gate);
                let below = range.lo.min(0.0);
                // The middle of what is left out.
                let half = below * below / 2.0;
                let gate = &self[gate];
                let square = gate.times(gate)?.about_plus(-half, &Form::constant(1.0));
                Some((square, half + range.size() * range.size() * power(-44)))
            }
            _ => None,
        }
    }

    /// The sum whose average times the number of tokens a product is.
    pub(crate) fn total(&self, gate: FormId, value: FormId) -> Option<Atom> {
        let [gate, value] = [&self[gate], &self[value]];
        let is_count = |form: &Form| form.terms() == [((0, 0), 1.0), ((0, TIME), 1.0)];
        let mean = match (is_count(gate), is_count(value)) {
            (true, _) => value.as_atom()?,
            (_, true) => gate.as_atom()?,
            _ => return None,
        };
        match self.kind(mean) {
            &Kind::Mean { sum } => self.find(&Kind::Sum { sum }),
            _ => None,
        }
    }

    /// An exact form that a form's value is close to, and how close: rounding errors are bounded operation by operation.
    pub(crate) fn close_to(&self, form: &Form) -> Option<(Form, f64)> {
        let (mut close, mut error) = (Form::zero(), 0.0);
        for &((a, b), coefficient) in form.terms() {
            let near = if a == 0 { self.close_to_atom(b) } else { None };
            let exact = match near {
                Some((near, off)) => {
                    error += coefficient.abs() * off;
                    close.add(coefficient, &near)
                }
                None => close.add(1.0, &Form::monomial((a, b), coefficient)),
            };
            if !exact {
                return None;
            }
        }
        Some((close, error))
    }

    fn close_to_atom(&self, atom: Atom) -> Option<(Form, f64)> {
        match self.kind(atom) {
            Kind::Rounded { .. } | Kind::Latest { .. } => self.closeness(atom),
            &Kind::Product { gate, value } => {
                let sum = Form::atom(self.total(gate, value)?);
                // A quotient and a product, both rounded.
                Some((sum.clone(), self.range(&sum).size() * power(-51)))
            }
            _ => None,
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
