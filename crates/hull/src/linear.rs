//! The oracle of the indexes: a scan of all keys.

use alloc::vec::Vec;

use crate::rank::rank;
use crate::{Error, Found, Point, compare_scores};
use core::cmp::Ordering;

/// A list of points; every query is a scan. Slow, and evidently right.
///
/// Ids are consecutive from 0. `O(1)` per push, `O(n)` per query, 16 bytes per point.
///
/// ```
/// use weightware_hull::{LinearIndex, Point};
///
/// let mut index = LinearIndex::new();
/// for x in [3.0, 1.0, 3.0] {
///     index.push(Point::new(x, 0.0))?;
/// }
/// let mut ids = Vec::new();
/// index.winners(Point::new(1.0, 5.0), &mut ids)?;
/// assert_eq!(ids, [0, 2]);
/// # Ok::<(), weightware_hull::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct LinearIndex {
    points: Vec<Point>,
}

impl LinearIndex {
    /// An index without points.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a point and returns its id.
    ///
    /// # Errors
    /// If a coordinate is out of the [domain](Point::in_domain), or all 2^32 - 1 ids are taken.
    pub fn push(&mut self, point: Point) -> Result<u32, Error> {
        let point = point.checked()?;
        let id = u32::try_from(self.points.len())
            .ok()
            .filter(|&id| id != u32::MAX)
            .ok_or_else(Error::full)?;
        self.points.push(point);
        Ok(id)
    }

    /// Replaces the contents of `out` with the ids of all winners of `q`, ascending.
    ///
    /// # Errors
    /// If a coordinate of `q` is out of the [domain](Point::in_domain).
    pub fn winners(&self, q: Point, out: &mut Vec<u32>) -> Result<(), Error> {
        let q = q.checked()?;
        out.clear();
        let mut best = None;
        for (id, &point) in (0..).zip(&self.points) {
            match best.map_or(Ordering::Greater, |best| compare_scores(q, point, best)) {
                Ordering::Less => {}
                Ordering::Equal => out.push(id),
                Ordering::Greater => {
                    best = Some(point);
                    out.clear();
                    out.push(id);
                }
            }
        }
        Ok(())
    }

    /// Replaces the contents of `out` with the `k` best points of `q`, best first, ranked as
    /// [`Layers`](crate::Layers) ranks them. `O(n log k)`.
    ///
    /// # Errors
    /// If a coordinate of `q` is out of the [domain](Point::in_domain).
    pub fn top(&self, q: Point, k: usize, out: &mut Vec<Found>) -> Result<(), Error> {
        let q = q.checked()?;
        out.clear();
        for (id, &key) in (0..).zip(&self.points) {
            let new = Found { id, key };
            let at = out.partition_point(|&old| rank(q, old, new) == Ordering::Less);
            if at < k {
                out.truncate(k - 1);
                out.insert(at, new);
            }
        }
        Ok(())
    }

    /// All points pushed so far; the index of a point is its id.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}
