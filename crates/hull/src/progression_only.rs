//! A hull in closed form, while all its points are one exact progression.

use crate::merge::Tied;
use crate::progression::Run;
use crate::search::first_false;
use crate::{Point, Winners, compare_scores};
use core::cmp::Ordering;

/// All points of a hull while they are one progression that goes to the right and bends down, as
/// keys `(2t, -t²)` do. Then all points are vertices of the upper chain, the slot of each is its
/// index, and a division finds the winner.
#[derive(Clone, Debug)]
pub(crate) struct ProgressionOnly {
    run: Run,
    /// The progression is exact for points before this index.
    most: u32,
}

impl Default for ProgressionOnly {
    fn default() -> Self {
        Self {
            run: Run::default(),
            most: 512,
        }
    }
}

impl ProgressionOnly {
    /// The number of points.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.run.len()
    }

    /// The point at an index, which must be below the length.
    pub(crate) fn at(&self, i: usize) -> Point {
        self.run.at(i)
    }

    /// Appends a point and returns its index, if the points still are one progression with it.
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

    /// The index of the winner of a query whose y is positive, if the error bound suffices to
    /// decide.
    #[inline]
    pub(crate) fn peak(&self, q: Point) -> Option<u32> {
        self.run.summit(q)
    }

    /// The winners of any query. There must be a point.
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
            // Seen from below and from the sides, the hull is an edge from the first point to the
            // last.
            match order(0, last) {
                Ordering::Less => (last, last),
                _ => (0, last),
            }
        };
        let tie = first != second && order(first, second) == Ordering::Equal;
        Tied::winners(first as u32, tie.then_some(second as u32), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LinearIndex;
    use alloc::vec::Vec;

    fn all_of(n: u32, point: impl Fn(f64) -> Point) -> ProgressionOnly {
        let mut points = ProgressionOnly::default();
        for i in 0..n {
            assert_eq!(points.push(point(f64::from(i))), Some(i));
        }
        points
    }

    /// Queries at points, half way between two, and slightly off either: the closed form, the
    /// search and the scan must agree.
    #[test]
    fn the_closed_form_agrees_with_the_scan() {
        let lengths: &[u32] = if cfg!(miri) { &[3] } else { &[1, 2, 3, 700] };
        for (&n, (x, y, scale)) in lengths.iter().flat_map(|n| {
            let shapes = [(0.0, 0.0, 1.0), (9.0, -4e6, 0.125), (-1e8, 1e12, 3.0)];
            shapes.map(|shape| (n, shape))
        }) {
            // Point t is nearest to the query (t, 1), at any scale.
            let point = |t: f64| Point::new(x + 2.0 * t * scale, y - t * t * scale);
            let points = all_of(n, point);
            let mut scan = LinearIndex::new();
            (0..n).for_each(|t| assert!(scan.push(point(f64::from(t))).is_ok()));
            let mut ids = Vec::new();
            let (mut asked, mut told) = (0, 0);
            let ends = (-4..12).chain(2 * n as i32 - 8..2 * n as i32 + 4);
            for at in ends.map(|half| f64::from(half) / 2.0) {
                for off in [0.0, 1e-16, -1e-16, 1e-12, -1e-12, 0.25] {
                    for y in [1.0, 0.1, 3e60, 1e-60] {
                        let q = Point::new((at + off) * y, y);
                        let winners = points.winners(q);
                        assert!(scan.winners(q, &mut ids).is_ok());
                        match winners {
                            Winners::One(slot) => assert_eq!(ids, [slot], "{q:?}"),
                            Winners::Many(slots) => assert_eq!(ids, *slots, "{q:?}"),
                            _ => panic!("{winners:?}"),
                        }
                        if let Some(slot) = points.peak(q) {
                            assert_eq!(winners, Winners::One(slot), "{q:?}");
                            told += 1;
                        }
                        asked += 1;
                    }
                }
            }
            assert!(n < 3 || told > asked / 2, "{told} of {asked}");
        }
    }

    #[test]
    fn ends_where_it_would_be_rounded() {
        // The ordinate of point 2^26 has more than 53 bits.
        let first = 2f64.powi(26) - 1000.0;
        let point = |t: f64| Point::new(2.0 * (first + t), -(first + t) * (first + t) - 0.5);
        let mut points = ProgressionOnly::default();
        let length = (0..2000).take_while(|&t| points.push(point(t.into())).is_some());
        assert!(length.count() < 1002);
    }

    #[test]
    fn only_upper_hulls_are_streams() {
        let bent = |t: f64| Point::new(t, t * t);
        let back = |t: f64| Point::new(5.0 - t, -t * t - 1.0);
        let level = |_| Point::new(1.0, 1.0);
        let line = |t: f64| Point::new(t, t);
        let at = |point: &dyn Fn(f64) -> Point| {
            let mut points = ProgressionOnly::default();
            (0..9).position(|t| points.push(point(t.into())).is_none())
        };
        assert_eq!(
            [at(&bent), at(&back), at(&level), at(&line)],
            [2, 1, 1, 2].map(Some)
        );
    }
}
