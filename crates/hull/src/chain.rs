//! One chain of the hull: the vertices that can win while the query's y is positive.

mod winner;

pub(crate) use winner::Trail;

use crate::Point;
use crate::blocks::{Blocks, Pos};
use crate::exact::turn;
use core::cmp::Ordering;

/// An upper hull: vertices in ascending order of x, strictly convex. A lower hull is stored as the
/// upper hull of the mirrored points.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    blocks: Blocks,
}

/// How a new point lies relative to a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The point is a vertex already, of this slot.
    Same(u32),
    /// The point lies strictly below the chain.
    Below,
    /// The point lies on the edge that begins at the vertex of this slot, between the edge's ends.
    Edge(u32),
    /// The point becomes a vertex of the chain.
    On(Spot),
}

/// Where a new point belongs on a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pos: Pos,
    /// The vertex there has the same x, and the new point replaces it.
    replace: bool,
}

/// Why a vertex left the chain when a new vertex was inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// It has the new vertex's x and is below it.
    Under,
    /// It is strictly below the chain.
    Inside,
    /// It lies on the edge that ends at the new vertex and begins at the vertex of this slot.
    Before(u32),
    /// It lies on the edge that begins at the new vertex.
    Behind,
}

impl Chain {
    /// The vertex of least x.
    #[inline]
    pub(crate) fn first(&self) -> Option<Point> {
        self.blocks.first()
    }

    /// The vertex of greatest x.
    #[inline]
    pub(crate) fn last(&self) -> Option<Point> {
        self.blocks.last()
    }

    /// The place of the vertex of least x, if there is one.
    pub(crate) fn begin(&self) -> Option<Pos> {
        self.blocks.first().map(|_| Pos::default())
    }

    /// The place of the vertex of greatest x, if there is one.
    pub(crate) fn end(&self) -> Option<Pos> {
        self.blocks.prev(self.blocks.end())
    }

    /// The place of the next vertex, if there is one.
    #[inline]
    pub(crate) fn next(&self, pos: Pos) -> Option<Pos> {
        self.blocks.next(pos)
    }

    /// The place of the previous vertex, if there is one.
    #[inline]
    pub(crate) fn prev(&self, pos: Pos) -> Option<Pos> {
        self.blocks.prev(pos)
    }

    /// The place of the first vertex of at least this x, the last vertex if there is none.
    #[inline]
    pub(crate) fn near(&self, x: f64) -> Pos {
        let pos = self.blocks.lower_bound(x, |p| p.x);
        if pos == self.blocks.end() {
            self.end().unwrap_or_default()
        } else {
            pos
        }
    }

    /// The vertices before and after one with their places and slots, `None` where they are not
    /// close in memory.
    #[inline]
    pub(crate) fn beside(&self, pos: Pos) -> Option<[(Pos, Point, u32); 2]> {
        self.blocks.beside(pos)
    }

    /// A vertex and its slot.
    #[inline]
    pub(crate) fn vertex(&self, pos: Pos) -> (Point, u32) {
        self.blocks.vertex(pos)
    }

    /// The slot of a vertex.
    #[inline]
    pub(crate) fn slot(&self, pos: Pos) -> u32 {
        self.blocks.slot(pos)
    }

    /// A vertex.
    #[inline]
    pub(crate) fn point(&self, pos: Pos) -> Point {
        self.blocks.point(pos)
    }

    /// Finds how `point` lies relative to the chain, in `O(log n)`, at either end in `O(1)`.
    #[inline]
    pub(crate) fn place(&self, point: Point) -> Place {
        let spot = |pos, replace| Place::On(Spot { pos, replace });
        let (Some(first), Some(last)) = (self.blocks.first(), self.blocks.last()) else {
            return spot(self.blocks.end(), false);
        };
        if point.x > last.x {
            return spot(self.blocks.end(), false);
        }
        let pos = if point.x <= first.x {
            Pos::default()
        } else {
            self.blocks.lower_bound(point.x, |p| p.x)
        };
        let right = self.blocks.point(pos);
        if right.x == point.x {
            return match point.y.total_cmp(&right.y) {
                Ordering::Less => Place::Below,
                Ordering::Equal => Place::Same(self.blocks.slot(pos)),
                Ordering::Greater => spot(pos, true),
            };
        }
        let Some(left) = self.blocks.prev(pos) else {
            return spot(pos, false);
        };
        let side = turn(self.blocks.point(left), right, point);
        if side > 0.0 {
            spot(pos, false)
        } else if side < 0.0 {
            Place::Below
        } else {
            Place::Edge(self.blocks.slot(left))
        }
    }

    /// Whether a point is on the chain or below it.
    #[inline]
    pub(crate) fn covers(&self, point: Point) -> bool {
        !matches!(self.place(point), Place::On(_))
    }

    /// Inserts a point at the spot that [`Chain::place`] returned, calls `gone` for each vertex
    /// that leaves the chain, and returns the place of the new vertex.
    ///
    /// Amortised over all insertions each vertex leaves once. At most one vertex leaves onto the
    /// edge before the new vertex, and at most one onto the edge after it.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        spot: Spot,
        point: Point,
        slot: u32,
        mut gone: impl FnMut(Point, u32, Gone),
    ) -> Pos {
        if !spot.replace && spot.pos == self.blocks.end() {
            // The new vertex takes the place of the last vertex to leave, which avoids starting a
            // block.
            let mut vacant = None;
            while let Some((at, what)) =
                self.redundant_before(vacant.unwrap_or(self.blocks.end()), point)
            {
                if let Some(more) = vacant {
                    self.blocks.remove(more);
                }
                gone(self.blocks.point(at), self.blocks.slot(at), what);
                vacant = Some(at);
            }
            return match vacant {
                None => self.blocks.push(point, slot),
                Some(at) => {
                    self.blocks.replace(at, point, slot);
                    at
                }
            };
        }
        let mut pos = spot.pos;
        if spot.replace {
            let old = self.blocks.point(pos);
            gone(old, self.blocks.replace(pos, point, slot), Gone::Under);
        } else {
            pos = self.blocks.insert(pos, point, slot);
        }
        let mut shrunk = false;
        while let Some((at, what)) = self.redundant_before(pos, point) {
            gone(self.blocks.point(at), self.blocks.remove(at), what);
            if at.block == pos.block {
                pos = at;
            } else if at.offset == 0 {
                // The previous block is gone, and this one has moved up.
                pos.block = at.block;
            }
            shrunk = true;
        }
        while let Some((at, what)) = self.redundant_after(pos, point) {
            gone(self.blocks.point(at), self.blocks.remove(at), what);
            shrunk = true;
        }
        if shrunk {
            pos = self.blocks.join_small(pos);
        }
        pos
    }

    /// Gives the vertex that equals this point, if there is one, another slot.
    pub(crate) fn renumber(&mut self, point: Point, slot: u32) {
        if self.last().is_some_and(|last| point.x <= last.x) {
            let pos = self.blocks.lower_bound(point.x, |p| p.x);
            if self.blocks.point(pos) == point {
                self.blocks.replace(pos, point, slot);
            }
        }
    }

    /// The place before `pos`, if its vertex becomes redundant by a point `p` at `pos`.
    #[inline]
    fn redundant_before(&self, pos: Pos, p: Point) -> Option<(Pos, Gone)> {
        let b = self.blocks.prev(pos)?;
        let a = self.blocks.prev(b)?;
        let side = turn(self.blocks.point(a), self.blocks.point(b), p);
        if side < 0.0 {
            None
        } else if side > 0.0 {
            Some((b, Gone::Inside))
        } else {
            Some((b, Gone::Before(self.blocks.slot(a))))
        }
    }

    /// The place after `pos`, if its vertex becomes redundant by the point `p` at `pos`.
    #[inline]
    fn redundant_after(&self, pos: Pos, p: Point) -> Option<(Pos, Gone)> {
        let b = self.blocks.next(pos)?;
        let c = self.blocks.next(b)?;
        let side = turn(p, self.blocks.point(b), self.blocks.point(c));
        if side < 0.0 {
            None
        } else if side > 0.0 {
            Some((b, Gone::Inside))
        } else {
            Some((b, Gone::Behind))
        }
    }

    /// The memory allocated.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.blocks.heap_bytes()
    }

    /// The number of vertices, in time proportional to the number of blocks.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn insertion_keeps_vertices_and_reports_the_others() {
        let mut chain = Chain::default();
        let mut gone = vec![];
        let points = [
            (0.0, 0.0),
            (4.0, 0.0),
            (2.0, 0.0),
            (1.0, -1.0),
            (3.0, 1.0),
            (2.0, 2.0),
            (6.0, -2.0),
            (-1.0, -1.0),
            (2.0, 3.0),
        ];
        let mut kept: Vec<&str> = vec![];
        for (slot, (x, y)) in (0..).zip(points) {
            let point = Point::new(x, y);
            kept.push(match chain.place(point) {
                Place::On(spot) => {
                    chain.insert(spot, point, slot, |_, s, what| gone.push((s, what)));
                    "on"
                }
                Place::Below => "below",
                Place::Edge(0) => "edge",
                Place::Edge(_) | Place::Same(_) => {
                    unreachable!("this test inserts only points on or below the chain")
                }
            });
        }
        assert_eq!(
            kept,
            ["on", "on", "edge", "below", "on", "on", "on", "on", "on"]
        );
        // (3, 1) lies on the edge from (2, 2) to (4, 0), and (4, 0) on the edge to (6, -2); (0, 0)
        // is on the edge from (-1, -1) to (2, 2).
        let expected = [
            (4, Gone::Behind),
            (1, Gone::Before(5)),
            (0, Gone::Behind),
            (5, Gone::Under),
        ];
        assert_eq!(gone, expected);
        assert!(matches!(chain.place(Point::new(2.0, 3.0)), Place::Same(8)));
        assert_eq!(chain.len(), 3);
    }
}
