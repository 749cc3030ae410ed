//! Polynomials of degree 2 over atoms, and what is known of their values.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use smallvec::{SmallVec, smallvec};

/// A number that is computed while decoding: an index into [`Atoms`](super::atoms::Atoms). Atom 0 is the number 1.
pub(crate) type Atom = u32;

/// A product of two atoms, the lesser first; of one atom, where the first is 0; the constant, where both are.
pub(crate) type Monomial = (Atom, Atom);

/// `sum of coefficient * monomial`, exactly: no operation of it rounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    /// Sorted by monomial; no coefficient is zero.
    terms: SmallVec<[(Monomial, f64); 4]>,
}

/// Hashes quickly: the keys are forms and small numbers, and nobody chooses them to collide.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(26) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }
}

pub(crate) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<QuickHasher>>;
pub(crate) type QuickSet<K> = HashSet<K, BuildHasherDefault<QuickHasher>>;

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        self.terms == other.terms
    }
}

impl Eq for Form {}

impl Hash for Form {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for &(monomial, coefficient) in &self.terms {
            monomial.hash(state);
            coefficient.to_bits().hash(state);
        }
    }
}

/// The exact product of two numbers, if it is a number.
#[inline]
pub(crate) fn exact_product(a: f64, b: f64) -> Option<f64> {
    let product = a * b;
    let exact = if product.is_normal() && (is_bare(a) || is_bare(b)) {
        true
    } else {
        let none_lost = product != 0.0 || a == 0.0 || b == 0.0;
        product.is_finite() && none_lost && a.mul_add(b, -product) == 0.0
    };
    exact.then_some(product)
}

/// Whether a number is a power of two, or minus one, and not subnormal.
#[inline]
fn is_bare(number: f64) -> bool {
    number.is_normal() && number.to_bits() << 12 == 0
}

/// The exact sum of two numbers, if it is a number (Knuth's two-sum has no remainder).
#[inline]
pub(crate) fn exact_sum(a: f64, b: f64) -> Option<f64> {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    ((a - a_part) + (b - b_part) == 0.0).then_some(sum)
}

impl Form {
    pub(crate) fn zero() -> Self {
        Self::default()
    }

    pub(crate) fn constant(value: f64) -> Self {
        Self::monomial((0, 0), value)
    }

    pub(crate) fn atom(atom: Atom) -> Self {
        Self::monomial((0, atom), 1.0)
    }

    pub(crate) fn monomial(monomial: Monomial, coefficient: f64) -> Self {
        debug_assert!(monomial.0 <= monomial.1);
        let terms = if coefficient == 0.0 {
            smallvec![]
        } else {
            smallvec![(monomial, coefficient)]
        };
        Self { terms }
    }

    pub(crate) fn terms(&self) -> &[(Monomial, f64)] {
        &self.terms
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.terms.is_empty()
    }

    /// The value of a form without atoms.
    pub(crate) fn as_constant(&self) -> Option<f64> {
        match self.terms[..] {
            [] => Some(0.0),
            [((0, 0), value)] => Some(value),
            _ => None,
        }
    }

    /// The atom that the form is.
    pub(crate) fn as_atom(&self) -> Option<Atom> {
        match self.terms[..] {
            [((0, atom), 1.0)] if atom != 0 => Some(atom),
            _ => None,
        }
    }

    /// The coefficient of a monomial.
    pub(crate) fn coefficient(&self, monomial: Monomial) -> f64 {
        self.terms
            .binary_search_by_key(&monomial, |t| t.0)
            .map_or(0.0, |at| self.terms[at].1)
    }

    /// Its atoms, some perhaps twice.
    pub(crate) fn atoms(&self) -> impl Iterator<Item = Atom> + '_ {
        self.terms
            .iter()
            .flat_map(|&((a, b), _)| [a, b])
            .filter(|&atom| atom != 0)
    }

    /// `self + factor * other`, if every coefficient of it is a number.
    pub(crate) fn plus(&self, factor: f64, other: &Self) -> Option<Self> {
        let mut sum = self.clone();
        sum.add(factor, other).then_some(sum)
    }

    /// Adds `factor * other`; `false`, and a form of no use, if a coefficient would be rounded.
    #[must_use]
    pub(crate) fn add(&mut self, factor: f64, other: &Self) -> bool {
        self.combine(factor, other, exact_product, exact_sum)
    }

    /// `self + factor * other` with rounded coefficients.
    pub(crate) fn about_plus(&self, factor: f64, other: &Self) -> Self {
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
        for &(monomial, coefficient) in &other.terms {
            let Some(term) = product(factor, coefficient) else {
                return false;
            };
            match self.terms.binary_search_by_key(&monomial, |t| t.0) {
                Ok(at) => match sum(self.terms[at].1, term) {
                    Some(0.0) => drop(self.terms.remove(at)),
                    Some(sum) => self.terms[at].1 = sum,
                    None => return false,
                },
                Err(at) if term != 0.0 => self.terms.insert(at, (monomial, term)),
                Err(_) => {}
            }
        }
        true
    }

    /// The product of two forms, if its degree is at most 2 and every coefficient a number.
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

/// What is known of a number: it lies within bounds, and is a multiple of `2^grain`.
///
/// A float that is not zero and at least `2^e` in magnitude is a multiple of `2^(e - 52)`, so every number that is
/// computed has a grain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    pub(crate) grain: i32,
}

/// Of zero, a multiple of everything.
const COARSE: i32 = 2_000;

/// `2^exponent`, infinite or zero beyond the floats.
pub(crate) fn power(exponent: i32) -> f64 {
    match exponent {
        1024.. => f64::INFINITY,
        -1022..1024 => f64::from_bits(((exponent + 1023) as u64) << 52),
        _ => 0.0,
    }
}

/// The greatest e for which a number is a multiple of 2^e.
pub(crate) fn grain(number: f64) -> i32 {
    if number == 0.0 {
        return COARSE;
    }
    let bits = number.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let mantissa = bits & ((1 << 52) - 1);
    match exponent {
        0 => -1074 + mantissa.trailing_zeros() as i32,
        _ => exponent - 1075 + (mantissa | 1 << 52).trailing_zeros() as i32,
    }
}

/// Whether a number is a power of two, or minus one; times such a number, no number is rounded.
pub(crate) fn is_power(number: f64) -> bool {
    number != 0.0 && power(grain(number)) == number.abs()
}

impl Range {
    /// The bounds are moved inwards to multiples of `2^grain`.
    pub(crate) fn new(lo: f64, hi: f64, grain: i32) -> Self {
        let (mut lo, mut hi) = (lo, hi);
        let unit = power(grain);
        if grain >= 1024 {
            (lo, hi) = (0.0, 0.0);
        } else if unit > 0.0 {
            let inwards = |number: f64, round: fn(f64) -> f64| {
                let units = number / unit;
                if units.abs() < power(52) {
                    round(units) * unit
                } else {
                    number
                }
            };
            (lo, hi) = (inwards(lo, f64::ceil), inwards(hi, f64::floor));
        }
        Self { lo, hi, grain }
    }

    pub(crate) fn of(number: f64) -> Self {
        Self {
            lo: number,
            hi: number,
            grain: grain(number),
        }
    }

    /// The greatest magnitude.
    pub(crate) fn size(&self) -> f64 {
        self.lo.abs().max(self.hi.abs())
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            lo: self.lo.min(other.lo),
            hi: self.hi.max(other.hi),
            grain: self.grain.min(other.grain),
        }
    }

    pub(crate) fn scaled(self, factor: f64) -> Self {
        let (a, b) = (self.lo * factor, self.hi * factor);
        Self {
            lo: a.min(b),
            hi: a.max(b),
            grain: self.grain.saturating_add(grain(factor)),
        }
    }

    /// The bounds of a product.
    pub(crate) fn times(self, other: Self) -> Self {
        let products = [
            self.lo * other.lo,
            self.lo * other.hi,
            self.hi * other.lo,
            self.hi * other.hi,
        ];
        Self {
            lo: products.into_iter().fold(f64::INFINITY, f64::min),
            hi: products.into_iter().fold(f64::NEG_INFINITY, f64::max),
            grain: self.grain.saturating_add(other.grain),
        }
    }

    /// The bounds of a square.
    pub(crate) fn squared(self) -> Self {
        let (a, b) = (self.lo * self.lo, self.hi * self.hi);
        let least = if self.lo <= 0.0 && self.hi >= 0.0 {
            0.0
        } else {
            a.min(b)
        };
        Self {
            lo: least,
            hi: a.max(b),
            grain: self.grain.saturating_mul(2),
        }
    }

    /// Bounds moved outwards by what rounding may have done to sums of numbers of a total magnitude.
    pub(crate) fn widened(self, magnitude: f64) -> Self {
        let slack = magnitude * power(-44);
        Self {
            lo: self.lo - slack,
            hi: self.hi + slack,
            grain: self.grain,
        }
    }
}

/// Whether sums of multiples of `2^grain`, of magnitudes that add up to `mass`, are computed without rounding in any
/// order.
pub(crate) fn is_exact(mass: f64, grain: i32) -> bool {
    mass <= power(grain.saturating_add(53).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grains() {
        for (number, expected) in [
            (1.0, 0),
            (12.0, 2),
            (0.75, -2),
            (-3.0 * power(945), 945),
            (5e-324, -1074),
        ] {
            assert_eq!(grain(number), expected, "{number}");
            let units = number / power(expected.max(-1022));
            assert!(units == units.round() || expected < -1022);
        }
        assert_eq!(grain(0.0), COARSE);
    }

    #[test]
    fn products_and_cancellation() {
        let [x, y] = [Form::atom(1), Form::atom(2)];
        let sum = x.plus(1.0, &y).unwrap();
        let difference = x.plus(-1.0, &y).unwrap();
        let product = sum.times(&difference).unwrap();
        assert_eq!(product.terms(), [((1, 1), 1.0), ((2, 2), -1.0)]);
        assert!(product.times(&x).is_none());
        assert!(product.plus(-1.0, &product).unwrap().is_zero());
        let three = Form::constant(3.0);
        assert_eq!(product.times(&three), Form::zero().plus(3.0, &product));
        assert!(
            Form::constant(1e16)
                .plus(1.0, &Form::constant(1.0))
                .is_none()
        );
        assert!(Form::constant(0.1).times(&Form::constant(0.1)).is_none());
    }

    #[test]
    fn ranges_are_moved_to_multiples() {
        let range = Range::new(-1.5, 2.9, 0);
        assert_eq!((range.lo, range.hi), (-1.0, 2.0));
        assert_eq!(Range::new(-3.0, 2.0, 0).squared(), Range::new(0.0, 9.0, 0));
        assert_eq!(
            Range::new(-3.0, 2.0, 0).times(Range::new(-1.0, 4.0, 1)),
            Range::new(-12.0, 8.0, 1)
        );
    }
}
