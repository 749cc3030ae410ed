//! What bounds of atoms say of forms.

use crate::atoms::Atoms;
use crate::form::Form;
use crate::range::{Range, grain, is_exact, is_power, power};

impl Atoms {
    /// Bounds of a form, by those of its atoms. Takes O(terms), and O(terms²) of neurons that may be steps together.
    #[must_use]
    pub fn range(&self, form: &Form) -> Range {
        let mut all = Range::of(0.0);
        let steps = self.steps(form);
        for (at, &((a, b), coefficient)) in form.terms().iter().enumerate() {
            if let Some(step) = steps.iter().find(|step| step.pair.contains(&at)) {
                if step.pair[0] == at {
                    let range = step.range();
                    all.lo += range.lo;
                    all.hi += range.hi;
                    all.grain = all.grain.min(range.grain);
                }
                continue;
            }
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
        let mass = self.mass(form);
        // One number, times a power of two, is not rounded however large it is.
        let one = matches!(form.terms(), [((0, _), coefficient)] if is_power(*coefficient));
        if one || form.terms().is_empty() || is_exact(mass, all.grain) {
            if all.size() == 0.0 {
                return Range::of(0.0);
            }
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
        let fine = form
            .terms()
            .iter()
            .map(|&((a, b), coefficient)| {
                grain(coefficient)
                    .saturating_add(self.range_of(a).grain)
                    .saturating_add(self.range_of(b).grain)
            })
            .min()
            .unwrap_or(0);
        is_exact(self.mass(form), fine)
    }

    /// Bounds of a form, also by what rounded numbers of it are close to: large terms that cancel are gone. Takes O(terms of what
    /// the numbers are close to).
    #[must_use]
    pub fn tight(&self, form: &Form) -> Range {
        let rough = self.range(form);
        let Some((close, error)) = self.close_to(form) else {
            return rough;
        };
        let near = self.range(&close);
        let slack = error + near.size() * power(-50);
        Range::new(
            rough.lo.max(near.lo - slack),
            rough.hi.min(near.hi + slack),
            rough.grain,
        )
    }
}
