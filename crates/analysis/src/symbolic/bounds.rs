//! Interval evaluation of polynomials over the bounds of their atoms.

use crate::symbolic::atoms::TIME;
use crate::symbolic::interner::Interner;
use crate::symbolic::interval::{Range, grain, is_exact, is_power, power};
use crate::symbolic::polynomial::{Polynomial, exact_product};

impl Interner {
    /// Bounds of a form, from those of its atoms. Takes O(terms), or O(terms²) if neurons may form
    /// steps.
    #[must_use]
    pub fn range(&self, form: &Polynomial) -> Range {
        let mut all = Range::of(0.0);
        let steps = self.steps(form);
        let age = self.age(form);
        if let Some(([_, past], coefficient)) = age {
            let last = self.range_of(TIME).hi;
            let range = Range::new(0.0, last, 0).scaled(coefficient);
            let ((_, past), factor) = form.terms()[past];
            let grain = self.range_of(past).scaled(factor).grain;
            all.lo += range.lo;
            all.hi += range.hi;
            all.grain = all.grain.min(range.grain).min(grain);
        }
        for (at, &((a, b), coefficient)) in form.terms().iter().enumerate() {
            if age.is_some_and(|(pair, _)| pair.contains(&at)) {
                continue;
            }
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
        // The product of a number and a power of two is exact, also beyond 53 bits.
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

    /// Two terms `c t - d p` of a form, where p is at most `c/d` times the position t, and not
    /// negative: their indices, and c. Their sum is between 0 and `c t`.
    fn age(&self, form: &Polynomial) -> Option<([usize; 2], f64)> {
        let terms = form.terms();
        let time = terms
            .iter()
            .position(|&(monomial, _)| monomial == (0, TIME))?;
        let coefficient = terms[time].1;
        let past = terms.iter().position(|&((one, atom), other)| {
            let most = self.past(atom);
            one == 0 && most > 0.0 && exact_product(other, most) == Some(-coefficient)
        })?;
        Some(([time, past], coefficient))
    }

    /// The sum of the greatest magnitudes of a form's terms.
    pub(crate) fn mass(&self, form: &Polynomial) -> f64 {
        form.terms()
            .iter()
            .map(|&((a, b), coefficient)| {
                coefficient.abs() * self.range_of(a).size() * self.range_of(b).size()
            })
            .sum()
    }

    /// Whether a form's value is computed without rounding, in any order.
    pub(crate) fn is_safe(&self, form: &Polynomial) -> bool {
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

    /// Bounds of a form, narrowed by those of the exact form that it is close to, in which large
    /// rounded terms cancel. Takes O(terms of that form).
    #[must_use]
    pub fn tight(&self, form: &Polynomial) -> Range {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::polynomial::Atom;
    use crate::testing::Random;

    #[test]
    fn a_position_is_never_before_an_earlier_one() {
        let mut atoms = Interner::new(100);
        let [past, other] = [0, 1].map(|number| atoms.unknown(number, Range::new(0.0, 100.0, 0)));
        atoms.note_past(past, 1.0);
        let age = |atom| {
            let less = Polynomial::atom(TIME).plus(-1.0, &Polynomial::atom(atom));
            less.expect("floats")
        };
        assert_eq!(atoms.range(&age(past)), Range::new(0.0, 100.0, 0));
        assert_eq!(atoms.range(&age(other)), Range::new(-100.0, 100.0, 0));
        let twice = Polynomial::constant(7.0).about_plus(-2.0, &age(past));
        assert_eq!(atoms.range(&twice), Range::new(-193.0, 7.0, 0));
        atoms.note_past(past, 4.0);
        assert_eq!(atoms.range(&age(past)), Range::new(-100.0, 100.0, 0));
        let four = Polynomial::monomial((0, TIME), -4.0).plus(1.0, &Polynomial::atom(past));
        assert_eq!(
            atoms.range(&four.expect("floats")),
            Range::new(-400.0, 0.0, 0)
        );
    }

    #[test]
    fn bounds_are_those_of_all_values() {
        let mut random = Random::new(4);
        let mut reached = 0;
        for _ in 0..2_000 {
            let mut atoms = Interner::new(1);
            let ranges: [[i64; 2]; 3] = std::array::from_fn(|_| {
                let lo = random.integer(-4, 3);
                [lo, random.integer(lo, 4)]
            });
            let inputs: Vec<Atom> = (0..)
                .zip(ranges)
                .map(|(number, [lo, hi])| {
                    atoms.unknown(number, Range::new(lo as f64, hi as f64, 0))
                })
                .collect();
            let [x, y, z] = inputs[..] else {
                panic!("three inputs")
            };
            let monomials = [(0, 0), (0, x), (x, y), (z, z)];
            let factors = monomials.map(|_| random.one_of(&[0.0, 1.0, -3.0, 0.25]));
            let terms = monomials.into_iter().zip(factors);
            let form = terms.fold(Polynomial::zero(), |sum, (monomial, factor)| {
                sum.plus(factor, &Polynomial::monomial(monomial, 1.0))
                    .expect("floats")
            });
            let bounds = atoms.range(&form);
            let [[a, b], [c, d], [e, f]] = ranges;
            let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
            for (x, y, z) in
                (a..=b).flat_map(|x| (c..=d).flat_map(move |y| (e..=f).map(move |z| (x, y, z))))
            {
                let numbers = [1, x, x * y, z * z].map(|number| number as f64);
                let sum: f64 = numbers
                    .iter()
                    .zip(factors)
                    .map(|(n, factor)| n * factor)
                    .sum();
                (least, most) = (least.min(sum), most.max(sum));
                assert!(
                    (bounds.lo..=bounds.hi).contains(&sum),
                    "{form:?} is {sum}, {bounds:?}"
                );
                let units = sum / power(bounds.grain.min(0));
                assert_eq!(units.fract(), 0.0, "{form:?} is {sum}, {bounds:?}");
            }
            reached += usize::from([bounds.lo, bounds.hi] == [least, most]);
        }
        // Bounds are not tight where an atom occurs in two terms.
        assert!(reached > 1_000, "{reached}");
    }

    #[test]
    fn what_bounds_round_away_is_not_zero() {
        let mut atoms = Interner::new(1);
        let [x, y] = [0, 1].map(|number| Polynomial::atom(atoms.unknown(number, Range::of(1.0))));
        // 2^-60 + 1 - 1.
        let form = Polynomial::constant(power(-60))
            .plus(1.0, &x)
            .and_then(|sum| sum.plus(-1.0, &y))
            .expect("floats");
        let bounds = atoms.range(&form);
        assert!((bounds.lo..=bounds.hi).contains(&power(-60)), "{bounds:?}");
        // An exact zero is recognised.
        let zero = x.plus(-1.0, &y).expect("floats");
        assert_eq!(atoms.range(&zero), Range::of(0.0));
        assert_eq!(atoms.range(&Polynomial::zero()), Range::of(0.0));
    }
}
