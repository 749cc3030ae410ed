//! Enumeration of the integers that a polynomial may be, by sumsets of the values of its terms.

use smallvec::SmallVec;

use crate::symbolic::atoms::AtomKind;
use crate::symbolic::interner::Interner;
use crate::symbolic::interval::{Range, is_exact, power};
use crate::symbolic::polynomial::{Atom, Polynomial};

impl Interner {
    /// A superset of the integers that a form may be, ascending. `None` if there are more than
    /// `most` combinations of its terms, or if the form may be a fraction.
    ///
    /// The enumeration treats atoms as independent of each other, except pairs of neurons that form
    /// a step. Takes O(terms · `most`).
    #[must_use]
    pub fn integers(&self, form: &Polynomial, most: usize) -> Option<Vec<f64>> {
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
                    let product = Polynomial::monomial((a, b), 1.0);
                    (whole(self.range(&product), most)?, coefficient)
                }
            };
            // The form's grain is that of its finest term, so every term is an integer: products
            // that are fractions do not occur.
            let products = numbers.iter().map(|number| number * factor);
            let may_be = |product: &f64| !product.is_finite() || product.fract() == 0.0;
            let products = distinct(products.filter(may_be).collect());
            mass += products.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
            // Otherwise a sum might be rounded.
            if !is_exact(mass, 0) || products.len() * sums.len() > most {
                return None;
            }
            let of_all = |product: &f64| sums.iter().map(|sum| sum + product).collect::<Vec<_>>();
            sums = distinct(products.iter().flat_map(of_all).collect());
        }
        sums.retain(|sum| (bounds.lo..=bounds.hi).contains(sum));
        Some(sums)
    }

    /// The numbers that an atom may be: the integers within its bounds; for a neuron over atoms of
    /// few values, its products for all combinations of these values.
    fn numbers_of(&self, atom: Atom, most: usize) -> Option<Vec<f64>> {
        let by_bounds = || whole(self.range_of(atom), most);
        let (AtomKind::Gated { gate, value } | AtomKind::Product { gate, value }) =
            *self.kind(atom)
        else {
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
        let of = |form: &Polynomial, case: &[f64]| -> f64 {
            let number = |atom| inputs.binary_search(&atom).map_or(1.0, |at| case[at]);
            let terms = form.terms().iter();
            terms.map(|&((a, b), c)| c * number(a) * number(b)).sum()
        };
        // These equal the network's results: gate and value are exact, and the product is rounded
        // like the network's.
        let numbers = cases
            .iter()
            .map(|case| of(forms[0], case).max(0.0) * of(forms[1], case));
        Some(numbers.collect())
    }

    /// An atom for which a neuron of a form opens or closes, and the greatest integer on the lower
    /// side of the threshold. The atom has values on both sides, and on each side the form has
    /// narrower bounds.
    #[must_use]
    pub fn threshold(&self, form: &Polynomial) -> Option<(Atom, f64)> {
        form.terms().iter().find_map(|&((_, atom), _)| {
            let &AtomKind::Gated { gate, .. } = self.kind(atom) else {
                return None;
            };
            let gate = &self[gate];
            let constant = gate.coefficient((0, 0));
            let mut atoms = gate.atoms();
            let (input, None) = (atoms.next()?, atoms.next()) else {
                return None;
            };
            // The zero is rounded, but no integer lies between it and the exact one.
            let slope = gate.coefficient((0, input));
            let zero = -constant / slope;
            // With a positive slope the neuron opens above the zero, else below it.
            let at = match slope > 0.0 {
                true => zero.floor(),
                false => zero.ceil() - 1.0,
            };
            let range = self.range_of(input);
            let divides = range.lo.ceil() <= at && at < range.hi.floor();
            (range.grain >= 0 && divides).then_some((input, at))
        })
    }
}

/// The most values of a neuron's input that is enumerated.
const FEW: usize = 4;

/// The multiples of `2^grain` within bounds, if they are integers and at most `most`.
fn whole(Range { lo, hi, grain }: Range, most: usize) -> Option<Vec<f64>> {
    // Bounds need not be multiples of the unit. A multiple of a greater power is one of 2^60 too.
    let unit = power(grain.min(60));
    let (first, last) = ((lo / unit).ceil(), (hi / unit).floor());
    let more = last - first;
    if grain < 0 || more.is_nan() || more >= most as f64 {
        return None;
    }
    if more < 0.0 {
        return Some(vec![]);
    }
    let numbers = (0..=more as u64).map(|n| (first + n as f64) * unit);
    Some(numbers.collect())
}

/// Numbers, ascending, each once.
fn distinct(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::polynomial::PolyId;
    use crate::testing::Random;

    /// The Cartesian product of lists.
    fn choices(lists: &[Vec<f64>]) -> Vec<Vec<f64>> {
        lists.iter().fold(vec![vec![]], |all, list| {
            let with = |chosen: &Vec<f64>| {
                let with = |&number: &f64| [&chosen[..], &[number]].concat();
                list.iter().map(with).collect::<Vec<_>>()
            };
            all.iter().flat_map(with).collect()
        })
    }

    /// Atoms with few values, and neurons over them.
    struct Neurons {
        interner: Interner,
        inputs: Vec<Atom>,
        values: Vec<Vec<f64>>,
        /// Gate and value, and the product.
        made: Vec<([PolyId; 2], Polynomial)>,
    }

    impl Neurons {
        fn random(random: &mut Random) -> Self {
            let mut interner = Interner::new(1 << 20);
            let ranges: Vec<Range> = (0..3)
                .map(|_| {
                    let lo = random.integer(-3, 2) as f64;
                    // Bounds of sums may be moved outwards; then they are not integers.
                    let off = random.one_of(&[0.0, 0.0, 0.25]);
                    Range {
                        lo: lo - off,
                        hi: lo + random.integer(0, 5) as f64 + off,
                        grain: 0,
                    }
                })
                .collect();
            let inputs: Vec<Atom> = (0..)
                .zip(&ranges)
                .map(|(number, &range)| interner.unknown(number, range))
                .collect();
            let values = ranges.iter().map(|range| {
                let numbers = range.lo.ceil() as i64..=range.hi.floor() as i64;
                numbers.map(|number| number as f64).collect()
            });
            let made = (0..2).map(|_| {
                let of_form = |random: &mut Random| {
                    let atom = Polynomial::atom(random.one_of(&inputs));
                    let factor = random.one_of(&[1.0, -1.0, 2.0, 0.5, 3.0]);
                    let constant = Polynomial::constant(random.integer(-4, 4) as f64);
                    constant.plus(factor, &atom).expect("floats")
                };
                let parts = [of_form(random), of_form(random)];
                let parts = parts.map(|form| interner.id(form));
                let neuron = interner.gated(parts[0], parts[1]);
                (parts, interner[neuron].clone())
            });
            let made = made.collect();
            Self {
                values: values.collect(),
                interner,
                inputs,
                made,
            }
        }

        /// The value of a form at some inputs.
        fn value(&self, form: &Polynomial, given: &[f64]) -> f64 {
            let number = |atom| self.inputs.iter().position(|input| *input == atom);
            let number = |atom| number(atom).map_or(1.0, |at| given[at]);
            let terms = form.terms().iter();
            terms.map(|&((a, b), c)| c * number(a) * number(b)).sum()
        }
    }

    #[test]
    fn integers_are_all_that_a_form_may_be() {
        let mut random = Random::new(3);
        let (mut found, mut only) = (0, 0);
        for _ in 0..3_000 {
            let neurons = Neurons::random(&mut random);
            // Factors of both neurons, an input, a product of two inputs, and the constant.
            let mut factor = || random.one_of(&[0.0, 0.0, 0.0, 1.0, -1.0, 2.0, 3.0, -0.5]);
            let factors: [f64; 5] = std::array::from_fn(|_| factor());
            let [first, second, _] = neurons.inputs[..] else {
                panic!("three inputs")
            };
            let others = [
                Polynomial::atom(first),
                Polynomial::monomial((first, second), 1.0),
                Polynomial::constant(1.0),
            ];
            let made = neurons.made.iter().map(|(_, form)| form);
            let terms = made.chain(&others).zip(factors);
            let form = terms
                .clone()
                .try_fold(Polynomial::zero(), |sum, (term, factor)| {
                    sum.plus(factor, term)
                });
            let form = form.expect("floats");
            let whole = neurons.interner.range(&form).grain >= 0;
            let Some(numbers) = neurons.interner.integers(&form, 400) else {
                continue;
            };
            assert!(whole, "{form:?} may be a fraction");
            assert!(numbers.is_sorted() && numbers.len() <= 400);
            let mut all: Vec<f64> = choices(&neurons.values)
                .iter()
                .map(|given| {
                    let of = |form: PolyId| neurons.value(&neurons.interner[form], given);
                    let made = neurons.made.iter();
                    let made = made.map(|([gate, value], _)| of(*gate).max(0.0) * of(*value));
                    let others = others.iter().map(|form| neurons.value(form, given));
                    let sum = made.chain(others).zip(factors);
                    sum.map(|(number, factor)| number * factor).sum()
                })
                .collect();
            all = distinct(all);
            let missing = all.iter().find(|number| !numbers.contains(number));
            assert_eq!(missing, None, "{form:?}: {numbers:?}");
            found += 1;
            only += usize::from(numbers == all);
        }
        assert!(
            found > 900 && only > 250,
            "{found} found, {only} of them exactly"
        );
    }

    #[test]
    fn integers_of_little_forms() {
        let mut interner = Interner::new(100);
        let x = Polynomial::atom(interner.unknown(0, Range::new(-1.0, 1.0, 0)));
        let y = Polynomial::atom(interner.unknown(1, Range::new(0.0, 2.0, 1)));
        let half = Polynomial::atom(interner.unknown(2, Range::new(0.0, 1.0, -1)));
        // An integer whose bounds were moved outwards.
        let wide = Range {
            lo: -0.5,
            hi: 1.5,
            grain: 0,
        };
        let wide = Polynomial::atom(interner.unknown(3, wide));
        let none = Polynomial::atom(interner.unknown(
            4,
            Range {
                lo: 1.0,
                hi: 0.0,
                grain: 0,
            },
        ));
        let sum = |terms: &[(f64, &Polynomial)]| {
            let add =
                |sum: Polynomial, &(factor, form): &(f64, &Polynomial)| sum.plus(factor, form);
            terms
                .iter()
                .try_fold(Polynomial::zero(), add)
                .expect("floats")
        };
        let one = Polynomial::constant(1.0);
        for (form, numbers) in [
            (Polynomial::zero(), Some(vec![0.0])),
            (sum(&[(5.0, &one)]), Some(vec![5.0])),
            (sum(&[(0.5, &one)]), None),
            (sum(&[(3.0, &x), (2.0, &one)]), Some(vec![-1.0, 2.0, 5.0])),
            (
                sum(&[(1.0, &x), (1.0, &y)]),
                Some(vec![-1.0, 0.0, 1.0, 2.0, 3.0]),
            ),
            // Half of an even number is an integer.
            (sum(&[(0.5, &y)]), Some(vec![0.0, 1.0])),
            (half.clone(), None),
            (wide, Some(vec![0.0, 1.0])),
            // No number lies within these bounds.
            (none, Some(vec![])),
            // Some sums are rounded.
            (sum(&[(power(53), &x), (1.0, &y)]), None),
        ] {
            assert_eq!(interner.integers(&form, 6), numbers, "{form:?}");
        }
        assert_eq!(interner.integers(&x, 2), None);
        assert_eq!(interner.integers(&x, 3), Some(vec![-1.0, 0.0, 1.0]));
        // The combinations of 55 inputs are too many to enumerate.
        let many: Vec<Polynomial> = (5..60)
            .map(|number| Polynomial::atom(interner.unknown(number, Range::new(0.0, 3.0, 0))))
            .collect();
        let all = sum(&many.iter().map(|form| (1.0, form)).collect::<Vec<_>>());
        let gate = all.plus(-1.0, &one).expect("floats");
        let [gate, one] = [gate, one].map(|form| interner.id(form));
        let neuron = interner.gated(gate, one);
        let numbers = interner.integers(&interner[neuron], 1_000);
        assert_eq!(numbers, Some((0..=164).map(f64::from).collect()));
    }

    #[test]
    fn thresholds_divide_where_a_neuron_opens_or_closes() {
        for (lo, hi) in [(-3, 6), (0, 4), (-8, -1), (2, 3)] {
            for factor in [-3.0, -2.0, -1.0, -0.5, 0.25, 1.0, 2.0, 7.0] {
                for constant in -9..=9 {
                    check([lo, hi], factor, constant.into());
                }
            }
        }

        fn check([lo, hi]: [i32; 2], factor: f64, constant: f64) {
            let mut interner = Interner::new(1 << 20);
            // The bounds may have been moved outwards.
            let range = Range {
                lo: f64::from(lo) - 0.5,
                hi: f64::from(hi) + 0.5,
                grain: 0,
            };
            let input = interner.unknown(0, range);
            let gate = Polynomial::constant(constant).plus(factor, &Polynomial::atom(input));
            let gate = interner.id(gate.expect("floats"));
            let value = interner.constant(3.0);
            let neuron = interner.gated(gate, value);
            let form = interner[neuron].clone();
            let signs = (lo..=hi).map(|x| constant + factor * f64::from(x));
            let changes =
                signs.clone().any(|gate| gate > 0.0) && signs.clone().any(|gate| gate < 0.0);
            let Some((atom, at)) = interner.threshold(&form) else {
                // A neuron that never opens or closes is a form or zero.
                assert!(
                    !changes || form.as_atom().is_none(),
                    "{lo} to {hi}: {factor} x + {constant}"
                );
                return;
            };
            assert_eq!(atom, input);
            assert!(at.fract() == 0.0 && f64::from(lo) <= at && at < f64::from(hi));
            // On each side the neuron is open or closed throughout, apart from zeros of the gate.
            for below in [true, false] {
                let side: Vec<i32> = (lo..=hi)
                    .filter(|&x| (f64::from(x) <= at) == below)
                    .collect();
                let gate = |x: &i32| constant + factor * f64::from(*x);
                let same =
                    side.iter().all(|x| gate(x) >= 0.0) || side.iter().all(|x| gate(x) <= 0.0);
                assert!(
                    same && !side.is_empty(),
                    "{lo} to {hi}: {factor} x + {constant} at {at}"
                );
            }
        }
    }
}
