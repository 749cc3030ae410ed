//! The index that a cache of a dimension uses for its best few keys.

use core::fmt::Debug;

use crate::key::Key;
use crate::{Error, Found, Index3, Layers, Point, Point3, Top, Top3};

/// A key for which there is an index of the best few keys: [`Layers`] for [`Point`], [`Index3`] for
/// [`Point3`].
pub trait Indexed: Key {
    /// The index.
    type Index: Ranking<Self>;
}

impl Indexed for Point {
    type Index = Layers;
}

impl Indexed for Point3 {
    type Index = Index3;
}

/// An index that ranks keys.
pub trait Ranking<K>: Clone + Debug {
    /// The best keys of a query, best first, and buffers.
    type Top: Clone + Debug + Default;

    /// From this number of keys on the index pays off, for a push and a query of `limit` keys.
    ///
    /// A fit to where `hull` and `scan` meet in the tables of the example `sparse`, for a normal
    /// distribution (in three dimensions between that and a sphere).
    fn break_even(limit: usize) -> usize;

    /// An index without keys, for queries of up to `limit` keys.
    fn with_limit(limit: usize) -> Self;

    /// Adds a key, whose id is the number of keys so far.
    ///
    /// # Errors
    /// If the key is out of the domain, or all ids are taken.
    fn add(&mut self, key: K) -> Result<u32, Error>;

    /// Begins a query for `k` keys.
    ///
    /// # Errors
    /// If the query is out of the domain.
    fn begin(&self, q: K, k: usize, top: &mut Self::Top) -> Result<(), Error>;

    /// Continues the last query of `top` for more keys. The index must not have changed.
    fn extend(&self, k: usize, top: &mut Self::Top);

    /// The keys found.
    fn found(top: &Self::Top) -> &[Found<K>];

    /// How many vertices, or boxes and keys, the query has looked at.
    fn touched(top: &Self::Top) -> usize;

    /// How many times pushes have displaced keys, which makes them slow.
    fn displaced(&self) -> u64;

    /// The memory allocated, in bytes.
    fn bytes(&self) -> usize;
}

impl Ranking<Point> for Layers {
    type Top = Top;

    fn break_even(limit: usize) -> usize {
        4096 + 128 * limit.min(1 << 20)
    }

    fn with_limit(limit: usize) -> Self {
        Self::new(limit)
    }

    fn add(&mut self, key: Point) -> Result<u32, Error> {
        self.push(key)
    }

    fn begin(&self, q: Point, k: usize, top: &mut Top) -> Result<(), Error> {
        self.top(q, k, top)
    }

    fn extend(&self, k: usize, top: &mut Top) {
        self.more(k, top);
    }

    fn found(top: &Top) -> &[Found] {
        top
    }

    fn touched(top: &Top) -> usize {
        top.touched()
    }

    fn displaced(&self) -> u64 {
        self.moves()
    }

    fn bytes(&self) -> usize {
        self.heap_bytes()
    }
}

impl Ranking<Point3> for Index3 {
    type Top = Top3;

    fn break_even(limit: usize) -> usize {
        32_768 + 384 * limit.min(1 << 20)
    }

    fn with_limit(_: usize) -> Self {
        Self::new()
    }

    fn add(&mut self, key: Point3) -> Result<u32, Error> {
        self.push(key)
    }

    fn begin(&self, q: Point3, k: usize, top: &mut Top3) -> Result<(), Error> {
        self.top(q, k, top)
    }

    fn extend(&self, k: usize, top: &mut Top3) {
        self.more(k, top);
    }

    fn found(top: &Top3) -> &[Found<Point3>] {
        top
    }

    fn touched(top: &Top3) -> usize {
        top.touched()
    }

    fn displaced(&self) -> u64 {
        0
    }

    fn bytes(&self) -> usize {
        self.heap_bytes()
    }
}
