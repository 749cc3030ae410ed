//! One chain of the hull: the vertices that can win while the query's y is positive.

use crate::blocks::{Blocks, CAPACITY, Pos};
use crate::exact::{rises, turn};
use crate::points::{Points, Run};
use crate::search::{first_false, interpolate};
use crate::{Point, compare_scores};
use core::cmp::Ordering;

/// An upper hull, ascending in x, strictly convex. (The lower hull is an upper hull of mirrored
/// points.)
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    blocks: Blocks,
}

/// Where a chain found its last winner.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trail {
    pub(crate) pos: Pos,
    /// How many winners in a row were not near the one before. After `FAR` of them, the next one
    /// is not looked for near the last.
    misses: u8,
}

const FAR: u8 = 3;

/// Where a winner is that is not where it was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Onwards,
    Back,
    Unknown,
}

impl Trail {
    /// A trail that says to look near a place.
    pub(crate) fn near(pos: Pos) -> Self {
        Self { pos, misses: 0 }
    }
}

/// What a new point would be to a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The chain has that very point.
    Same(u32),
    /// It lies strictly below the chain.
    Below,
    /// It lies on the edge that begins at the vertex of this slot, between the edge's ends.
    Edge(u32),
    /// It belongs on the chain.
    On(Spot),
}

/// Where a new point belongs on a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pos: Pos,
    /// The vertex there has the same x and gives way.
    replace: bool,
}

/// What became of a vertex when a new one was inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// It is below the new vertex, with the same x.
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

    /// The place of the vertex before, if there is one.
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

    /// The vertices before and after one, with their places and slots, where they are near in memory.
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

    /// Finds out what `point` would be to the chain: `O(log n)`, at either end `O(1)`.
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

    /// Whether a point is on the chain or below.
    #[inline]
    pub(crate) fn covers(&self, point: Point) -> bool {
        !matches!(self.place(point), Place::On(_))
    }

    /// Inserts a point at the spot that [`Chain::place`] gave, tells of the vertices that are no
    /// longer on the chain, and returns the new one's place. Amortised over all insertions a vertex
    /// goes once. At most one vertex each goes onto the edge before and behind.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        spot: Spot,
        point: Point,
        slot: u32,
        mut gone: impl FnMut(Point, u32, Gone),
    ) -> Pos {
        if !spot.replace && spot.pos == self.blocks.end() {
            // The last vertex that goes gives its place to the new one; so blocks are not started in
            // vain.
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
                // The block before is gone: this one has moved up.
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

    /// Gives the vertex that is this very point, if there is one, another slot.
    pub(crate) fn renumber(&mut self, point: Point, slot: u32) {
        if self.last().is_some_and(|last| point.x <= last.x) {
            let pos = self.blocks.lower_bound(point.x, |p| p.x);
            if self.blocks.point(pos) == point {
                self.blocks.replace(pos, point, slot);
            }
        }
    }

    /// The place before `pos`, if a point `p` at `pos` makes it redundant.
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

    /// The place after `pos`, if the point `p` at `pos` makes it redundant.
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

    /// The first winner of a query whose y is positive, and whether the next vertex ties with it;
    /// nothing if the chain is empty.
    ///
    /// Along the chain the scores rise strictly, then perhaps stay level over one edge, then fall
    /// strictly: the first winner is the first vertex from which they do not rise.
    #[inline]
    pub(crate) fn winner(&self, q: Point, trail: &mut Trail) -> Option<(Pos, bool)> {
        let mut way = Way::Unknown;
        if trail.misses < FAR {
            match self.check(q, trail.pos) {
                Ok(found) => {
                    (trail.pos, trail.misses) = (found.0, 0);
                    return Some(found);
                }
                Err(tried) => way = tried,
            }
        }
        self.winner_elsewhere(q, trail, way)
    }

    /// The slot of the winner where it is at the hint or behind it, in a progression: what most questions of
    /// a stream come to.
    #[inline]
    pub(crate) fn slot_at(&self, q: Point, trail: &mut Trail) -> Option<u32> {
        let (number, offset) = trail.pos.parts();
        let (points, slots) = self.blocks.parts(number)?;
        let Points::Run(run) = points else {
            return None;
        };
        if offset >= run.len() || trail.misses >= FAR {
            return None;
        }
        let is_end = [number == 0, number + 1 == self.blocks.ends().len()];
        let peak = run.peak(q, offset, is_end)?;
        *trail = Trail::near(Pos::new(number, peak));
        Some(slots.get(peak))
    }

    /// The winner if it is at the hint or behind it: two comparisons.
    #[inline]
    fn check(&self, q: Point, hint: Pos) -> Result<(Pos, bool), Way> {
        match self.blocks.get(hint.block as usize) {
            Some(Points::Run(run)) if hint.offset < run.len() as u32 => {
                match self.peak(q, run, hint) {
                    Some(peak) => Ok((peak, false)),
                    None => self.check_in(q, hint, run.len(), |i| run.at(i)),
                }
            }
            Some(Points::Run(_)) => Err(Way::Unknown),
            Some(Points::List(list)) => self.check_in(q, hint, list.len(), |i| list[i]),
            None => Err(Way::Unknown),
        }
    }

    /// The winner if it is at a place in a run or behind it, and that is easily told.
    #[inline]
    fn peak(&self, q: Point, run: &Run, at: Pos) -> Option<Pos> {
        let (block, offset) = at.parts();
        let is_end = [block == 0, block + 1 == self.blocks.ends().len()];
        let peak = run.peak(q, offset, is_end)?;
        Some(Pos::new(block, peak))
    }

    /// The same as `check` in a block of `len` points.
    #[inline]
    fn check_in(
        &self,
        q: Point,
        hint: Pos,
        len: usize,
        at: impl Fn(usize) -> Point,
    ) -> Result<(Pos, bool), Way> {
        let ends = self.blocks.ends();
        let (block, offset) = hint.parts();
        if offset >= len {
            return Err(Way::Unknown);
        }
        let here = at(offset);
        let next = if offset + 1 < len {
            Some(at(offset + 1))
        } else {
            ends.get(block + 1).map(|ends| ends[0])
        };
        let order = next.map_or(Ordering::Less, |next| compare_scores(q, next, here));
        if order == Ordering::Greater {
            return match next {
                Some(next) if offset + 2 < len => match compare_scores(q, at(offset + 2), next) {
                    Ordering::Greater => Err(Way::Onwards),
                    order => Ok((Pos::new(block, offset + 1), order == Ordering::Equal)),
                },
                // The latest of a stream is what is behind the one before it.
                Some(_) if offset + 2 == len && block + 1 == ends.len() => {
                    Ok((Pos::new(block, offset + 1), false))
                }
                _ => Err(Way::Onwards),
            };
        }
        let before = match offset.checked_sub(1) {
            Some(before) => Some(at(before)),
            None => block.checked_sub(1).map(|before| ends[before][1]),
        };
        match before {
            Some(before) if !rises(q, before, here) => Err(Way::Back),
            _ => Ok((hint, order == Ordering::Equal)),
        }
    }

    /// The winner, not at the hint if the way to it is known.
    #[inline(never)]
    fn winner_elsewhere(&self, q: Point, trail: &mut Trail, way: Way) -> Option<(Pos, bool)> {
        let blocks = self.blocks.ends().len();
        let (block, offset) = trail.pos.parts();
        let found = match way {
            _ if blocks == 0 => return None,
            Way::Onwards if block + 1 == blocks || !self.leaves(q, block) => {
                let last = self.blocks.points(block).len() - 1;
                self.search_block(q, block, Some(last.min(offset + 2)))
            }
            Way::Onwards if !self.leaves(q, block + 1) => self.search_block(q, block + 1, Some(0)),
            Way::Onwards => self.search(q, true),
            Way::Back if block == 0 || self.leaves(q, block - 1) => {
                self.search_block(q, block, Some(offset.saturating_sub(1)))
            }
            Way::Back | Way::Unknown => self.search(q, false),
        };
        let near =
            found.0.block == trail.pos.block && found.0.offset.abs_diff(trail.pos.offset) <= 1;
        // In one block nothing is far.
        trail.misses = if near || blocks == 1 {
            0
        } else {
            trail.misses.saturating_add(1)
        };
        trail.pos = found.0;
        Some(found)
    }

    /// Whether the winner lies behind this block, which must not be the last.
    #[inline]
    fn leaves(&self, q: Point, block: usize) -> bool {
        let ends = self.blocks.ends();
        match ends.get(block + 1) {
            Some(next) => rises(q, ends[block][1], next[0]),
            None => false,
        }
    }

    /// The winner, wherever it is; `onwards` if it is known not to be the first vertex.
    ///
    /// As in a block, the guess is right on a parabola. Where it is far off, the search from it
    /// takes about half as many steps more as one by bisection.
    #[inline(never)]
    fn search(&self, q: Point, onwards: bool) -> (Pos, bool) {
        let ends = self.blocks.ends();
        let last = ends.len() - 1;
        let mut guess = None;
        if last > 1 {
            let rise = |b: usize| gain(q, ends[b][1], ends[b + 1][0]);
            let (from, to) = (rise(0), rise(last - 1));
            if from > 0.0 && to < 0.0 {
                // How many blocks behind the first edge between blocks. On a parabola in full blocks
                // the fraction tells where in the block.
                let blocks = from / (from - to) * (last - 1) as f64;
                let whole = (blocks as usize).min(last - 2);
                let offset = ((blocks - whole as f64) * CAPACITY as f64) as usize;
                if let Some(found) = self.verify(q, 1 + whole, offset) {
                    return found;
                }
                guess = Some(1 + whole);
            }
        }
        let first = self.blocks.points(0);
        if !onwards && first.len() > 1 {
            match compare_scores(q, first.at(1), first.at(0)) {
                Ordering::Greater => {}
                order => return (Pos::default(), order == Ordering::Equal),
            }
        }
        if last == 0 {
            return self.search_block(q, 0, None);
        }
        if self.leaves(q, last - 1) {
            // Of a long stream, the latest keys are asked for most.
            let latest = self.blocks.points(last).len() - 1;
            return self.search_block(q, last, Some(latest));
        }
        if last == 1 {
            return self.search_block(q, 0, None);
        }
        let guess = guess.unwrap_or(0);
        let block = first_false(last - 1, guess, |b| rises(q, ends[b][1], ends[b + 1][0]));
        self.search_block(q, block, None)
    }

    /// Whether a vertex that must be within a full block wins, or the next one if that is as easily told,
    /// and whether the one behind it ties.
    #[inline]
    fn verify(&self, q: Point, block: usize, offset: usize) -> Option<(Pos, bool)> {
        let points = self.blocks.points(block);
        let [before, here, next] = match points {
            _ if points.len() != CAPACITY => return None,
            Points::Run(run) => {
                let peak = self.peak(q, run, Pos::new(block, offset.min(CAPACITY - 1)))?;
                return Some((peak, false));
            }
            Points::List(list) => *list.get(offset.checked_sub(1)?..)?.first_chunk()?,
        };
        if !rises(q, before, here) {
            return None;
        }
        let order = compare_scores(q, next, here);
        (order != Ordering::Greater).then(|| (Pos::new(block, offset), order == Ordering::Equal))
    }

    /// The winner, known to be in this block; the search begins at a guess.
    ///
    /// The slopes of the edges into and out of the block are in the directory, so that its points
    /// need not be touched to guess where among them the slope is that of the query. On a
    /// parabola, where the slopes are evenly spaced, the guess is right.
    fn search_block(&self, q: Point, block: usize, guess: Option<usize>) -> (Pos, bool) {
        let points = self.blocks.points(block);
        let ends = self.blocks.ends();
        let last = points.len() - 1;
        if let Points::Run(run) = points
            && let Some(peak) = self.peak(q, run, Pos::new(block, run.guess(q)))
        {
            return (peak, false);
        }
        let guess = guess.unwrap_or_else(|| {
            if block > 0 && block + 1 < ends.len() {
                let into = gain(q, ends[block - 1][1], ends[block][0]);
                let out = gain(q, ends[block][1], ends[block + 1][0]);
                // They are half a step before the first point and half a step behind the last.
                interpolate(into, 0.0, out, last + 1).min(last)
            } else if last > 1 {
                let into = gain(q, points.at(0), points.at(1));
                let out = gain(q, points.at(last - 1), points.at(last));
                1 + interpolate(into, 0.0, out, last - 1)
            } else {
                0
            }
        });
        let offset = first_false(last, guess, |i| rises(q, points.at(i), points.at(i + 1)));
        let next = if offset < last {
            Some(points.at(offset + 1))
        } else {
            ends.get(block + 1).map(|ends| ends[0])
        };
        let here = points.at(offset);
        let tie = next.is_some_and(|next| compare_scores(q, next, here) == Ordering::Equal);
        (Pos::new(block, offset), tie)
    }

    /// The memory allocated.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.blocks.heap_bytes()
    }

    /// The number of vertices, in time proportional to their blocks.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }
}

/// How much the score rises from `a` to `b` per unit of x, roughly.
#[inline]
fn gain(q: Point, a: Point, b: Point) -> f64 {
    q.x + q.y * ((b.y - a.y) / (b.x - a.x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn vertices_stay_and_others_are_told_apart() {
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
                Place::Edge(_) | Place::Same(_) => unreachable!("not so"),
            });
        }
        assert_eq!(
            kept,
            ["on", "on", "edge", "below", "on", "on", "on", "on", "on"]
        );
        // (3, 1) lies on the edge from (2, 2) to (4, 0), and that on the one to (6, -2); (0, 0) is on
        // the edge from (-1, -1) to (2, 2).
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
