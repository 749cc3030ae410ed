//! Galloping search for the end of a prefix, from a guess.

/// The first index below `len` at which a predicate that holds for a prefix fails, else `len`. The
/// search gallops from `start` in steps that grow by a factor of four: a compromise between an
/// answer close by and one anywhere.
#[inline]
pub(crate) fn first_false(len: usize, start: usize, mut holds: impl FnMut(usize) -> bool) -> usize {
    // The answer is in low..=high.
    let (mut low, mut high) = (0, len);
    let mut step = 1;
    if start < len && holds(start) {
        low = start + 1;
        while low + step <= len {
            let i = low + step - 1;
            if !holds(i) {
                high = i;
                break;
            }
            low = i + 1;
            step *= 4;
        }
    } else {
        high = start.min(len);
        while high > 0 {
            let i = high.saturating_sub(step);
            if holds(i) {
                low = i + 1;
                break;
            }
            high = i;
            step *= 4;
        }
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The position of `target` between `from` and `to`, as an index from 0 to `last`: a guess by
/// linear interpolation. It is at most `last` for any numbers.
#[inline]
pub(crate) fn interpolate(from: f64, target: f64, to: f64, last: usize) -> usize {
    // The conversion saturates, and turns NaN into 0.
    let guess = (target - from) / (to - from) * last as f64;
    (guess as usize).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_false_from_anywhere() {
        for len in 0..40 {
            for answer in 0..=len {
                for start in 0..=len {
                    let found = first_false(len, start, |i| {
                        assert!(i < len);
                        i < answer
                    });
                    assert_eq!(found, answer);
                }
            }
        }
    }

    #[test]
    fn interpolation_stays_in_range() {
        assert_eq!(interpolate(0.0, 5.0, 10.0, 100), 50);
        for odd in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            assert!(interpolate(0.0, odd, 10.0, 100) <= 100);
            assert!(interpolate(odd, 1.0, odd, 100) <= 100);
        }
    }
}
