//! What bounds of atoms say of forms.

use smallvec::SmallVec;

use crate::atoms::{Atoms, Kind, TIME};
use crate::form::{Atom, Form, FormId};
use crate::range::{Range, grain, is_exact, is_power, power};

/// Two terms of a form that are a step together.
struct Step {
    /// Where they stand in the form.
    pair: [usize; 2],
    /// Of how far the step has risen.
    rise: Range,
    /// What that is multiplied by.
    factor: Range,
}

impl Step {
    /// Of the sum of both terms.
    fn range(&self) -> Range {
        self.rise.times(self.factor)
    }
}

impl Atoms {
    /// Bounds of a form.
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

    /// Pairs of terms `c (relu(g) - relu(g - d)) v` with a constant d: a step that rises from 0 to `d c v` as g goes from 0 to d,
    /// however great g may be.
    fn steps(&self, form: &Form) -> SmallVec<[Step; 2]> {
        let mut steps: SmallVec<[Step; 2]> = SmallVec::new();
        let terms = form.terms();
        for (first, &((_, atom), coefficient)) in terms.iter().enumerate() {
            let &Kind::Gated { gate, value } = self.kind(atom) else {
                continue;
            };
            if terms[first].0.0 != 0 || steps.iter().any(|step| step.pair.contains(&first)) {
                continue;
            }
            let found = terms
                .iter()
                .enumerate()
                .skip(first + 1)
                .find_map(|(second, term)| {
                    let &((0, atom), other) = term else {
                        return None;
                    };
                    let &Kind::Gated {
                        gate: below,
                        value: of,
                    } = self.kind(atom)
                    else {
                        return None;
                    };
                    let free = !steps.iter().any(|step| step.pair.contains(&second));
                    if !free || of != value || other != -coefficient {
                        return None;
                    }
                    let apart = self[gate].plus(-1.0, &self[below])?.as_constant()?;
                    Some((second, apart))
                });
            let Some((second, apart)) = found else {
                continue;
            };
            let Range {
                lo,
                hi,
                grain: fine,
            } = self.bounds(gate);
            // Rises with g from 0 to d; for a negative d falls from 0 to it.
            let at = |g: f64| match (g <= apart.min(0.0), g >= apart.max(0.0)) {
                (true, _) => 0.0,
                (_, true) => apart,
                _ if apart > 0.0 => g,
                _ => apart - g,
            };
            let rise = Range {
                lo: at(lo).min(at(hi)),
                hi: at(lo).max(at(hi)),
                grain: fine.min(grain(apart)),
            };
            steps.push(Step {
                pair: [first, second],
                rise,
                factor: self.bounds(value).scaled(coefficient),
            });
        }
        steps
    }

    /// The sum of the greatest magnitudes of a form's terms.
    pub fn mass(&self, form: &Form) -> f64 {
        form.terms()
            .iter()
            .map(|&((a, b), coefficient)| {
                coefficient.abs() * self.range_of(a).size() * self.range_of(b).size()
            })
            .sum()
    }

    /// Whether a form's value is computed without rounding in whatever order.
    pub fn is_safe(&self, form: &Form) -> bool {
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

    /// Bounds of a form, also by what rounded numbers of it are close to: large terms that cancel are gone.
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

    /// The integers that a form may be, if they are at most so many: those that its terms add up to, one by one.
    #[must_use]
    pub fn integers(&self, form: &Form, most: usize) -> Option<Vec<f64>> {
        let steps = self.steps(form);
        let mut sums = vec![0.0];
        for (at, &((a, b), coefficient)) in form.terms().iter().enumerate() {
            let (numbers, factor) = match steps.iter().find(|step| step.pair.contains(&at)) {
                Some(step) if step.pair[1] == at => continue,
                Some(step) => {
                    let factor = Some(step.factor).filter(|factor| factor.lo == factor.hi)?;
                    (whole(step.rise, most)?, factor.lo)
                }
                None if a == 0 => (self.integers_of(b, most)?, coefficient),
                None => (
                    whole(self.range(&Form::monomial((a, b), 1.0)), most)?,
                    coefficient,
                ),
            };
            if factor.fract() != 0.0 || numbers.len() * sums.len() > most {
                return None;
            }
            sums = numbers
                .iter()
                .flat_map(|number| sums.iter().map(move |sum| sum + number * factor))
                .collect();
        }
        sums.sort_by(f64::total_cmp);
        sums.dedup();
        let Range { lo, hi, .. } = self.tight(form);
        sums.retain(|sum| (lo..=hi).contains(sum));
        Some(sums)
    }

    /// The integers that an atom may be; of a neuron over atoms of few values, what it makes of those.
    fn integers_of(&self, atom: Atom, most: usize) -> Option<Vec<f64>> {
        let (Kind::Gated { gate, value } | Kind::Product { gate, value }) = *self.kind(atom) else {
            return whole(self.range_of(atom), most);
        };
        let forms = [&self[gate], &self[value]];
        let mut inputs: SmallVec<[Atom; 2]> = forms.iter().flat_map(|form| form.atoms()).collect();
        inputs.sort_unstable();
        inputs.dedup();
        let mut cases: Vec<Vec<f64>> = vec![vec![]];
        for &input in &inputs {
            let Some(numbers) = whole(self.range_of(input), FEW) else {
                return whole(self.range_of(atom), most);
            };
            cases = cases
                .iter()
                .flat_map(|case| {
                    let more = |&number| case.iter().copied().chain([number]).collect();
                    numbers.iter().map(more).collect::<Vec<_>>()
                })
                .collect();
        }
        let of = |form: &Form, case: &[f64]| -> f64 {
            let number = |atom| inputs.binary_search(&atom).map_or(1.0, |at| case[at]);
            let terms = form.terms().iter();
            terms.map(|&((a, b), c)| c * number(a) * number(b)).sum()
        };
        let numbers = cases
            .iter()
            .map(|case| of(forms[0], case).max(0.0) * of(forms[1], case));
        Some(numbers.collect())
    }

    /// A wide integer that a neuron of a form opens at, and the greatest number on the lower side: what cases may be divided by.
    #[must_use]
    pub fn threshold(&self, form: &Form) -> Option<(Atom, f64)> {
        form.terms().iter().find_map(|&((_, atom), _)| {
            let &Kind::Gated { gate, .. } = self.kind(atom) else {
                return None;
            };
            let gate = &self[gate];
            let constant = gate.coefficient((0, 0));
            let mut atoms = gate.atoms();
            let (input, None) = (atoms.next()?, atoms.next()) else {
                return None;
            };
            let slope = gate.coefficient((0, input));
            let zero = -constant / slope;
            // It opens above its zero, or below.
            let at = if slope > 0.0 {
                zero.floor()
            } else {
                zero.ceil() - 1.0
            };
            let range = self.range_of(input);
            let divides = range.grain >= 0 && range.lo <= at && at < range.hi;
            (divides && gate.is_linear()).then_some((input, at))
        })
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
    pub fn total(&self, gate: FormId, value: FormId) -> Option<Atom> {
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
    pub fn close_to(&self, form: &Form) -> Option<(Form, f64)> {
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
    pub fn lift(&self, x: &Form, y: &Form) -> f64 {
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

/// A neuron's inputs are looked at one by one if each has at most so many values.
const FEW: usize = 4;

/// The integers within bounds, if the number is one and they are at most so many.
fn whole(range: Range, most: usize) -> Option<Vec<f64>> {
    let few = range.grain >= 0 && range.hi - range.lo < most as f64;
    few.then(|| {
        let count = (range.hi - range.lo) as u64;
        (0..=count).map(|n| range.lo + n as f64).collect()
    })
}
