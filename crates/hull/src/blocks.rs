//! An ordered list of points in blocks: the storage of a chain.
//!
//! A sorted `Vec` cut into pieces. Appending never moves what is there, an insertion or removal
//! moves at most one block, and a search runs first over a compact directory (the two end points
//! of every block) and then within one block, so that it touches few cache lines.

use alloc::vec::Vec;

use crate::Point;
use crate::packed_slots::PackedSlots;
use crate::points::Points;
use crate::search::{first_false, interpolate};

/// Points per block. Larger blocks make insertions dearer and the directory smaller.
pub(crate) const CAPACITY: usize = 256;

/// Up to this many points, branch-free bisection is faster than a guess with its follow-up.
const SHORT: usize = 64;

/// The place of a point: its block, and its offset in it. One past the last point is written as
/// an offset equal to the last block's length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pos {
    pub(crate) block: u32,
    pub(crate) offset: u32,
}

impl Pos {
    #[inline]
    pub(crate) fn new(block: usize, offset: usize) -> Self {
        // There are fewer than 2^32 points.
        Self {
            block: block as u32,
            offset: offset as u32,
        }
    }

    #[inline]
    pub(crate) fn parts(self) -> (usize, usize) {
        (self.block as usize, self.offset as usize)
    }
}

#[derive(Clone, Debug, Default)]
struct Block {
    points: Points,
    slots: PackedSlots,
}

/// The list. No block in it is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blocks {
    blocks: Vec<Block>,
    /// The first and last point of every block.
    ends: Vec<[Point; 2]>,
}

impl Blocks {
    /// The directory: first and last point of every block.
    #[inline]
    pub(crate) fn ends(&self) -> &[[Point; 2]] {
        &self.ends
    }

    /// The points of a block that exists.
    #[inline]
    pub(crate) fn points(&self, block: usize) -> &Points {
        &self.blocks[block].points
    }

    /// The points of a block, `None` past the last one.
    #[inline]
    pub(crate) fn get(&self, block: usize) -> Option<&Points> {
        self.blocks.get(block).map(|block| &block.points)
    }

    /// The points and slots of a block, `None` past the last one.
    #[inline]
    pub(crate) fn parts(&self, block: usize) -> Option<(&Points, &PackedSlots)> {
        self.blocks.get(block).map(|b| (&b.points, &b.slots))
    }

    #[inline]
    pub(crate) fn point(&self, pos: Pos) -> Point {
        let (block, offset) = pos.parts();
        self.blocks[block].points.at(offset)
    }

    /// A point and its slot.
    #[inline]
    pub(crate) fn vertex(&self, pos: Pos) -> (Point, u32) {
        let (block, offset) = pos.parts();
        let block = &self.blocks[block];
        (block.points.at(offset), block.slots.get(offset))
    }

    /// The points before and after a place with their places and slots, `None` where one of them is
    /// in another block.
    #[inline]
    pub(crate) fn beside(&self, pos: Pos) -> Option<[(Pos, Point, u32); 2]> {
        let (number, offset) = pos.parts();
        let block = &self.blocks[number];
        let vertex = |i: usize| {
            let pos = Pos::new(number, i);
            (pos, block.points.at(i), block.slots.get(i))
        };
        let inside = offset > 0 && offset + 1 < block.points.len();
        inside.then(|| [vertex(offset - 1), vertex(offset + 1)])
    }

    #[inline]
    pub(crate) fn slot(&self, pos: Pos) -> u32 {
        let (block, offset) = pos.parts();
        self.blocks[block].slots.get(offset)
    }

    #[inline]
    pub(crate) fn first(&self) -> Option<Point> {
        self.ends.first().map(|ends| ends[0])
    }

    #[inline]
    pub(crate) fn last(&self) -> Option<Point> {
        self.ends.last().map(|ends| ends[1])
    }

    /// One past the last point.
    #[inline]
    pub(crate) fn end(&self) -> Pos {
        match self.blocks.last() {
            Some(block) => Pos::new(self.blocks.len() - 1, block.points.len()),
            None => Pos::default(),
        }
    }

    /// The place of the next point, if there is one.
    #[inline]
    pub(crate) fn next(&self, pos: Pos) -> Option<Pos> {
        let (block, offset) = pos.parts();
        if offset + 1 < self.blocks[block].points.len() {
            Some(Pos::new(block, offset + 1))
        } else {
            (block + 1 < self.blocks.len()).then(|| Pos::new(block + 1, 0))
        }
    }

    /// The place of the previous point, if there is one.
    #[inline]
    pub(crate) fn prev(&self, pos: Pos) -> Option<Pos> {
        let (block, offset) = pos.parts();
        if offset > 0 {
            Some(Pos::new(block, offset - 1))
        } else {
            let block = block.checked_sub(1)?;
            Some(Pos::new(block, self.blocks[block].points.len() - 1))
        }
    }

    /// The first place whose point's coordinate `of` is `value` or more, the end if there is none.
    /// The points must be in ascending order of that coordinate.
    #[inline]
    pub(crate) fn lower_bound(&self, value: f64, of: impl Fn(Point) -> f64) -> Pos {
        match self.last() {
            Some(last) if of(last) >= value => {}
            _ => return self.end(),
        }
        let block = self.ends.partition_point(|ends| of(ends[1]) < value);
        let points = &self.blocks[block].points;
        let last = points.len() - 1;
        let offset = match points {
            Points::List(list) if last < SHORT => list.partition_point(|&p| of(p) < value),
            _ => {
                let [first, end] = self.ends[block];
                let guess = interpolate(of(first), value, of(end), last);
                first_false(last, guess, |i| of(points.at(i)) < value)
            }
        };
        Pos::new(block, offset)
    }

    /// Appends a point.
    #[inline]
    pub(crate) fn push(&mut self, point: Point, slot: u32) -> Pos {
        let at = self.end();
        match (self.blocks.last_mut(), self.ends.last_mut()) {
            (Some(block), Some(ends)) if block.points.len() < CAPACITY => {
                block.points.push(point);
                block.slots.push(slot);
                ends[1] = point;
                at
            }
            _ => self.insert(at, point, slot),
        }
    }

    /// Inserts a point before the one at `pos`, and returns its place.
    pub(crate) fn insert(&mut self, pos: Pos, point: Point, slot: u32) -> Pos {
        let (mut block, mut offset) = pos.parts();
        match self.blocks.get(block) {
            None => self.add_block(Block::default(), point),
            Some(full) if full.points.len() == CAPACITY => {
                if offset == CAPACITY && block + 1 == self.blocks.len() {
                    // Appending leaves full blocks, not halves.
                    self.add_block(Block::default(), point);
                    (block, offset) = (block + 1, 0);
                } else {
                    self.split(block);
                    if offset > CAPACITY / 2 {
                        (block, offset) = (block + 1, offset - CAPACITY / 2);
                    }
                }
            }
            Some(_) => {}
        }
        let target = &mut self.blocks[block];
        target.points.insert(offset, point);
        target.slots.insert(offset, slot);
        self.refresh(block);
        Pos::new(block, offset)
    }

    /// Replaces the point at `pos`, and returns the old point's slot.
    pub(crate) fn replace(&mut self, pos: Pos, point: Point, slot: u32) -> u32 {
        let (block, offset) = pos.parts();
        let target = &mut self.blocks[block];
        target.points.replace(offset, point);
        let old = target.slots.replace(offset, slot);
        self.refresh(block);
        old
    }

    /// Removes the point at `pos` and returns its slot. Later points of the block move up; an empty
    /// block is removed, and later blocks move up.
    pub(crate) fn remove(&mut self, pos: Pos) -> u32 {
        let (block, offset) = pos.parts();
        let target = &mut self.blocks[block];
        target.points.remove(offset);
        let slot = target.slots.remove(offset);
        if target.points.len() == 0 {
            self.blocks.remove(block);
            self.ends.remove(block);
        } else {
            self.refresh(block);
        }
        slot
    }

    /// Joins the block of `pos` with small neighbours, and returns the new place of `pos`.
    ///
    /// So there are never many more blocks than the points need. A joined block is at most half
    /// full and blocks split only when full, so the cost is spread over many insertions and
    /// removals.
    pub(crate) fn join_small(&mut self, pos: Pos) -> Pos {
        let (mut block, mut offset) = pos.parts();
        for left in [block, block.saturating_sub(1)] {
            let Some([a, b]) = self.blocks.get_mut(left..left + 2) else {
                continue;
            };
            if a.points.len() + b.points.len() <= CAPACITY / 2 {
                if left < block {
                    (block, offset) = (left, offset + a.points.len());
                }
                a.points.append(&mut b.points);
                a.slots.append(&mut b.slots);
                self.blocks.remove(left + 1);
                self.ends.remove(left + 1);
                self.refresh(left);
            }
        }
        Pos::new(block, offset)
    }

    /// The number of points, in time proportional to the number of blocks.
    pub(crate) fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.points.len()).sum()
    }

    /// The memory allocated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let of_blocks: usize = self
            .blocks
            .iter()
            .map(|b| b.points.heap_bytes() + b.slots.heap_bytes())
            .sum();
        of_blocks
            + self.blocks.capacity() * size_of::<Block>()
            + self.ends.capacity() * size_of::<[Point; 2]>()
    }

    /// Appends an empty block; the caller adds `point` to it.
    fn add_block(&mut self, block: Block, point: Point) {
        self.blocks.push(block);
        self.ends.push([point; 2]);
    }

    fn split(&mut self, block: usize) {
        let full = &mut self.blocks[block];
        let right = Block {
            points: full.points.split_off(CAPACITY / 2),
            slots: full.slots.split_off(CAPACITY / 2),
        };
        let ends = right.points.ends();
        self.blocks.insert(block + 1, right);
        self.ends.insert(block + 1, ends);
        self.refresh(block);
    }

    #[inline]
    fn refresh(&mut self, block: usize) {
        let points = &self.blocks[block].points;
        if points.len() > 0 {
            self.ends[block] = points.ends();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use alloc::vec;

    fn xs(blocks: &Blocks) -> Vec<f64> {
        (0..blocks.blocks.len())
            .flat_map(|b| (0..blocks.points(b).len()).map(move |i| blocks.points(b).at(i).x))
            .collect()
    }

    fn check(blocks: &Blocks) {
        assert_eq!(blocks.blocks.len(), blocks.ends.len());
        for (block, ends) in blocks.blocks.iter().zip(&blocks.ends) {
            assert_eq!(block.points.len(), block.slots.len());
            assert_eq!(block.points.ends(), *ends);
        }
    }

    #[test]
    fn behaves_as_a_sorted_vec() {
        let mut blocks = Blocks::default();
        let mut model: Vec<f64> = Vec::new();
        let mut random = Random::new(3);
        let steps = if cfg!(miri) { 800 } else { 20_000u32 };
        for step in 0..steps {
            let x = random.bits(31) as f64;
            let at = model.partition_point(|&m| m < x);
            let pos = blocks.lower_bound(x, |p| p.x);
            // The list grows, then shrinks.
            if step < steps / 5 * 3 || at == model.len() {
                model.insert(at, x);
                let pos = blocks.insert(pos, Point::new(x, 0.0), step);
                assert_eq!(blocks.point(pos).x, x);
            } else {
                model.remove(at);
                blocks.remove(pos);
                blocks.join_small(pos);
            }
            if step % (steps / 40) == 0 {
                check(&blocks);
                assert_eq!(xs(&blocks), model);
            }
        }
        assert!(blocks.blocks.len() <= 4 * model.len() / CAPACITY + 2);
        let mut walked = vec![];
        let mut pos = Some(Pos::default());
        while let Some(at) = pos {
            walked.push(blocks.point(at).x);
            pos = blocks.next(at);
        }
        assert_eq!(walked, model);
        walked.clear();
        let mut pos = blocks.prev(blocks.end());
        while let Some(at) = pos {
            walked.push(blocks.point(at).x);
            pos = blocks.prev(at);
        }
        walked.reverse();
        assert_eq!(walked, model);
    }

    #[test]
    fn appending_fills_blocks() {
        let mut blocks = Blocks::default();
        for i in 0..10 * CAPACITY as u32 {
            blocks.insert(blocks.end(), Point::new(f64::from(i), 0.0), i);
        }
        assert_eq!(blocks.blocks.len(), 10);
        let slots = blocks
            .blocks
            .iter()
            .flat_map(|b| (0..b.slots.len()).map(|i| b.slots.get(i)));
        assert!(slots.eq(0..10 * CAPACITY as u32));
        check(&blocks);
    }
}
