//! The crate's one error type.

use alloc::boxed::Box;

use crate::Point;
use core::fmt;

/// The reason for which a key, a value or a query was refused. A refused call changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// Boxed, so that results are small.
    kind: Box<Kind>,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Domain(Point),
    Coordinate(f64),
    Value(f64),
    Empty,
    Full,
    Budget,
}

impl Error {
    #[cold]
    pub(crate) fn domain(point: Point) -> Self {
        Self {
            kind: Box::new(Kind::Domain(point)),
        }
    }

    #[cold]
    pub(crate) fn coordinate(coordinate: f64) -> Self {
        Self {
            kind: Box::new(Kind::Coordinate(coordinate)),
        }
    }

    #[cold]
    pub(crate) fn value(value: f64) -> Self {
        Self {
            kind: Box::new(Kind::Value(value)),
        }
    }

    #[cold]
    pub(crate) fn empty() -> Self {
        Self {
            kind: Box::new(Kind::Empty),
        }
    }

    #[cold]
    pub(crate) fn full() -> Self {
        Self {
            kind: Box::new(Kind::Full),
        }
    }

    #[cold]
    pub(crate) fn budget() -> Self {
        Self {
            kind: Box::new(Kind::Budget),
        }
    }

    /// A coordinate or a value is not finite, too large, or too small to be exact.
    pub fn is_out_of_domain(&self) -> bool {
        matches!(
            *self.kind,
            Kind::Domain(_) | Kind::Coordinate(_) | Kind::Value(_)
        )
    }

    /// The key or query of two dimensions that is out of the domain, if that is the error.
    pub fn point(&self) -> Option<Point> {
        match *self.kind {
            Kind::Domain(point) => Some(point),
            _ => None,
        }
    }

    /// A query needed an average and the cache holds no keys.
    pub fn is_empty_cache(&self) -> bool {
        *self.kind == Kind::Empty
    }

    /// The budget of a query allows no key, or a share of the probability that is NaN or below 0.
    pub fn is_budget(&self) -> bool {
        *self.kind == Kind::Budget
    }

    /// The 2³² numbers for points are used up.
    pub fn is_full(&self) -> bool {
        *self.kind == Kind::Full
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.kind {
            Kind::Domain(Point { x, y }) => write!(
                f,
                "point ({x:e}, {y:e}): a coordinate is neither zero nor of a magnitude from 2^-400 to 2^400"
            ),
            Kind::Coordinate(v) => write!(
                f,
                "coordinate {v:e}: neither zero nor of a magnitude from 2^-400 to 2^400"
            ),
            Kind::Value(value) => {
                write!(f, "value {value:e}: not finite or above 2^900 in magnitude")
            }
            Kind::Empty => f.write_str("a query on a cache that holds no keys"),
            Kind::Budget => f.write_str(
                "the budget of a query: no keys, or a share that is NaN or below 0; allow at least 1 key, or a share of at least 0",
            ),
            Kind::Full => f.write_str("an index holds at most 2^32 - 1 points"),
        }
    }
}

impl core::error::Error for Error {}
