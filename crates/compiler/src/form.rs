//! Linear forms over dimensions, with integer coefficients.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// A named direction of the residual stream, before it has a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dim(pub(crate) u32);

impl Dim {
    /// The dimension's index in the graph, in order of creation.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A linear form: a sum of dimensions with integer coefficients. Heads and neurons read only linear
/// forms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinearForm {
    /// Sorted by dimension, no coefficient zero.
    terms: Vec<(Dim, i64)>,
}

impl LinearForm {
    /// The form that is always zero.
    #[must_use]
    pub const fn zero() -> Self {
        Self { terms: Vec::new() }
    }

    /// The dimensions and their coefficients, sorted by dimension.
    #[must_use]
    pub fn terms(&self) -> &[(Dim, i64)] {
        &self.terms
    }

    /// Whether the form is zero for any values of its dimensions.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.terms.is_empty()
    }
}

impl From<Dim> for LinearForm {
    fn from(dim: Dim) -> Self {
        Self {
            terms: vec![(dim, 1)],
        }
    }
}

impl<F: Into<LinearForm>> AddAssign<F> for LinearForm {
    fn add_assign(&mut self, other: F) {
        for (dim, coefficient) in other.into().terms {
            match self.terms.binary_search_by_key(&dim, |&(dim, _)| dim) {
                Ok(at) if self.terms[at].1 == -coefficient => drop(self.terms.remove(at)),
                Ok(at) => self.terms[at].1 += coefficient,
                Err(at) => self.terms.insert(at, (dim, coefficient)),
            }
        }
    }
}

impl Mul<i64> for LinearForm {
    type Output = LinearForm;
    fn mul(mut self, factor: i64) -> LinearForm {
        if factor == 0 {
            return LinearForm::zero();
        }
        self.terms
            .iter_mut()
            .for_each(|(_, coefficient)| *coefficient *= factor);
        self
    }
}

impl Mul<i64> for Dim {
    type Output = LinearForm;
    fn mul(self, factor: i64) -> LinearForm {
        LinearForm::from(self) * factor
    }
}

macro_rules! sums {
    ($($type:ty)*) => {$(
        impl<F: Into<LinearForm>> Add<F> for $type {
            type Output = LinearForm;
            fn add(self, other: F) -> LinearForm {
                let mut sum = LinearForm::from(self);
                sum += other;
                sum
            }
        }

        impl<F: Into<LinearForm>> Sub<F> for $type {
            type Output = LinearForm;
            fn sub(self, other: F) -> LinearForm {
                self + other.into() * -1
            }
        }

        impl Neg for $type {
            type Output = LinearForm;
            fn neg(self) -> LinearForm {
                self * -1
            }
        }
    )*};
}
sums!(Dim LinearForm);
