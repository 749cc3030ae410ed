//! The integers that a form may be, one by one.

use smallvec::SmallVec;

use crate::atoms::{Atoms, Kind};
use crate::form::{Atom, Form};
use crate::range::{Range, is_exact};

impl Atoms {
    /// The integers that a form may be, ascending and perhaps some more, if they are at most so many: those that its terms add up
    /// to, one by one. None, too, if the form may be a fraction.
    ///
    /// Atoms are taken to be independent of each other, but for pairs of neurons that are a step. Takes O(terms · `most`).
    #[must_use]
    pub fn integers(&self, form: &Form, most: usize) -> Option<Vec<f64>> {
        let bounds = self.tight(form);
        if bounds.grain < 0 {
            return None;
        }
        let steps = self.steps(form);
        let mut sums = vec![0.0];
        let mut mass = 0.0;
        for (at, &((a, b), coefficient)) in form.terms().iter().enumerate() {
            let (numbers, factor) = match steps.iter().find(|step| step.pair.contains(&at)) {
                Some(step) if step.pair[1] == at => continue,
                Some(step) => {
                    let is_constant = step.factor.lo == step.factor.hi;
                    if !is_constant || !self.is_exact_step(step) {
                        return None;
                    }
                    (whole(step.rise, most)?, step.factor.lo)
                }
                None if a == 0 => (self.numbers_of(b, most)?, coefficient),
                None => {
                    let product = Form::monomial((a, b), 1.0);
                    (whole(self.range(&product), most)?, coefficient)
                }
            };
            // A term is an integer, as the form is: of numbers that it can be, its products with the factor are.
            let products = numbers.iter().map(|number| number * factor);
            let may_be = |product: &f64| !product.is_finite() || product.fract() == 0.0;
            let products = distinct(products.filter(may_be).collect());
            mass += products.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
            // Then no sum is rounded.
            if !is_exact(mass, 0) || products.len() * sums.len() > most {
                return None;
            }
            let of_all = |product: &f64| sums.iter().map(|sum| sum + product).collect::<Vec<_>>();
            sums = distinct(products.iter().flat_map(of_all).collect());
        }
        sums.retain(|sum| (bounds.lo..=bounds.hi).contains(sum));
        Some(sums)
    }

    /// The numbers that an atom may be: the integers within its bounds; of a neuron over atoms of few values, what it makes of
    /// those.
    fn numbers_of(&self, atom: Atom, most: usize) -> Option<Vec<f64>> {
        let by_bounds = || whole(self.range_of(atom), most);
        let (Kind::Gated { gate, value } | Kind::Product { gate, value }) = *self.kind(atom) else {
            return by_bounds();
        };
        let forms = [&self[gate], &self[value]];
        if !forms.iter().all(|form| self.is_safe(form)) {
            return by_bounds();
        }
        let mut inputs: SmallVec<[Atom; 2]> = forms.iter().flat_map(|form| form.atoms()).collect();
        inputs.sort_unstable();
        inputs.dedup();
        let mut cases: Vec<Vec<f64>> = vec![vec![]];
        for &input in &inputs {
            let few = whole(self.range_of(input), FEW);
            let Some(numbers) = few.filter(|numbers| numbers.len() * cases.len() <= most) else {
                return by_bounds();
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
        // The network's own operations: forms are their numbers, and the product is rounded as there.
        let numbers = cases
            .iter()
            .map(|case| of(forms[0], case).max(0.0) * of(forms[1], case));
        Some(numbers.collect())
    }

    /// An integer that a neuron of a form opens at, or closes, and the greatest value of it on the lower side; it has values on
    /// both sides. Where bounds of the form say too little, they say more on either side of that value.
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
            // Wherever it is rounded to, integers lie on either side of it.
            let at = (-constant / gate.coefficient((0, input))).floor();
            let range = self.range_of(input);
            let divides = range.lo.ceil() <= at && at < range.hi.floor();
            (range.grain >= 0 && divides).then_some((input, at))
        })
    }
}

/// A neuron's inputs are looked at one by one if each has at most so many values.
const FEW: usize = 4;

/// The integers within bounds, if the number is one and they are at most so many.
fn whole(range: Range, most: usize) -> Option<Vec<f64>> {
    // Bounds need not be integers themselves.
    let (lo, hi) = (range.lo.ceil(), range.hi.floor());
    if range.grain < 0 || (hi - lo).is_nan() || hi - lo >= most as f64 {
        return None;
    }
    if hi < lo {
        return Some(vec![]);
    }
    Some((0..=(hi - lo) as u64).map(|n| lo + n as f64).collect())
}

/// Numbers, ascending, each once.
fn distinct(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers
}
