//! One chain of the hull: the points that can win while the query's y is positive.

use crate::blocks::{Blocks, Pos};
use crate::exact::rises;
use crate::search::{first_false, interpolate};
use crate::{Point, compare_scores};
use robust::{Coord, orient2d};
use smallvec::SmallVec;
use std::cmp::Ordering;

/// An upper hull, ascending in x, convex but not strictly so: points on its edges are kept. (The
/// lower hull is an upper hull of mirrored points.)
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    blocks: Blocks,
}

/// What a new point would be to a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The chain has that very point.
    Same(u32),
    /// It lies strictly below the chain.
    Below,
    /// It belongs on the chain.
    On(Spot),
}

/// Where a new point belongs on a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pos: Pos,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Between two points, on the edge that joins them: it makes no other point redundant.
    Edge,
    /// Above the point with the same x.
    Replace,
    /// Outside: above an edge, or beyond an end.
    Outside,
}

impl Chain {
    /// The least x of all points.
    #[inline]
    pub(crate) fn min_x(&self) -> Option<f64> {
        self.blocks.first().map(|p| p.x)
    }

    /// The greatest x of all points.
    #[inline]
    pub(crate) fn max_x(&self) -> Option<f64> {
        self.blocks.last().map(|p| p.x)
    }

    /// Finds out what `point` would be to the chain: `O(log n)`, at the right end `O(1)`.
    #[inline]
    pub(crate) fn place(&self, point: Point) -> Place {
        let spot = |pos, kind| Place::On(Spot { pos, kind });
        match self.blocks.last() {
            Some(last) if point.x <= last.x => {}
            _ => return spot(self.blocks.end(), Kind::Outside),
        }
        let pos = self.blocks.lower_bound(point.x, |p| p.x);
        let right = self.blocks.point(pos);
        if right.x == point.x {
            return match point.y.total_cmp(&right.y) {
                Ordering::Less => Place::Below,
                Ordering::Equal => Place::Same(self.blocks.slot(pos)),
                Ordering::Greater => spot(pos, Kind::Replace),
            };
        }
        let Some(left) = self.blocks.prev(pos) else {
            return spot(pos, Kind::Outside);
        };
        let side = turn(self.blocks.point(left), right, point);
        if side > 0.0 {
            spot(pos, Kind::Outside)
        } else if side < 0.0 {
            Place::Below
        } else {
            spot(pos, Kind::Edge)
        }
    }

    /// Inserts a point at the spot that [`Chain::place`] gave, and reports the slots of the points
    /// that are no longer on the chain. Amortised over all insertions a point is removed once.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        spot: Spot,
        point: Point,
        slot: u32,
        mut removed: impl FnMut(u32),
    ) {
        let mut pos = match spot.kind {
            Kind::Edge => {
                self.blocks.insert(spot.pos, point, slot);
                return;
            }
            Kind::Replace => {
                removed(self.blocks.replace(spot.pos, point, slot));
                spot.pos
            }
            Kind::Outside if spot.pos == self.blocks.end() => {
                // Take away before adding: blocks are then not started in vain.
                while let Some(b) = self.redundant_before(self.blocks.end(), point) {
                    removed(self.blocks.remove(b));
                }
                self.blocks.push(point, slot);
                return;
            }
            Kind::Outside => self.blocks.insert(spot.pos, point, slot),
        };
        let mut shrunk = false;
        while let Some(b) = self.redundant_before(pos, point) {
            removed(self.blocks.remove(b));
            if b.block == pos.block {
                pos = b;
            } else if b.offset == 0 {
                // The block before is gone: this one has moved up.
                pos = Pos {
                    block: b.block,
                    ..pos
                };
            }
            shrunk = true;
        }
        while let Some(b) = self.redundant_after(pos, point) {
            removed(self.blocks.remove(b));
            shrunk = true;
        }
        if shrunk {
            self.blocks.join_small(pos.parts().0);
        }
    }

    /// The place before `pos`, if a point `p` at `pos` makes it redundant.
    #[inline]
    fn redundant_before(&self, pos: Pos, p: Point) -> Option<Pos> {
        let b = self.blocks.prev(pos)?;
        let a = self.blocks.prev(b)?;
        (turn(self.blocks.point(a), self.blocks.point(b), p) > 0.0).then_some(b)
    }

    /// The place after `pos`, if the point `p` at `pos` makes it redundant.
    #[inline]
    fn redundant_after(&self, pos: Pos, p: Point) -> Option<Pos> {
        let b = self.blocks.next(pos)?;
        let c = self.blocks.next(b)?;
        (turn(p, self.blocks.point(b), self.blocks.point(c)) > 0.0).then_some(b)
    }

    /// The first winner of a query whose y is positive, or nothing if the chain is empty.
    ///
    /// Along the chain the scores rise strictly, then stay level, then fall strictly: the first
    /// winner is the first point from which they do not rise.
    #[inline]
    pub(crate) fn first_winner(&self, q: Point, hint: Pos) -> Option<Pos> {
        let ends = self.blocks.ends();
        let last_block = ends.len().checked_sub(1)?;
        let leaves = |b: usize| rises(q, ends[b][1], ends[b + 1][0]);
        let (block, offset) = hint.parts();
        if block > last_block || offset >= self.blocks.points(block).len() {
            return Some(self.search_block(q, self.search_directory(q)));
        }

        let points = self.blocks.points(block);
        let climbs = |i: usize| rises(q, points[i], points[i + 1]);
        let last = points.len() - 1;
        let to_the_right = if offset < last {
            climbs(offset)
        } else {
            block < last_block && leaves(block)
        };
        let block = if to_the_right {
            if offset == last || (block < last_block && leaves(block)) {
                if block + 1 < last_block && leaves(block + 1) {
                    self.search_directory(q)
                } else {
                    block + 1
                }
            } else {
                return Some(Pos::new(block, first_false(last, offset + 1, climbs)));
            }
        } else {
            // The common case of an unchanged answer needs one more comparison.
            if offset > 0 && climbs(offset - 1) {
                return Some(hint);
            }
            if block == 0 || leaves(block - 1) {
                let start = offset.saturating_sub(1);
                return Some(Pos::new(block, first_false(last, start, climbs)));
            }
            if block > 1 && !leaves(block - 2) {
                self.search_directory(q)
            } else {
                block - 1
            }
        };
        Some(self.search_block(q, block))
    }

    /// The block of the first winner, of all blocks.
    ///
    /// As in a block, the guess is right on a parabola. Where it is far off, the search from it
    /// takes about half as many steps more as one by bisection.
    fn search_directory(&self, q: Point) -> usize {
        let ends = self.blocks.ends();
        let last = ends.len() - 1;
        let rise = |b: usize| gain(q, ends[b][1], ends[b + 1][0]);
        let guess = match last {
            0 | 1 => 0,
            _ => 1 + interpolate(rise(0), 0.0, rise(last - 1), last - 1),
        };
        first_false(last, guess, |b| rises(q, ends[b][1], ends[b + 1][0]))
    }

    /// The first winner, known to be in this block.
    ///
    /// The slopes of the edges into and out of the block are in the directory, so that its points
    /// need not be touched to guess where among them the slope is that of the query. On a
    /// parabola, where the slopes are evenly spaced, the guess is right.
    fn search_block(&self, q: Point, block: usize) -> Pos {
        let points = self.blocks.points(block);
        let ends = self.blocks.ends();
        let last = points.len() - 1;
        let guess = if block > 0 && block + 1 < ends.len() {
            let into = gain(q, ends[block - 1][1], ends[block][0]);
            let out = gain(q, ends[block][1], ends[block + 1][0]);
            interpolate(into, 0.0, out, last)
        } else {
            last / 2
        };
        let climbs = |i: usize| rises(q, points[i], points[i + 1]);
        Pos::new(block, first_false(last, guess, climbs))
    }

    /// The slot of a point.
    #[inline]
    pub(crate) fn slot(&self, pos: Pos) -> u32 {
        self.blocks.slot(pos)
    }

    /// Whether there are other winners than the first, `first`: they would follow it.
    #[inline]
    pub(crate) fn ties(&self, q: Point, first: Pos) -> bool {
        self.blocks
            .next(first)
            .is_some_and(|next| self.ties_with(q, self.blocks.point(first), next))
    }

    #[inline]
    fn ties_with(&self, q: Point, winner: Point, pos: Pos) -> bool {
        compare_scores(q, self.blocks.point(pos), winner) == Ordering::Equal
    }

    /// The slots of all winners, given the first. One comparison for each of them.
    #[cold]
    pub(crate) fn all_winners(&self, q: Point, first: Pos) -> SmallVec<[u32; 4]> {
        let winner = self.blocks.point(first);
        let mut slots = SmallVec::new();
        let mut pos = Some(first);
        while let Some(at) = pos {
            slots.push(self.blocks.slot(at));
            pos = (self.blocks.next(at)).filter(|&next| self.ties_with(q, winner, next));
        }
        slots
    }

    /// The memory allocated.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.blocks.heap_bytes()
    }
}

/// How much the score rises from `a` to `b` per unit of x, roughly.
#[inline]
fn gain(q: Point, a: Point, b: Point) -> f64 {
    q.x + q.y * ((b.y - a.y) / (b.x - a.x))
}

/// Positive if the path from `a` over `b` to `c` turns left, negative if right, zero if straight.
/// Exact.
#[inline]
fn turn(a: Point, b: Point, c: Point) -> f64 {
    let coord = |p: Point| Coord { x: p.x, y: p.y };
    orient2d(coord(a), coord(b), coord(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_edges_stay_and_points_below_go() {
        let mut chain = Chain::default();
        let mut gone = vec![];
        let points = [
            (0.0, 0.0),
            (4.0, 0.0),
            (2.0, 0.0),
            (1.0, -1.0),
            (3.0, 1.0),
            (2.0, 2.0),
        ];
        for (slot, (x, y)) in (0..).zip(points) {
            let point = Point::new(x, y);
            match chain.place(point) {
                Place::On(spot) => chain.insert(spot, point, slot, |s| gone.push(s)),
                Place::Below => gone.push(slot),
                Place::Same(_) => unreachable!("all points differ"),
            }
        }
        // (2, 0) ends up below (2, 2); (3, 1) lies on the edge from (2, 2) to (4, 0).
        assert_eq!(gone, [3, 2]);
        assert!(chain.blocks.slots().eq([0, 5, 4, 1]));
        assert!(matches!(chain.place(Point::new(3.0, 1.0)), Place::Same(4)));
    }
}
