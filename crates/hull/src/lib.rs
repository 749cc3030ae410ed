//! Extreme-point indexes for attention over two- and three-dimensional keys.
//!
//! Hard-max attention over two-dimensional keys finds, for a query `q`, the keys `k` of greatest
//! score `q·k = q.x * k.x + q.y * k.y`. Geometrically that is the *supporting point* of the keys'
//! convex hull in the direction `q`. A scan finds it in `O(n)`, a hull in `O(log n)`; nested hulls
//! find the best few keys, and so softmax over them. This crate provides those indexes, and a scan
//! to check them against. It knows nothing of tokens, heads, layers or weights.
//!
//! <div style="max-width: 24em">
#![doc = include_str!("../doc/layers.svg")]
//! </div>
//!
//! Keys, their nested hulls, a query and its six best keys (`cargo run --example draw` draws it).
//! The best key is where the line normal to `q` leaves the outermost hull; the j-th best lies on
//! one of the first j hulls.
//!
//! # The tie rule
//!
//! The winners of a query are *all* keys whose score is the greatest, compared **exactly** over the
//! given `f64` numbers, not over rounded products; the answer is the average of the winners'
//! values. So keys *on* an edge of the hull tie for the query normal to that edge, keys at the same
//! point always tie, and for the query `(0, 0)` all keys tie.
//!
//! # Overview
//!
//! | type | purpose | push | query | bytes per key |
//! |---|---|---|---|---|
//! | [`HullIndex`] | geometry only: points in, *slots* of winners out | `O(log n)`, in order of x `O(1)` | `O(log n)`, near the last answer `O(1)` | 17 to 21 per vertex, twice that at most, 0 to 2 in progressions |
//! | [`HullCache`] | keys with values of `N` components, a [`KeyValueIndex`] | as above | as above | `16 N + 8` more |
//! | [`Layers`] | ids of the `k` best keys, `k` up to `L` | `O(L log n)` amortised | `O(k + log n)` to `O(k log n)` | 16 to 20 per key kept |
//! | [`SparseCache`] | softmax over the `k` best keys, with a bound of what it misses | as above | as above | `16 + 8 N` more |
//! | [`SparseCache3`] | the same in three dimensions | as below | as below, times `k` at worst | `24 + 8 N` more |
//! | [`Index3`] | ids of the winners, and of the `k` best keys, in three dimensions | `O(log² n)` amortised | about `O(√n)` on a surface | 40 |
//! | [`LinearIndex`], [`LinearCache`] | the oracle: a scan | `O(1)` | `O(n)` | 16, and `8 N` |
//! | [`ExactSum`] | sums that do not depend on the order of their terms | | | |
//! | [`compare_scores`], [`compare_scores3`] | the exact comparisons that all others rest on | | | |
//!
//! All indexes accept keys in any order and queries in any direction, and only grow; a
//! [`SparseCache`] can take back the latest keys. A clone is a snapshot. The caller keeps payloads
//! of any kind in arrays by slot or by id; several sets of payloads can share one index.
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
//!
//! let snapshot = cache.clone();
//! cache.push(Point::new(84.0, 0.0), [0.0, 0.0])?;
//! assert_eq!((snapshot.len(), cache.len()), (100, 101));
//! # Ok::<(), weightware_hull::Error>(())
//! ```
//!
//! # Domain
//!
//! Every coordinate of a key or a query is zero or has a magnitude in [`MIN_MAGNITUDE`]`..=`
//! [`MAX_MAGNITUDE`], so that no intermediate product overflows or underflows and "exactly" holds
//! without exception. Any other coordinate, NaN and infinities too, is refused with an [`Error`].
//!
//! # Without the standard library
//!
//! The crate is `no_std` with `alloc`, and has no `unsafe` code. Its dependencies are `robust`, for
//! orientations, `libm`, and `pulp`, which picks the widest vector instructions of the processor
//! for scans. The feature `std`, on by default, lets the standard library detect them; without it
//! `pulp` reads the processor's identification itself.

#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod best;
mod blocks;
mod cache;
mod chain;
mod columns;
mod edges;
mod error;
mod exact;
mod exponential;
mod hull;
mod interior_box;
mod key;
mod layers;
mod linear;
mod merge;
mod nested;
mod packed_slots;
mod point;
mod point3;
mod points;
mod progression;
mod progression_only;
#[cfg(test)]
mod random;
mod ranges;
mod rank;
mod search;
mod simd;
mod sketch;
mod slots;
mod solid;
mod sparse;
mod sum;

pub use cache::{HullCache, KeyValueIndex, LinearCache};
pub use error::Error;
pub use exact::{compare_scores, exact_sum, last_bit, two_sum};
pub use hull::{Hint, HullIndex, Inserted};
pub use key::Key;
pub use layers::{Layers, Top};
pub use linear::LinearIndex;
pub use merge::Winners;
pub use merge::{Merge, Merges, Tied};
pub use nested::{Indexed, Ranking};
pub use point::{MAX_MAGNITUDE, MIN_MAGNITUDE, Point};
pub use point3::{Point3, compare_scores3};
pub use rank::Found;
pub use solid::{Index3, Top3};
pub use sparse::{Attention, Budget, Method, SparseCache, SparseCache3, WINDOW};
pub use sum::ExactSum;

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
