//! Sparse polynomials of degree 2 over atoms, with exact arithmetic of their coefficients.

use std::hash::{Hash, Hasher};

use smallvec::{SmallVec, smallvec};
use weightware_hull::exact_sum;

use crate::symbolic::interval::power;

/// A variable of polynomials, a number that is not known before decoding: an index into
/// [`Interner`](crate::Interner). Atom 0 is the constant 1.
pub type Atom = u32;

/// A product of two atoms, the lesser first. Atom 0 is the constant 1, so `(0, a)` is the atom `a`,
/// and `(0, 0)` is 1.
pub type Monomial = (Atom, Atom);

/// The number of a form, by which an [`Interner`](crate::Interner) is indexed. Equal forms have one
/// number, so comparing numbers compares forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PolyId(pub(crate) u32);

impl PolyId {
    /// The form 0.
    pub(crate) const ZERO: Self = Self(0);

    /// Whether it is the form 0.
    #[inline]
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }
}

/// A polynomial of degree 2 over atoms: the sum of `coefficient * monomial` in real arithmetic.
///
/// A form with a [number](PolyId) equals the number that the network computes, bit for bit: no
/// operation that it replaces rounds.
#[derive(Debug, Default)]
pub struct Polynomial {
    /// Sorted by monomial; no coefficient is zero.
    terms: SmallVec<[(Monomial, f64); 4]>,
}

impl Clone for Polynomial {
    fn clone(&self) -> Self {
        // A copy of the slice is faster than a clone of every term.
        let terms = SmallVec::from_slice(&self.terms);
        Self { terms }
    }
}

impl PartialEq for Polynomial {
    fn eq(&self, other: &Self) -> bool {
        self.terms == other.terms
    }
}

impl Eq for Polynomial {}

impl Hash for Polynomial {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for &(monomial, coefficient) in &self.terms {
            monomial.hash(state);
            coefficient.to_bits().hash(state);
        }
    }
}

/// The product of two numbers, if it is not rounded.
#[inline]
pub(crate) fn exact_product(a: f64, b: f64) -> Option<f64> {
    let product = a * b;
    let exact = if product.is_normal() && (is_bare(a) || is_bare(b)) {
        true
    } else {
        // The error of a product above 2^-900 does not underflow, so a remainder of 0 proves that
        // there is no error.
        let in_bounds = product.is_finite() && product.abs() >= power(-900);
        let zero = a == 0.0 || b == 0.0;
        (in_bounds || zero) && a.mul_add(b, -product) == 0.0
    };
    exact.then_some(product)
}

/// Whether a number is a normal power of two, or the negative of one.
#[inline]
fn is_bare(number: f64) -> bool {
    number.is_normal() && number.to_bits() << 12 == 0
}

impl Polynomial {
    /// The zero polynomial.
    #[inline]
    #[must_use]
    pub fn zero() -> Self {
        Self::default()
    }

    /// The constant polynomial of a number.
    #[inline]
    #[must_use]
    pub fn constant(value: f64) -> Self {
        Self::monomial((0, 0), value)
    }

    /// The polynomial that consists of one atom.
    #[inline]
    #[must_use]
    pub fn atom(atom: Atom) -> Self {
        Self::monomial((0, atom), 1.0)
    }

    /// The polynomial of one term.
    #[inline]
    #[must_use]
    pub fn monomial(monomial: Monomial, coefficient: f64) -> Self {
        debug_assert!(monomial.0 <= monomial.1);
        let terms = if coefficient == 0.0 {
            smallvec![]
        } else {
            smallvec![(monomial, coefficient)]
        };
        Self { terms }
    }

    /// The terms: monomials and their coefficients, ascending by monomial. No coefficient is zero.
    #[inline]
    #[must_use]
    pub fn terms(&self) -> &[(Monomial, f64)] {
        &self.terms
    }

    /// Whether the polynomial has degree at most 1.
    #[inline]
    #[must_use]
    pub fn is_linear(&self) -> bool {
        self.terms.iter().all(|((a, _), _)| *a == 0)
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.terms.is_empty()
    }

    /// Splits the terms into those that satisfy a predicate, and the others.
    pub(crate) fn split_by(&self, predicate: impl Fn(&Self) -> bool) -> (Self, Self) {
        let (mut some, mut others) = (Self::zero(), Self::zero());
        for &(monomial, coefficient) in &self.terms {
            let holds = predicate(&Self::monomial(monomial, coefficient));
            let part = if holds { &mut some } else { &mut others };
            part.terms.push((monomial, coefficient));
        }
        (some, others)
    }

    /// The value of the polynomial, if it has no atoms.
    #[inline]
    #[must_use]
    pub fn as_constant(&self) -> Option<f64> {
        match self.terms[..] {
            [] => Some(0.0),
            [((0, 0), value)] => Some(value),
            _ => None,
        }
    }

    /// The atom, if the polynomial consists of a single one with the coefficient 1.
    #[inline]
    #[must_use]
    pub fn as_atom(&self) -> Option<Atom> {
        match self.terms[..] {
            [((0, atom), 1.0)] if atom != 0 => Some(atom),
            _ => None,
        }
    }

    /// The polynomial without its constant term.
    #[must_use]
    pub fn without_constant(&self) -> Self {
        let terms = match self.terms[..] {
            [((0, 0), _), ref others @ ..] => others,
            ref all => all,
        };
        Self {
            terms: SmallVec::from_slice(terms),
        }
    }

    /// The coefficient of a monomial; 0 if the polynomial has no such term. Takes O(log terms).
    #[inline]
    #[must_use]
    pub fn coefficient(&self, monomial: Monomial) -> f64 {
        self.terms
            .binary_search_by_key(&monomial, |t| t.0)
            .map_or(0.0, |at| self.terms[at].1)
    }

    /// The atoms of all terms, with repetitions.
    pub(crate) fn atoms(&self) -> impl Iterator<Item = Atom> + '_ {
        self.terms
            .iter()
            .flat_map(|&((a, b), _)| [a, b])
            .filter(|&atom| atom != 0)
    }

    /// `self + factor * other`, if no coefficient of the sum is rounded. Takes O(terms).
    #[must_use]
    pub fn plus(&self, factor: f64, other: &Self) -> Option<Self> {
        let mut sum = self.clone();
        sum.add(factor, other).then_some(sum)
    }

    /// Adds `factor * other`. `false` if a coefficient would be rounded; the form is then
    /// unspecified.
    #[must_use]
    pub(crate) fn add(&mut self, factor: f64, other: &Self) -> bool {
        self.combine(factor, other, exact_product, exact_sum)
    }

    /// `self + factor * other` with rounded coefficients.
    #[must_use]
    pub fn about_plus(&self, factor: f64, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.about_add(factor, other);
        sum
    }

    /// Adds `factor * other` with rounded coefficients.
    pub(crate) fn about_add(&mut self, factor: f64, other: &Self) {
        self.combine(factor, other, |a, b| Some(a * b), |a, b| Some(a + b));
    }

    fn combine(
        &mut self,
        factor: f64,
        other: &Self,
        product: impl Fn(f64, f64) -> Option<f64>,
        sum: impl Fn(f64, f64) -> Option<f64>,
    ) -> bool {
        // Both are sorted, and short.
        let mut at = 0;
        for &(monomial, coefficient) in &other.terms {
            let Some(term) = product(factor, coefficient) else {
                return false;
            };
            while self.terms.get(at).is_some_and(|t| t.0 < monomial) {
                at += 1;
            }
            match self.terms.get_mut(at) {
                Some((known, number)) if *known == monomial => match sum(*number, term) {
                    Some(0.0) => drop(self.terms.remove(at)),
                    Some(sum) => *number = sum,
                    None => return false,
                },
                _ if term != 0.0 => {
                    self.terms.insert(at, (monomial, term));
                    at += 1;
                }
                _ => {}
            }
        }
        true
    }

    /// The product of two polynomials, if its degree is at most 2 and no coefficient is rounded.
    pub(crate) fn times(&self, other: &Self) -> Option<Self> {
        let mut all = Self::zero();
        for &((a, b), x) in &self.terms {
            for &((c, d), y) in &other.terms {
                let monomial = match (a, b, c, d) {
                    (0, b, 0, d) => (b.min(d), b.max(d)),
                    (a, b, 0, 0) | (0, 0, a, b) => (a, b),
                    _ => return None,
                };
                if !all.add(1.0, &Self::monomial(monomial, exact_product(x, y)?)) {
                    return None;
                }
            }
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_cancellation() {
        let [x, y] = [Polynomial::atom(1), Polynomial::atom(2)];
        let sum = x.plus(1.0, &y).unwrap();
        let difference = x.plus(-1.0, &y).unwrap();
        let product = sum.times(&difference).unwrap();
        assert_eq!(product.terms(), [((1, 1), 1.0), ((2, 2), -1.0)]);
        assert!(product.times(&x).is_none());
        assert!(product.plus(-1.0, &product).unwrap().is_zero());
        let three = Polynomial::constant(3.0);
        assert_eq!(
            product.times(&three),
            Polynomial::zero().plus(3.0, &product)
        );
        assert!(
            Polynomial::constant(1e16)
                .plus(1.0, &Polynomial::constant(1.0))
                .is_none()
        );
        assert!(
            Polynomial::constant(0.1)
                .times(&Polynomial::constant(0.1))
                .is_none()
        );
    }

    #[test]
    fn products_whose_remainder_underflows_are_not_exact() {
        let odd = 1.0 + f64::EPSILON;
        for exponent in [0, -400, -480, -500, -511, -600] {
            let small = odd * power(exponent);
            assert_eq!(exact_product(small, small), None, "2^{exponent}");
        }
        assert_eq!(exact_product(power(-1000), 0.75), Some(0.75 * power(-1000)));
        assert_eq!(exact_product(power(-1000), power(-1000)), None);
        assert_eq!(exact_product(0.0, power(-1000)), Some(0.0));
        assert_eq!(exact_product(power(1000), 3.0 * power(40)), None);
    }
}
