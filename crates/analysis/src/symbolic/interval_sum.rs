//! Interval arithmetic of sums with running error bounds, as in Wilkinson's running error analysis.

use crate::symbolic::interval::{Range, is_exact, power};
use crate::symbolic::polynomial::Polynomial;

/// An accumulator of a sum's bounds.
pub(crate) struct Bounds {
    /// The bounds of the partial sum.
    pub(crate) range: Range,
    /// Whether no operation so far was rounded.
    pub(crate) exact: bool,
}

impl Bounds {
    /// The empty sum.
    pub(crate) fn zero() -> Self {
        Self {
            range: Range::of(0.0),
            exact: true,
        }
    }

    /// Adds a product; returns the greatest rounding errors of both operations.
    #[inline]
    pub(crate) fn add_product(&mut self, weight: f64, number: Range) -> [f64; 2] {
        let product = number.scaled(weight);
        let rounds = !is_exact(product.size(), product.grain) && !number.is_scaled_by(weight);
        let off = if rounds {
            rounding(product.size())
        } else {
            0.0
        };
        self.exact &= !rounds;
        [off, self.add(product)]
    }

    /// Adds a number; returns the greatest rounding error. Rounding is monotonic, so the rounded
    /// operation on bounds yields bounds of the rounded results.
    #[inline]
    pub(crate) fn add(&mut self, number: Range) -> f64 {
        let (lo, hi) = (self.range.lo + number.lo, self.range.hi + number.hi);
        let mut grain = self.range.grain.min(number.grain);
        let size = lo.abs().max(hi.abs());
        let first = self.range.lo == 0.0 && self.range.hi == 0.0;
        let rounds = !first && !is_exact(size, grain);
        // A number that is never small is a multiple of its last bit.
        let least = if lo > 0.0 {
            lo
        } else if hi < 0.0 {
            -hi
        } else {
            0.0
        };
        if least >= power(-900) {
            let exponent = ((least.to_bits() >> 52) & 0x7ff) as i32 - 1023;
            grain = grain.max(exponent - 52);
        }
        self.exact &= !rounds;
        self.range = Range { lo, hi, grain };
        if rounds { rounding(size) } else { 0.0 }
    }
}

/// The greatest error of rounding to a number of at most a magnitude: half of a unit in the last
/// place, or, below the normal numbers, less than the least number.
fn rounding(size: f64) -> f64 {
    size * power(-53) + f64::from_bits(1)
}

/// An accumulator of a sum's running error: an exact form that the partial sum is close to.
pub(crate) struct Closeness {
    bounds: Bounds,
    /// The form, and the greatest difference.
    pub(crate) known: Option<(Polynomial, f64)>,
}

impl Closeness {
    /// The empty sum.
    pub(crate) fn zero() -> Self {
        Self {
            bounds: Bounds::zero(),
            known: Some((Polynomial::zero(), 0.0)),
        }
    }

    /// Adds a product; the number is close to `close`.
    pub(crate) fn add_product(
        &mut self,
        weight: f64,
        number: Range,
        close: Option<(Polynomial, f64)>,
    ) {
        let [product, sum] = self.bounds.add_product(weight, number);
        let close = close.and_then(|(close, error)| {
            Some((
                Polynomial::zero().plus(weight, &close)?,
                (error * weight.abs() + product) * (1.0 + power(-20)),
            ))
        });
        self.add_close(sum, close);
    }

    /// Adds a number.
    pub(crate) fn add(&mut self, number: Range, close: Option<(Polynomial, f64)>) {
        let sum = self.bounds.add(number);
        self.add_close(sum, close);
    }

    fn add_close(&mut self, off: f64, close: Option<(Polynomial, f64)>) {
        self.known = match (self.known.take(), close) {
            (Some((sum, error)), Some((term, other))) => about(sum, &term)
                .map(|(sum, rounded)| (sum, (error + other + off + rounded) * (1.0 + power(-20)))),
            _ => None,
        };
    }
}

/// The sum of two forms, of which only the constant may be rounded, and the error.
fn about(sum: Polynomial, term: &Polynomial) -> Option<(Polynomial, f64)> {
    if let Some(exact) = sum.plus(1.0, term) {
        return Some((exact, 0.0));
    }
    let constants = [&sum, term].map(|form| form.coefficient((0, 0)));
    let [sum, term] = [&sum, term].map(Polynomial::without_constant);
    let constant = constants[0] + constants[1];
    let sum = sum
        .plus(1.0, &term)?
        .plus(1.0, &Polynomial::constant(constant))?;
    Some((sum, rounding(constant.abs())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::atoms::AtomKind;
    use crate::symbolic::interner::Interner;
    use crate::symbolic::interval::grain;
    use crate::symbolic::polynomial::{Atom, PolyId};
    use crate::symbolic::transfer::Terms;
    use crate::testing::Random;

    #[test]
    fn constants_alone_are_rounded_and_that_is_known() {
        let mut random = Random::new(2);
        let (mut exact, mut rounded, mut none) = (0, 0, 0);
        for _ in 0..20_000 {
            let mut number = || {
                let mantissa = random.integer(-(1 << 52), 1 << 52) as f64;
                mantissa * power(random.one_of(&[-60, -53, -20, 0]))
            };
            let [first, second] = [number(), number()];
            // The other terms add up exactly, except in one of four rounds.
            let a = random.integer(-9, 9) as f64;
            let b = random.one_of(&[1.0, -2.0, 9.0, power(-80)]);
            let of = |constant: f64, c: f64| {
                let form = Polynomial::constant(constant).plus(c, &Polynomial::atom(1));
                form.expect("floats")
            };
            let Some((sum, error)) = about(of(first, a), &of(second, b)) else {
                none += 1;
                assert!(b < 1.0 && a != 0.0);
                continue;
            };
            assert_eq!(sum.coefficient((0, 1)), a + b);
            let constant = sum.coefficient((0, 0));
            assert_eq!(constant, first + second);
            // The error of Knuth's two-sum.
            let part = constant - first;
            let left = (first - (constant - part)) + (second - part);
            assert!(
                left.abs() <= error,
                "{first} + {second}: {left} beyond {error}"
            );
            assert!(error <= constant.abs() * power(-52), "{error} is too much");
            exact += usize::from(error == 0.0);
            rounded += usize::from(left != 0.0);
        }
        let counts = [exact, rounded, none];
        assert!(counts.iter().all(|count| *count > 1_000), "{counts:?}");
    }

    /// An exact product, in units of `2^-60`.
    fn units(factor: f64, number: f64) -> i128 {
        if factor == 0.0 || number == 0.0 {
            return 0;
        }
        let odd = |number: f64| (number / power(grain(number))) as i128;
        let shift = u32::try_from(grain(factor) + grain(number) + 60).expect("a multiple");
        let scaled = (odd(factor) * odd(number)) << shift;
        assert_eq!(scaled >> shift, odd(factor) * odd(number));
        scaled
    }

    /// The value of a form at some inputs.
    fn value(interner: &Interner, form: &Polynomial, inputs: &[f64]) -> i128 {
        let number = |atom: Atom| match interner.kind(atom) {
            AtomKind::One => 1.0,
            &AtomKind::Kept { stream, .. } => inputs[stream as usize],
            AtomKind::Rounded { base, terms } => {
                let rounded = |form: &PolyId| rounded(interner, *form, inputs);
                let mut sum = 0.0;
                for (weight, form) in terms {
                    sum += f64::from_bits(*weight) * rounded(form);
                }
                rounded(base) + sum
            }
            other => panic!("{other:?} is not made here"),
        };
        let terms = form.terms().iter();
        let all = terms.map(|&((a, b), coefficient)| {
            assert_eq!(a, 0, "sums are linear");
            units(coefficient, number(b))
        });
        all.sum()
    }

    /// The value of a form at some inputs, which must be a float.
    fn rounded(interner: &Interner, form: PolyId, inputs: &[f64]) -> f64 {
        let exact = value(interner, &interner[form], inputs);
        let float = exact as f64;
        assert_eq!(float as i128, exact, "{:?} is no float", interner[form]);
        float * power(-60)
    }

    /// Products that were added up, and then to a number; the form that the sum has.
    struct Added {
        base: PolyId,
        terms: Vec<(f64, PolyId)>,
        sum: PolyId,
    }

    #[test]
    fn sums_are_what_the_network_computes_and_close_to_what_they_say() {
        let mut random = Random::new(9);
        let [mut new, mut close, mut tighter] = [0; 3];
        for _ in 0..1_500 {
            let mut interner = Interner::new(1 << 20);
            let ranges: [Range; 3] = std::array::from_fn(|_| {
                let most = random.one_of(&[1, 50, 1 << 20, 1 << 36]);
                let lo = random.integer(-most, most);
                Range::new(lo as f64, random.integer(lo, most) as f64, 0)
            });
            let known = (0..).zip(ranges).map(|(number, range)| {
                let atom = interner.unknown(number, range);
                interner.id(Polynomial::atom(atom))
            });
            let mut forms: Vec<PolyId> = known.collect();
            forms.extend([3.0, -power(35) - 1.0, 0.125].map(|n| interner.constant(n)));
            let mut sums: Vec<Added> = vec![];
            for _ in 0..4 {
                let weight = |random: &mut Random| match random.integer(0, 2) {
                    0 => random.integer(-(1 << 26), 1 << 26) as f64 * power(-20),
                    1 => random.one_of(&[1.0, -1.0, 0.5]),
                    _ => random.one_of(&[314_573.0, -314_573.0]) * power(-20),
                };
                let count = random.integer(1, 4);
                let terms = (0..count).map(|_| (weight(&mut random), random.one_of(&forms)));
                let terms: Vec<(f64, PolyId)> =
                    terms.filter(|(weight, _)| *weight != 0.0).collect();
                let base = random.one_of(&[PolyId::ZERO, forms[0], forms[forms.len() - 1]]);
                let mut products = Terms::default();
                for &(weight, form) in &terms {
                    products.push(weight, form);
                }
                let sum = interner.sum(base, &products);
                new += usize::from(interner[sum].as_atom().is_some());
                sums.push(Added { base, terms, sum });
                // Later sums contain the first one, so the forms that they are close to have
                // coefficients that are multiples of 2^-40.
                if sums.len() == 1 {
                    forms.push(sum);
                }
            }
            let interner = &interner;
            for _ in 0..12 {
                let inputs = ranges.map(|Range { lo, hi, .. }| {
                    let other = random.integer(lo as i64, hi as i64) as f64;
                    random.one_of(&[lo, hi, other])
                });
                for Added { base, terms, sum } in &sums {
                    let mut number = 0.0;
                    for &(weight, form) in terms {
                        number += weight * rounded(interner, form, &inputs);
                    }
                    number += rounded(interner, *base, &inputs);
                    let form = &interner[*sum];
                    assert_eq!(number, rounded(interner, *sum, &inputs), "{form:?}");
                    let [bounds, tight] = [interner.bounds(*sum), interner.tight(form)];
                    for Range { lo, hi, .. } in [bounds, tight] {
                        assert!((lo..=hi).contains(&number), "{number} not in {lo} to {hi}");
                    }
                    assert!(grain(number) >= bounds.grain, "{number}, {bounds:?}");
                    tighter += usize::from(tight.hi - tight.lo < bounds.hi - bounds.lo);
                    if let Some((near, error)) = interner.close_to(form) {
                        let off = units(1.0, number) - value(interner, &near, &inputs);
                        let most = (error * power(60)).ceil() as i128;
                        assert!(
                            off.abs() <= most,
                            "{form:?} is off {near:?} by more than {error}"
                        );
                        close += usize::from(off != 0);
                    }
                }
            }
        }
        let counts = [new, close, tighter];
        assert!(new > 500 && close > 500 && tighter > 500, "{counts:?}");
    }
}
