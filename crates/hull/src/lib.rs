//! Two-dimensional extreme-point indexes for hard-max attention.
//!
//! Hard-max attention over two-dimensional keys asks, for a query `q`, which keys `k` have the
//! greatest score `q·k = q.x * k.x + q.y * k.y`. Geometrically that is the *supporting point* of
//! the keys' convex hull in the direction `q`, so a hull answers in `O(log n)` what a scan answers
//! in `O(n)`. This crate is that index, and a scan to check it against. It knows nothing of tokens,
//! heads, layers or weights.
//!
//! # The tie rule
//!
//! The winners of a query are *all* keys whose score is the greatest, compared **exactly** over the
//! `f64` numbers given, not over rounded products; the answer is the average of the winners'
//! values. So keys *on* an edge of the hull tie for the query normal to that edge, keys at the same
//! point always tie, and for the query `(0, 0)` all keys tie.
//!
//! # Layers
//!
//! | type | what it is |
//! |---|---|
//! | [`compare_scores`] | the exact comparison everything else rests on |
//! | [`LinearIndex`] | the oracle: a scan |
//! | [`HullIndex`] | geometry only: points in, *slot* numbers of distinct winning points out |
//! | [`ExactSum`] | sums that do not depend on the order of their terms |
//! | [`HullCache`], [`LinearCache`] | keys and values together, behind [`KeyValueIndex`] |
//!
//! Several sets of values under the same keys share one [`HullIndex`] and keep arrays by slot of
//! their own; a single set is served by [`HullCache`].
//!
//! ```
//! use weightware_hull::{HullCache, KeyValueIndex, Point};
//!
//! // The key (2t, -t²) is nearest to the query (x, 1) when t is nearest to x.
//! let mut cache = HullCache::new();
//! for t in 0..100 {
//!     let t = f64::from(t);
//!     cache.push(Point::new(2.0 * t, -t * t), [10.0 * t, 1.0])?;
//! }
//! assert_eq!(cache.query(Point::new(42.0, 1.0))?, [420.0, 1.0]);
//! // Half way between two keys both win, and the answer is their average.
//! assert_eq!(cache.query(Point::new(42.5, 1.0))?, [425.0, 1.0]);
//! # Ok::<(), weightware_hull::Error>(())
//! ```
//!
//! # Domain
//!
//! Every coordinate of a key or a query is zero or has a magnitude in [`MIN_MAGNITUDE`]`..=`
//! [`MAX_MAGNITUDE`], so that no intermediate product overflows or underflows and "exactly" holds
//! without exception. Anything else is refused with an [`Error`].

#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod blocks;
mod cache;
mod chain;
mod edges;
mod error;
mod exact;
mod hull;
mod layers;
mod linear;
mod merge;
mod numbers;
mod point;
mod rank;
mod search;
mod slots;
mod solid;
mod sparse;
mod sum;

pub use cache::{HullCache, KeyValueIndex, LinearCache};
pub use error::Error;
pub use exact::compare_scores;
pub use hull::{Hint, HullIndex, Inserted, Winners};
pub use layers::{Found, Layers, Top};
pub use linear::LinearIndex;
pub use merge::{Merge, Merges, Tied};
pub use point::{MAX_MAGNITUDE, MIN_MAGNITUDE, Point};
pub use solid::{Index3, Point3, compare_scores3};
pub use sparse::{Attention, SparseCache};
pub use sum::ExactSum;

/// The examples of the README run, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
