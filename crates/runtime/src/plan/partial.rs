//! Sums, followed operation by operation.

use super::form::Form;
use super::range::{Range, is_exact, is_power, power};

/// What is known of a sum while it is added up.
pub(crate) struct Partial {
    pub(crate) range: Range,
    /// Whether nothing was rounded.
    pub(crate) exact: bool,
    /// An exact form that it is close to, and how close.
    pub(crate) close: Option<(Form, f64)>,
}

impl Partial {
    pub(crate) fn zero() -> Self {
        Self {
            range: Range::of(0.0),
            exact: true,
            close: Some((Form::zero(), 0.0)),
        }
    }

    pub(crate) fn add_product(&mut self, weight: f64, number: Range, close: Option<(Form, f64)>) {
        let product = number.scaled(weight);
        let rounds = !is_power(weight) && !is_exact(product.size(), product.grain);
        let off = if rounds {
            product.size() * power(-53)
        } else {
            0.0
        };
        let close = close.and_then(|(close, error)| {
            Some((
                Form::zero().plus(weight, &close)?,
                (error * weight.abs() + off) * (1.0 + power(-20)),
            ))
        });
        self.exact &= !rounds;
        self.add_to(product, close);
    }

    /// Adds a number. Rounding is monotonic, so the same operation on bounds gives bounds.
    pub(crate) fn add_to(&mut self, number: Range, close: Option<(Form, f64)>) {
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
        let off = if rounds { size * power(-53) } else { 0.0 };
        self.close = match (self.close.take(), close) {
            (Some((sum, error)), Some((term, other))) => sum
                .plus(1.0, &term)
                .map(|sum| (sum, (error + other + off) * (1.0 + power(-20)))),
            _ => None,
        };
        self.exact &= !rounds;
        self.range = Range { lo, hi, grain };
    }
}
