//! Exact floating-point sums, which do not depend on the order of their terms.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::exact::{grow, two_product, two_sum};

/// Largest magnitude of a term of an [`ExactSum`], `2^900`: 2^64 of them do not overflow.
pub(crate) const MAX_TERM: f64 = f64::from_bits((1023 + 900) << 52);

/// The exact sum of `f64` terms, rounded only when it is read.
///
/// The sum is kept as a floating-point expansion. So neither the order of the terms nor the order
/// in which partial sums are [merged](ExactSum::merge) changes a bit of the result. While the sum
/// is itself a floating-point number (integers up to 2^53 in magnitude, say) it takes 16 bytes and
/// [`ExactSum::add`] takes a few flops; only otherwise does it allocate.
///
/// Terms must be finite and at most `2^900` in magnitude. [`ExactSum::mean`] is exact as documented
/// unless the sum's last bit is below `2^-1022`.
///
/// When not to use it: where values are integers whose sums stay below 2^53, a plain `f64` gives
/// the same result in half the space.
///
/// ```
/// use weightware_hull::ExactSum;
///
/// let sum: ExactSum = [1e100, 1.0, -1e100, 2.0].into_iter().collect();
/// assert_eq!(sum.value(), 3.0);
/// assert_eq!(sum.mean(2), 1.5);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ExactSum {
    /// The largest part of the expansion.
    hi: f64,
    /// The other parts, ascending. Boxed, because most sums have none.
    tail: Option<Box<Tail>>,
}

#[derive(Clone, Debug, Default)]
struct Tail(Vec<f64>);

impl ExactSum {
    /// The empty sum, zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a term.
    #[inline]
    pub fn add(&mut self, term: f64) {
        debug_assert!(term.abs() <= MAX_TERM, "a term of {term:e}");
        let (s, e) = two_sum(self.hi, term);
        if e == 0.0 && self.tail.is_none() {
            self.hi = s;
        } else {
            self.add_to_expansion(term);
        }
    }

    #[cold]
    fn add_to_expansion(&mut self, term: f64) {
        let Tail(parts) = &mut **self.tail.get_or_insert_default();
        if self.hi != 0.0 {
            parts.push(self.hi);
        }
        let len = parts.len();
        parts.push(0.0);
        let len = grow(parts, len, term);
        parts.truncate(len);
        self.hi = parts.pop().unwrap_or(0.0);
    }

    /// Adds all terms of another sum.
    #[inline]
    pub fn merge(&mut self, other: &ExactSum) {
        self.add(other.hi);
        if let Some(tail) = &other.tail {
            for &part in &tail.0 {
                self.add(part);
            }
        }
    }

    /// The sum, rounded once, to nearest even. A sum of zero is `+0.0`.
    pub fn value(&self) -> f64 {
        match &self.tail {
            None => self.hi + 0.0,
            Some(tail) => round(&tail.0, self.hi),
        }
    }

    /// The sum divided by `count`, a function of the exact sum alone.
    ///
    /// It is the correctly rounded quotient whenever the sum is a floating-point number; otherwise
    /// the quotient of about twice the precision, rounded to one `f64`.
    ///
    /// # Panics
    /// If `count` is 0 or above 2^53.
    pub fn mean(&self, count: u64) -> f64 {
        assert!(
            count > 0 && count <= 1 << f64::MANTISSA_DIGITS,
            "the mean of {count} terms"
        );
        let n = count as f64;
        if self.tail.is_none() {
            return self.hi / n + 0.0;
        }
        let sum = self.value();
        let quotient = sum / n;
        if self.less(&[sum]) == 0.0 {
            return quotient + 0.0;
        }
        let (p, e) = two_product(quotient, n);
        quotient + self.less(&[p, e]) / n
    }

    /// The sum minus the terms, rounded once.
    fn less(&self, terms: &[f64]) -> f64 {
        let mut rest = self.clone();
        for term in terms {
            rest.add_to_expansion(-term);
        }
        rest.value()
    }
}

impl Extend<f64> for ExactSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, terms: I) {
        for term in terms {
            self.add(term);
        }
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::new();
        sum.extend(terms);
        sum
    }
}

/// Rounds the expansion `tail`, `hi` to nearest even.
fn round(tail: &[f64], hi: f64) -> f64 {
    let mut hi = hi;
    let mut low = 0.0;
    let mut parts = tail.iter().rev();
    for &part in parts.by_ref() {
        (hi, low) = two_sum(hi, part);
        if low != 0.0 {
            break;
        }
    }
    // `hi` is the sum of the parts seen, rounded to even. If that was a tie, the sign of the next
    // part decides; it was a tie if the doubled error can be added without error.
    if let Some(&next) = parts.next()
        && (next > 0.0) == (low > 0.0)
    {
        let doubled = 2.0 * low;
        let (up, error) = two_sum(hi, doubled);
        if error == 0.0 {
            hi = up;
        }
    }
    hi + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn sum(terms: &[f64]) -> ExactSum {
        terms.iter().copied().collect()
    }

    #[test]
    fn rounds_once_and_to_even() {
        let ulp = f64::EPSILON;
        assert_eq!(sum(&[1.0, ulp / 2.0]).value(), 1.0);
        assert_eq!(sum(&[1.0, ulp / 2.0, 1e-200]).value(), 1.0 + ulp);
        assert_eq!(sum(&[1.0, ulp / 2.0, -1e-200]).value(), 1.0);
        assert_eq!(sum(&[1.0 + ulp, ulp / 2.0]).value(), 1.0 + 2.0 * ulp);
        assert_eq!(sum(&[1.0 + ulp, ulp / 2.0, -1e-200]).value(), 1.0 + ulp);
        assert_eq!(sum(&[-0.0]).value().to_bits(), 0);
        assert_eq!(sum(&[-0.0]).mean(3).to_bits(), 0);
        assert_eq!(sum(&[1e250, 1e-250, -1e250, -1e-250]).mean(4).to_bits(), 0);
    }

    #[test]
    fn order_and_grouping_do_not_matter() {
        let mut random = Random::new(7);
        let terms: Vec<f64> = (0..200)
            .map(|_| {
                let state = random.state();
                let exponent = (state >> 58) as i32 * 4 - 128;
                (state as i64 as f64) * 2f64.powi(exponent)
            })
            .collect();
        let forward = sum(&terms);
        let backward: ExactSum = terms.iter().rev().copied().collect();
        let mut grouped = ExactSum::new();
        for group in terms.chunks(7).rev() {
            grouped.merge(&sum(group));
        }
        for count in [1, 2, 3, 200, 12_345] {
            assert_eq!(forward.mean(count), backward.mean(count));
            assert_eq!(forward.mean(count), grouped.mean(count));
        }
        assert_eq!(forward.value(), forward.mean(1));
    }

    #[test]
    fn a_sum_that_is_a_number_again_has_the_correctly_rounded_mean() {
        let mut s = sum(&[1e100, 1.0, 0.1]);
        s.add(-1e100);
        s.add(-0.1);
        assert_eq!(s.mean(3), 1.0 / 3.0);
        // The low part of the sum reaches the quotient.
        assert_eq!(sum(&[2f64.powi(60), 3.0, -2f64.powi(60)]).mean(2), 1.5);
        assert_eq!(sum(&[3e16, 1.0]).mean(1_000), (3e16 + 1.0) / 1_000.0);
    }
}
