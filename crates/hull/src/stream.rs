//! A hull of which nothing has to be kept.

use crate::merge::Tied;
use crate::progression::Run;
use crate::search::first_false;
use crate::{Point, Winners, compare_scores};
use core::cmp::Ordering;

/// All points of a hull while they are a progression to the right that bends down, as keys `(2t, -t²)` are. Then all of
/// them are vertices of the upper chain, the slot of each is its number, and where the winner is takes a division.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    run: Run,
    /// The progression is exact before this point.
    most: u32,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            run: Run::default(),
            most: 512,
        }
    }
}

impl Stream {
    /// The number of points.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.run.len()
    }

    /// A point that is there.
    pub(crate) fn at(&self, i: usize) -> Point {
        self.run.at(i)
    }

    /// Appends a point and returns its number, if the points are a progression with it.
    #[inline]
    pub(crate) fn push(&mut self, point: Point) -> Option<u32> {
        let number = self.run.len() as u32;
        if number == self.most {
            self.reach_further()?;
        }
        let run = self.run.extended(point, self.most)?;
        if number <= 2 && !run.is_upper_hull() {
            return None;
        }
        self.run = run;
        Some(number)
    }

    #[cold]
    fn reach_further(&mut self) -> Option<()> {
        let most = self.most.checked_mul(2)?;
        self.most = self.run.is_exact(most).then_some(most)?;
        Some(())
    }

    /// The number of the winner of a query whose y is positive, if that is easily told.
    #[inline]
    pub(crate) fn peak(&self, q: Point) -> Option<u32> {
        self.run.summit(q)
    }

    /// The winners of any query; there must be points.
    pub(crate) fn winners(&self, q: Point) -> Winners {
        if (q.x, q.y) == (0.0, 0.0) {
            return Winners::All;
        }
        let last = self.run.len() - 1;
        let order = |a, b| compare_scores(q, self.at(a), self.at(b));
        let (first, second) = if q.y > 0.0 {
            let rises = |i| order(i, i + 1) == Ordering::Less;
            let first = first_false(last, self.run.guess(q), rises);
            (first, last.min(first + 1))
        } else {
            // Below and to the sides, the hull is an edge from the first point to the last.
            match order(0, last) {
                Ordering::Less => (last, last),
                _ => (0, last),
            }
        };
        let tie = first != second && order(first, second) == Ordering::Equal;
        Tied::winners(first as u32, tie.then_some(second as u32), None)
    }
}
