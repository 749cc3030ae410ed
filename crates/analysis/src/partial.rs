//! Sums, followed operation by operation.

use crate::form::Form;
use crate::range::{Range, is_exact, power};

/// Bounds of a sum while it is added up.
pub(crate) struct Bounds {
    /// Of what was added up so far.
    pub(crate) range: Range,
    /// Whether nothing was rounded.
    pub(crate) exact: bool,
}

impl Bounds {
    /// Of no terms.
    pub(crate) fn zero() -> Self {
        Self {
            range: Range::of(0.0),
            exact: true,
        }
    }

    /// Adds a product; tells what both operations may round off at most.
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

    /// Adds a number; tells what that may round off at most. Rounding is monotonic, so the same operation on bounds gives
    /// bounds.
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

/// What rounding to a number of at most a magnitude may take away: half of a unit in the last place, or, of numbers that are not
/// normal, less than the least of them.
fn rounding(size: f64) -> f64 {
    size * power(-53) + f64::from_bits(1)
}

/// An exact form that a sum is close to while it is added up.
pub(crate) struct Closeness {
    bounds: Bounds,
    /// The form, and how close.
    pub(crate) known: Option<(Form, f64)>,
}

impl Closeness {
    /// Of no terms.
    pub(crate) fn zero() -> Self {
        Self {
            bounds: Bounds::zero(),
            known: Some((Form::zero(), 0.0)),
        }
    }

    /// Adds a product; `close` tells what the number is close to.
    pub(crate) fn add_product(&mut self, weight: f64, number: Range, close: Option<(Form, f64)>) {
        let [product, sum] = self.bounds.add_product(weight, number);
        let close = close.and_then(|(close, error)| {
            Some((
                Form::zero().plus(weight, &close)?,
                (error * weight.abs() + product) * (1.0 + power(-20)),
            ))
        });
        self.add_close(sum, close);
    }

    /// Adds a number.
    pub(crate) fn add(&mut self, number: Range, close: Option<(Form, f64)>) {
        let sum = self.bounds.add(number);
        self.add_close(sum, close);
    }

    fn add_close(&mut self, off: f64, close: Option<(Form, f64)>) {
        self.known = match (self.known.take(), close) {
            (Some((sum, error)), Some((term, other))) => about(sum, &term)
                .map(|(sum, rounded)| (sum, (error + other + off + rounded) * (1.0 + power(-20)))),
            _ => None,
        };
    }
}

/// The sum of two forms, and by how much it is off: no coefficient is rounded but the constant.
fn about(sum: Form, term: &Form) -> Option<(Form, f64)> {
    if let Some(exact) = sum.plus(1.0, term) {
        return Some((exact, 0.0));
    }
    let constants = [&sum, term].map(|form| form.coefficient((0, 0)));
    let [sum, term] = [&sum, term].map(Form::without_constant);
    let constant = constants[0] + constants[1];
    let sum = sum.plus(1.0, &term)?.plus(1.0, &Form::constant(constant))?;
    Some((sum, rounding(constant.abs())))
}
