//! Recognition of steps: pairs of terms `c relu(g) v - c relu(g - d) v`, which rise from 0 to `d c
//! v`.

use smallvec::SmallVec;

use crate::symbolic::atoms::AtomKind;
use crate::symbolic::interner::Interner;
use crate::symbolic::interval::{Range, grain, is_exact, power};
use crate::symbolic::polynomial::{PolyId, Polynomial};

/// Two terms of a form that form a step: `c relu(g) v - c relu(g - d) v`.
pub(crate) struct Step {
    /// The indices of both terms in the form.
    pub(crate) pair: [usize; 2],
    /// The bounds of `relu(g) - relu(g - d)`.
    pub(crate) rise: Range,
    /// The bounds of `c v`.
    pub(crate) factor: Range,
    /// g and g - d.
    gates: [PolyId; 2],
    /// v.
    value: PolyId,
}

impl Step {
    /// The bounds of the sum of both terms, if neither is rounded.
    pub(crate) fn range(&self) -> Range {
        self.rise.times(self.factor)
    }
}

impl Interner {
    /// Finds pairs of terms `c (relu(g) - relu(g - d)) v`: a step from 0 to `d c v` as g increases
    /// from 0 to d, with any bounds of g. If d is not constant, the step lies between 0 and the
    /// bounds of d. If the products may be rounded, the mass of the form is so great that its
    /// bounds are widened.
    pub(crate) fn steps(&self, form: &Polynomial) -> SmallVec<[Step; 2]> {
        let mut steps: SmallVec<[Step; 2]> = SmallVec::new();
        let terms = form.terms();
        for (first, &((_, atom), coefficient)) in terms.iter().enumerate() {
            let &AtomKind::Gated { gate, value } = self.kind(atom) else {
                continue;
            };
            if terms[first].0.0 != 0 || steps.iter().any(|step| step.pair.contains(&first)) {
                continue;
            }
            let partner = |second: usize| {
                let &((0, atom), other) = terms.get(second)? else {
                    return None;
                };
                let &AtomKind::Gated {
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
                Some((second, below, self[gate].plus(-1.0, &self[below])?))
            };
            let mut partners = (first + 1..terms.len()).filter_map(partner);
            let constant = partners
                .clone()
                .find(|(_, _, apart)| apart.as_constant().is_some());
            let Some((second, below, apart)) = constant.or_else(|| partners.next()) else {
                continue;
            };
            let rise = match apart.as_constant() {
                Some(apart) => self.rise(gate, apart),
                None => {
                    let rise = self.rise_at_most(gate, below, &apart);
                    // Neurons of similar size are no step: other partners may be better.
                    let alone = [gate, below].map(|gate| self.bounds(gate).hi);
                    if rise.size() * power(10) > alone[0].max(alone[1]) {
                        continue;
                    }
                    rise
                }
            };
            steps.push(Step {
                pair: [first, second],
                rise,
                factor: self.bounds(value).scaled(coefficient),
                gates: [gate, below],
                value,
            });
        }
        steps
    }

    /// The bounds of `relu(g) - relu(g - d)` for a constant d, which rises with g from 0 to d; for
    /// a negative d it falls from 0 to d.
    fn rise(&self, gate: PolyId, apart: f64) -> Range {
        let Range {
            lo,
            hi,
            grain: fine,
        } = self.bounds(gate);
        let at = |g: f64| match (g <= apart.min(0.0), g >= apart.max(0.0)) {
            (true, _) => 0.0,
            (_, true) => apart,
            _ if apart > 0.0 => g,
            _ => apart - g,
        };
        Range {
            lo: at(lo).min(at(hi)),
            hi: at(lo).max(at(hi)),
            grain: fine.min(grain(apart)),
        }
    }

    /// The bounds of `relu(g) - relu(g - d)` for any d: a number between 0 and d.
    fn rise_at_most(&self, gate: PolyId, below: PolyId, apart: &Polynomial) -> Range {
        let apart = self.range(apart);
        let [first, second] = [gate, below].map(|gate| self.bounds(gate));
        let relu = |bound: f64| bound.max(0.0);
        Range {
            lo: apart.lo.min(0.0).max(relu(first.lo) - relu(second.hi)),
            hi: apart.hi.max(0.0).min(relu(first.hi) - relu(second.lo)),
            grain: first.grain.min(second.grain),
        }
    }

    /// Whether neither neuron of a step is rounded.
    pub(crate) fn is_exact_step(&self, step: &Step) -> bool {
        let value = self.bounds(step.value);
        step.gates.iter().all(|&gate| {
            let gate = self.bounds(gate);
            let fine = gate.grain.saturating_add(value.grain);
            let scaled = value.lo == value.hi && gate.is_scaled_by(value.lo);
            scaled || is_exact(gate.hi.max(0.0) * value.size(), fine)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    /// `c relu(g) v - c relu(g - d) v + rest` for integers g, d, v within bounds.
    struct Case {
        /// Bounds of g.
        gate: [i64; 2],
        apart: i64,
        /// Bounds of v.
        value: [i64; 2],
        coefficient: i64,
        rest: i64,
    }

    impl Case {
        fn random(random: &mut Random) -> Self {
            let huge = [40, 1 << 20, 1 << 44, 1 << 51];
            let most = random.one_of(&huge);
            let lo = -random.integer(1, most);
            let most = random.one_of(&huge);
            let gate = [lo, random.integer(lo + 1, most)];
            let small = random.integer(-7, 7);
            Self {
                gate,
                apart: random.one_of(&[1, -1, 1, -1, 3, -5, 1000, -(1 << 30), 1 << 40]),
                value: random.one_of(&[[1, 1], [-1, -1], [3, 3], [-6, -6], [0, 9], [small, 8]]),
                coefficient: random.one_of(&[1, -1, 2, 3, -7, 1 << 12]),
                rest: random.one_of(&[0, 0, 5, -100]),
            }
        }

        /// The form, and its interner.
        fn form(&self) -> (Interner, Polynomial) {
            let [gate, value] =
                [self.gate, self.value].map(|[lo, hi]| Range::new(lo as f64, hi as f64, 0));
            let mut interner = Interner::new(1 << 20);
            let of = |interner: &mut Interner, range: Range, number| match range.lo == range.hi {
                true => Polynomial::constant(range.lo),
                false => Polynomial::atom(interner.unknown(number, range)),
            };
            let gate = of(&mut interner, gate, 0);
            let value = of(&mut interner, value, 1);
            let below = gate
                .plus(-(self.apart as f64), &Polynomial::constant(1.0))
                .expect("floats");
            let [gate, below, value] = [gate, below, value].map(|form| interner.id(form));
            let [first, second] = [gate, below].map(|gate| interner.gated(gate, value));
            let [first, second] = [first, second].map(|form| interner[form].clone());
            let coefficient = self.coefficient as f64;
            let form = Polynomial::constant(self.rest as f64)
                .plus(coefficient, &first)
                .and_then(|sum| sum.plus(-coefficient, &second))
                .expect("coefficients are floats");
            (interner, form)
        }

        /// The value of the form.
        fn at(&self, gate: i64, value: i64) -> i128 {
            let neuron = |gate: i64| gate.max(0) as f64 * value as f64;
            let [first, second] = [gate, gate - self.apart].map(|gate| neuron(gate) as i128);
            i128::from(self.coefficient) * (first - second) + i128::from(self.rest)
        }

        /// Numbers within bounds: those at which something changes, and others.
        fn samples(&self, random: &mut Random, [lo, hi]: [i64; 2], near: [i64; 2]) -> Vec<i64> {
            let around = near
                .into_iter()
                .chain([lo, hi])
                .flat_map(|at| [at - 1, at, at + 1]);
            let others: Vec<i64> = (0..40).map(|_| random.integer(lo, hi)).collect();
            around
                .chain(others)
                .filter(|at| (lo..=hi).contains(at))
                .collect()
        }
    }

    fn below(bound: f64, number: i128) -> bool {
        // Floats beyond 2^53 are integers.
        bound.ceil() as i128 <= number
    }

    #[test]
    fn steps_stay_within_their_bounds() {
        let mut random = Random::new(5);
        let (mut pairs, mut rounded, mut tight) = (0, 0, 0);
        for _ in 0..6_000 {
            let case = Case::random(&mut random);
            let (atoms, form) = case.form();
            let steps = atoms.steps(&form);
            let bounds = atoms.range(&form);
            let numbers = atoms.integers(&form, 2_000);
            pairs += usize::from(!steps.is_empty());
            rounded += usize::from(steps.iter().any(|step| !atoms.is_exact_step(step)));
            let (mut least, mut most) = (i128::MAX, i128::MIN);
            for gate in case.samples(&mut random, case.gate, [0, case.apart]) {
                for value in case.samples(&mut random, case.value, [0, 0]) {
                    let sum = case.at(gate, value);
                    (least, most) = (least.min(sum), most.max(sum));
                    assert!(
                        below(bounds.lo, sum) && below(-bounds.hi, -sum),
                        "{sum} not in {bounds:?}: g {gate}, v {value}, d {}, c {}",
                        case.apart,
                        case.coefficient
                    );
                    let known = numbers
                        .as_ref()
                        .is_none_or(|all| all.contains(&(sum as f64)));
                    assert!(known, "{sum} of g {gate}, v {value}: {numbers:?}");
                }
            }
            tight += usize::from([bounds.lo, bounds.hi] == [least as f64, most as f64]);
        }
        let counts = [pairs, rounded, tight];
        assert!(
            pairs > 4_000 && rounded > 100 && tight > 2_000,
            "{counts:?}"
        );
    }

    #[test]
    fn a_step_of_a_great_number_is_known_but_for_rounding() {
        // relu(x) - relu(x - 1), where x is at most 2^51: 0 or 1.
        let case = Case {
            gate: [-(1 << 51), 1 << 51],
            apart: 1,
            value: [1, 1],
            coefficient: 1,
            rest: 0,
        };
        let (atoms, form) = case.form();
        assert_eq!(atoms.range(&form), Range::new(0.0, 1.0, 0));
        assert_eq!(atoms.integers(&form, 2), Some(vec![0.0, 1.0]));
        // Three times that, twice as far: the neurons' products are rounded, and some differ by 2
        // or 4.
        let case = Case {
            gate: [-(1 << 52), 1 << 52],
            value: [3, 3],
            ..case
        };
        let differences: Vec<i128> = (0..8).map(|less| case.at((1 << 52) - less, 3)).collect();
        assert!(
            [2, 4].iter().all(|odd| differences.contains(odd)),
            "{differences:?}"
        );
        let (atoms, form) = case.form();
        assert!(atoms.range(&form).hi >= 4.0);
        assert_eq!(atoms.integers(&form, 100), None);
    }

    #[test]
    fn a_step_whose_gates_are_any_distance_apart_is_within_that_distance() {
        // relu(2^25 x - y) - relu(2^25 x): -y or 0, or between them.
        let mut interner = Interner::new(1 << 20);
        let [x, y] = [[-power(20), power(20)], [3.0, 70.0]];
        let [x, y] = [(0, x), (1, y)].map(|(number, [lo, hi])| {
            Polynomial::atom(interner.unknown(number, Range::new(lo, hi, 0)))
        });
        let one = interner.constant(1.0);
        let all = Polynomial::zero().about_plus(power(25), &x);
        let less = all.plus(-1.0, &y).expect("floats");
        let [all, less] = [all, less].map(|gate| {
            let gate = interner.id(gate);
            let neuron = interner.gated(gate, one);
            interner[neuron].clone()
        });
        let form = less.plus(-1.0, &all).expect("floats");
        assert_eq!(interner.range(&form), Range::new(-70.0, 0.0, 0));
    }

    #[test]
    fn pairs_share_no_term() {
        // Three gates one apart: relu(x) - relu(x - 1) - relu(x - 2) + relu(x - 3), a hill of
        // height 1.
        let mut interner = Interner::new(1 << 20);
        let x = Polynomial::atom(interner.unknown(0, Range::new(-9.0, power(40), 0)));
        let one = interner.constant(1.0);
        let neuron = |interner: &mut Interner, less: i32| {
            let gate = x
                .plus(-f64::from(less), &Polynomial::constant(1.0))
                .expect("floats");
            let gate = interner.id(gate);
            let neuron = interner.gated(gate, one);
            interner[neuron].clone()
        };
        let mut hill = Polynomial::zero();
        for (less, sign) in [(0, 1.0), (1, -1.0), (2, -1.0), (3, 1.0)] {
            let neuron = neuron(&mut interner, less);
            assert!(hill.add(sign, &neuron));
        }
        let steps = interner.steps(&hill);
        let mut terms: Vec<usize> = steps.iter().flat_map(|step| step.pair).collect();
        terms.sort_unstable();
        assert_eq!(terms, [0, 1, 2, 3]);
        let bounds = interner.range(&hill);
        assert!(
            bounds.lo <= 0.0 && bounds.hi >= 1.0 && bounds.size() <= 2.0,
            "{bounds:?}"
        );
        // An unpaired neuron has its own bounds.
        let odd = hill.plus(1.0, &neuron(&mut interner, 4)).expect("floats");
        assert!(interner.range(&odd).hi >= power(40) - 4.0);
    }
}
