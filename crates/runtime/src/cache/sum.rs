//! Sums without rounding errors.

/// The rounded sum of two numbers, and what rounding took away (Knuth).
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

/// The sum of two numbers if it is exact, else NaN; NaN stays NaN.
pub(crate) fn exact_sum(a: f64, b: f64) -> f64 {
    let (sum, error) = two_sum(a, b);
    if error == 0.0 { sum } else { f64::NAN }
}

/// A sum of any number of terms, exact until it is read (Shewchuk's growing expansion).
#[derive(Debug, Default)]
pub(crate) struct ExactSum {
    /// Parts that do not overlap, of increasing magnitude.
    parts: Vec<f64>,
}

impl ExactSum {
    pub(crate) fn clear(&mut self) {
        self.parts.clear();
    }

    pub(crate) fn add(&mut self, mut term: f64) {
        let mut kept = 0;
        for i in 0..self.parts.len() {
            let (sum, error) = two_sum(term, self.parts[i]);
            if error != 0.0 {
                self.parts[kept] = error;
                kept += 1;
            }
            term = sum;
        }
        self.parts.truncate(kept);
        self.parts.push(term);
    }

    /// The sum, rounded once to the nearest, ties to even.
    pub(crate) fn rounded(&self) -> f64 {
        let mut parts = self.parts.iter().rev();
        let mut sum = parts.next().copied().unwrap_or(0.0);
        let mut error = 0.0;
        for &part in parts.by_ref() {
            (sum, error) = two_sum(sum, part);
            if error != 0.0 {
                break;
            }
        }
        // Halfway between two numbers the next part decides.
        if let Some(&next) = parts.next()
            && ((error < 0.0 && next < 0.0) || (error > 0.0 && next > 0.0))
        {
            let twice = 2.0 * error;
            let moved = sum + twice;
            if moved - sum == twice {
                sum = moved;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_rounded_once() {
        let mut sum = ExactSum::default();
        for term in [1e16, 1.0, 1.0, -1e16, 1e-20] {
            sum.add(term);
        }
        assert_eq!(sum.rounded(), 2.0);
        sum.clear();
        // 2^53 + 1 is halfway; the tiny part pulls it up.
        for term in [9_007_199_254_740_992.0, 1.0, 1e-30] {
            sum.add(term);
        }
        assert_eq!(sum.rounded(), 9_007_199_254_740_994.0);
    }

    #[test]
    fn an_inexact_sum_is_no_number() {
        assert_eq!(exact_sum(1.5, 2.25), 3.75);
        assert!(exact_sum(1e16, 1.0).is_nan());
        assert!(exact_sum(f64::NAN, 1.0).is_nan());
    }
}
