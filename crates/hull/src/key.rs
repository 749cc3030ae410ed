//! Keys of either dimension: what indexes need of a [`Point`] or a [`Point3`].

use core::cmp::Ordering;
use core::fmt::Debug;

use crate::exact::FILTER;
use crate::point3::FILTER3;
use crate::{Error, Point, Point3, compare_scores, compare_scores3};

/// A key of two or three dimensions, or the direction of a query. [`Point`] and [`Point3`]
/// implement it, and no other type can.
pub trait Key: Copy + Debug + Default + PartialEq + sealed::Sealed {
    /// The number of coordinates.
    const DIMENSION: usize;

    /// A bound of the relative rounding error of a score, or of a difference of two scores, in
    /// units of the sum of its terms' magnitudes.
    const ERROR: f64;

    /// The coordinates, and 0 for those that the key does not have.
    fn axes(self) -> [f64; 3];

    /// The key of these coordinates, without those that it does not have.
    fn from_axes(axes: [f64; 3]) -> Self;

    /// The key itself, with `-0.0` replaced by `0.0`.
    ///
    /// # Errors
    /// If a coordinate is out of the [domain](Point::in_domain).
    fn checked(self) -> Result<Self, Error>;

    /// Compares the scores of two keys with this query exactly.
    fn compare(self, a: Self, b: Self) -> Ordering;
}

mod sealed {
    /// Keeps other crates from implementing the trait.
    pub trait Sealed {}
    impl Sealed for crate::Point {}
    impl Sealed for crate::Point3 {}
}

impl Key for Point {
    const DIMENSION: usize = 2;
    const ERROR: f64 = FILTER;

    #[inline]
    fn axes(self) -> [f64; 3] {
        [self.x, self.y, 0.0]
    }

    #[inline]
    fn from_axes([x, y, _]: [f64; 3]) -> Self {
        Self { x, y }
    }

    #[inline]
    fn checked(self) -> Result<Self, Error> {
        Self::checked(self)
    }

    #[inline]
    fn compare(self, a: Self, b: Self) -> Ordering {
        compare_scores(self, a, b)
    }
}

impl Key for Point3 {
    const DIMENSION: usize = 3;
    const ERROR: f64 = FILTER3;

    #[inline]
    fn axes(self) -> [f64; 3] {
        [self.x, self.y, self.z]
    }

    #[inline]
    fn from_axes([x, y, z]: [f64; 3]) -> Self {
        Self { x, y, z }
    }

    #[inline]
    fn checked(self) -> Result<Self, Error> {
        Self::checked(self)
    }

    #[inline]
    fn compare(self, a: Self, b: Self) -> Ordering {
        compare_scores3(self, a, b)
    }
}
