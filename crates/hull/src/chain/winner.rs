//! Extreme-vertex search on a chain, from a hint.
//!
//! Streams of queries are local: most winners are at the last winner or next to it. The search
//! compares there first, then guesses by slopes, then gallops.

use super::Chain;
use crate::blocks::{CAPACITY, Pos};
use crate::exact::rises;
use crate::points::Points;
use crate::progression::Run;
use crate::search::{first_false, interpolate};
use crate::{Point, compare_scores};
use core::cmp::Ordering;

/// Where a chain found its last winner.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trail {
    pub(crate) pos: Pos,
    /// How many winners in a row were far from the winner before. After `FAR` of them the search
    /// does not start at the last winner.
    misses: u8,
    /// How many points searches have compared, other than those at the hint.
    pub(crate) compared: u32,
}

const FAR: u8 = 3;

/// In which direction from the hint the winner lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Onwards,
    Back,
    Unknown,
}

impl Trail {
    /// A trail that starts the search at a place.
    pub(crate) fn near(pos: Pos) -> Self {
        Self {
            pos,
            misses: 0,
            compared: 0,
        }
    }
}

impl Chain {
    /// The first winner of a query whose y is positive, and whether the next vertex ties with it;
    /// `None` if the chain is empty.
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

    /// The slot of the winner if it is at the hint or the next vertex, and both are in a
    /// progression. This is the fast path of most queries of a stream.
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

    /// The winner if it is at the hint or the next vertex: two comparisons.
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

    /// The winner if it is at a place of a run or the next one, and the error bound suffices to
    /// decide.
    #[inline]
    fn peak(&self, q: Point, run: &Run, at: Pos) -> Option<Pos> {
        let (block, offset) = at.parts();
        let is_end = [block == 0, block + 1 == self.blocks.ends().len()];
        let peak = run.peak(q, offset, is_end)?;
        Some(Pos::new(block, peak))
    }

    /// Compares at the hint in a block of `len` points whose points `at` reads: see
    /// [`Self::check`].
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
                // The next vertex is the last one, so it wins without a further comparison.
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

    /// The winner, searched in the direction `way` from the hint.
    #[inline(never)]
    fn winner_elsewhere(&self, q: Point, trail: &mut Trail, way: Way) -> Option<(Pos, bool)> {
        let blocks = self.blocks.ends().len();
        let (block, offset) = trail.pos.parts();
        let compared = &mut trail.compared;
        let found = match way {
            _ if blocks == 0 => return None,
            Way::Onwards if block + 1 == blocks || !self.leaves(q, block) => {
                let last = self.blocks.points(block).len() - 1;
                self.search_block(q, block, Some(last.min(offset + 2)), compared)
            }
            Way::Onwards if !self.leaves(q, block + 1) => {
                self.search_block(q, block + 1, Some(0), compared)
            }
            Way::Onwards => self.search(q, true, compared),
            Way::Back if block == 0 || self.leaves(q, block - 1) => {
                self.search_block(q, block, Some(offset.saturating_sub(1)), compared)
            }
            Way::Back | Way::Unknown => self.search(q, false, compared),
        };
        let near =
            found.0.block == trail.pos.block && found.0.offset.abs_diff(trail.pos.offset) <= 1;
        // Within a single block no winner counts as far.
        trail.misses = if near || blocks == 1 {
            0
        } else {
            trail.misses.saturating_add(1)
        };
        trail.pos = found.0;
        Some(found)
    }

    /// Whether the winner lies after this block, which must not be the last.
    #[inline]
    fn leaves(&self, q: Point, block: usize) -> bool {
        let ends = self.blocks.ends();
        match ends.get(block + 1) {
            Some(next) => rises(q, ends[block][1], next[0]),
            None => false,
        }
    }

    /// The winner, anywhere on the chain; `onwards` if it is known not to be the first vertex.
    ///
    /// The guess is right on a parabola. Where the guess is far off, the search from it takes about
    /// half as many steps more as a bisection.
    #[inline(never)]
    fn search(&self, q: Point, onwards: bool, compared: &mut u32) -> (Pos, bool) {
        let ends = self.blocks.ends();
        let last = ends.len() - 1;
        // The ends of the chain, and those around a guess.
        *compared += 8;
        let mut guess = None;
        if last > 1 {
            let rise = |b: usize| gain(q, ends[b][1], ends[b + 1][0]);
            let (from, to) = (rise(0), rise(last - 1));
            if from > 0.0 && to < 0.0 {
                // How many blocks after the first edge between blocks the winner lies. On a
                // parabola in full blocks the fraction is the offset within the block.
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
            return self.search_block(q, 0, None, compared);
        }
        if self.leaves(q, last - 1) {
            // In a long stream most queries find the latest keys.
            let latest = self.blocks.points(last).len() - 1;
            return self.search_block(q, last, Some(latest), compared);
        }
        if last == 1 {
            return self.search_block(q, 0, None, compared);
        }
        let guess = guess.unwrap_or(0);
        let block = first_false(last - 1, guess, |b| {
            *compared += 1;
            rises(q, ends[b][1], ends[b + 1][0])
        });
        self.search_block(q, block, None, compared)
    }

    /// The winner and whether the next vertex ties with it, if the winner is the vertex at `offset`
    /// of this full block or, in a progression, the next one.
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
    /// The directory has the slopes of the edges into and out of the block, so the guess of where
    /// the slope is that of the query reads none of the block's points. On a parabola, where the
    /// slopes are evenly spaced, the guess is right.
    fn search_block(
        &self,
        q: Point,
        block: usize,
        guess: Option<usize>,
        compared: &mut u32,
    ) -> (Pos, bool) {
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
                // The slopes are those of the edges half a step before the first point and half a
                // step after the last.
                interpolate(into, 0.0, out, last + 1).min(last)
            } else if last > 1 {
                let into = gain(q, points.at(0), points.at(1));
                let out = gain(q, points.at(last - 1), points.at(last));
                1 + interpolate(into, 0.0, out, last - 1)
            } else {
                0
            }
        });
        let offset = first_false(last, guess, |i| {
            *compared += 1;
            rises(q, points.at(i), points.at(i + 1))
        });
        let next = if offset < last {
            Some(points.at(offset + 1))
        } else {
            ends.get(block + 1).map(|ends| ends[0])
        };
        let here = points.at(offset);
        let tie = next.is_some_and(|next| compare_scores(q, next, here) == Ordering::Equal);
        (Pos::new(block, offset), tie)
    }
}

/// How much the score rises from `a` to `b` per unit of x, roughly.
#[inline]
fn gain(q: Point, a: Point, b: Point) -> f64 {
    q.x + q.y * ((b.y - a.y) / (b.x - a.x))
}
