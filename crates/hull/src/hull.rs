//! A dynamic convex hull in two dimensions: an upper and a lower chain, and slots for sets of
//! points that win together.

use crate::blocks::Pos;
use crate::chain::{Place, Trail};
use crate::edges::{Edged, Roles};
use crate::interior_box::InteriorBox;
use crate::merge::{Merges, Tied, Winners};
use crate::progression_only::ProgressionOnly;
use crate::slots::{Role, Slots};
use crate::{Error, Point};

const UPPER: Roles = Roles {
    vertex: Role::Upper,
    edge: Role::UpperEdge,
};
const LOWER: Roles = Roles {
    vertex: Role::Lower,
    edge: Role::LowerEdge,
};

/// The convex hull of all points pushed so far: finds the winners of any query.
///
/// The index holds geometry only: values live elsewhere, in arrays indexed by *slot*. A slot is the
/// number of a set of points that win together or not at all, now and later: a vertex of the hull
/// with all points that coincide with it, or all points within one edge. A push returns how the
/// slots change. A point strictly inside the hull can never win again, because the hull only grows,
/// and a later point reuses its slot.
///
/// ```text
///            ^ q                 a, b, c, d: vertices, a slot each
///        b---|----e---c          e: all points within the edge from b to c, one slot
///       /             |
///      /   interior   |          the query q is normal to that edge: b, e and c tie
///     a---------------d
/// ```
///
/// # Complexity
///
/// With `h` vertices:
///
/// | | time |
/// |---|---|
/// | [`push`](Self::push) beyond the greatest x, as in a stream of keys `(2t, -t²)` | `O(1)` amortised |
/// | the first push that breaks a progression of `h` points from the start | `O(h)`, once |
/// | any other push | `O(log h)`, and where the point becomes a vertex a move of at most one block of 256 points |
/// | [`winners`](Self::winners) at or beside the [`Hint`] | `O(1)`, two comparisons |
/// | any query while all points are an exact progression | `O(1)`, one division |
/// | any other query | `O(log h)`, on a parabola `O(1)` comparisons; ties cost nothing, at most 3 slots win |
/// | `clone`, a snapshot | a copy of the memory |
///
/// Keys appended in the order of x take 21 bytes per vertex, 1 or 2 bytes where many are in exact
/// progression as `(2t, -t²)` is, and none while all of them are one progression. A vertex on both
/// chains takes 20 bytes more; there are two such vertices at most, unless all points are on one
/// vertical line. Split blocks take up to twice that. Points within edges, coinciding points and
/// interior points take none.
///
/// When not to use it: for a few dozen keys a scan is as fast.
///
/// ```
/// use weightware_hull::{Hint, HullIndex, Inserted, Point, Winners};
///
/// let mut hull = HullIndex::new();
/// let mut sums: Vec<f64> = Vec::new(); // by slot
/// for (x, y, value) in [(0.0, 0.0, 1.0), (4.0, 0.0, 2.0), (2.0, 3.0, 4.0), (2.0, 1.0, 8.0), (2.0, 3.0, 16.0)] {
///     match hull.push(Point::new(x, y))? {
///         Inserted::Interior => {}
///         Inserted::Same(slot) => sums[slot as usize] += value,
///         Inserted::New(slot) => {
///             sums.resize(hull.slots(), 0.0);
///             sums[slot as usize] = value;
///         }
///         Inserted::Merging { slot, merges } => {
///             sums.resize(hull.slots(), 0.0);
///             sums[slot as usize] = value;
///             for merge in merges {
///                 sums[merge.into as usize] += sums[merge.from as usize];
///             }
///         }
///     }
/// }
/// let mut hint = Hint::default();
/// let Winners::One(top) = hull.winners(Point::new(0.0, 1.0), &mut hint)? else { panic!() };
/// assert_eq!(sums[top as usize], 20.0);
/// let Winners::Many(bottom) = hull.winners(Point::new(0.0, -1.0), &mut hint)? else { panic!() };
/// assert_eq!(bottom.len(), 2);
/// # Ok::<(), weightware_hull::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct HullIndex {
    /// All points while they are one progression, else empty. The chains are empty until then.
    progression: ProgressionOnly,
    upper: Edged,
    /// The lower chain, mirrored in the x axis.
    lower: Edged,
    /// The slots of points within the vertical edges of least and of greatest x. While all points
    /// have the same x, only `left` is used.
    left: Option<u32>,
    right: Option<u32>,
    slots: Slots,
    interior: InteriorBox,
    /// The last point inserted, and the result if the same point comes again.
    last: Option<(Point, Inserted)>,
    len: u64,
}

/// The result of a push into a [`HullIndex`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The point lies strictly inside the hull and will never win, except for the query `(0, 0)`.
    Interior,
    /// The point has a slot of its own. The slot is new or reused: reset the value kept for it.
    New(u32),
    /// The point wins whenever the slot does: add its value to that of the slot.
    Same(u32),
    /// The point has a slot of its own as in `New`, and vertices came to lie within edges.
    Merging {
        /// The new point's slot.
        slot: u32,
        /// Pairs of slots: add the value kept for one to the value kept for the other.
        merges: Merges,
    },
}

/// The places where a [`HullIndex`] found its last answers. The next search starts there.
///
/// Any hint is valid for any index at any time; it affects speed only. Keep one per stream of
/// queries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hint {
    upper: Trail,
    lower: Trail,
}

impl HullIndex {
    /// An index without points.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a point.
    ///
    /// # Errors
    /// If a coordinate is out of the [domain](Point::in_domain), or all 2^32 - 1 slots are taken.
    pub fn push(&mut self, point: Point) -> Result<Inserted, Error> {
        let point = point.checked()?;
        if self.progression.len() as u64 == self.len {
            if let Some(slot) = self.progression.push(point) {
                self.len += 1;
                return Ok(Inserted::New(slot));
            }
            self.end_progression()?;
        }
        if let Some((last, again)) = self.last
            && last == point
        {
            self.len += 1;
            return Ok(again);
        }
        let inserted = self.insert(point)?;
        self.last = match inserted {
            Inserted::Interior => Some(Inserted::Interior),
            Inserted::New(slot) | Inserted::Same(slot) => Some(Inserted::Same(slot)),
            // The point may now be within an edge, under another slot.
            Inserted::Merging { .. } => None,
        }
        .map(|again| (point, again));
        Ok(inserted)
    }

    /// Builds the chains from the progression; its points keep their slots.
    #[cold]
    fn end_progression(&mut self) -> Result<(), Error> {
        let progression = core::mem::take(&mut self.progression);
        self.len = 0;
        for i in 0..progression.len() {
            let inserted = self.insert(progression.at(i))?;
            debug_assert_eq!(inserted, Inserted::New(i as u32));
        }
        Ok(())
    }

    /// Adds a point to the chains.
    fn insert(&mut self, point: Point) -> Result<Inserted, Error> {
        if self.interior.holds(point) {
            self.len += 1;
            return Ok(Inserted::Interior);
        }
        if let Some(slot) = self.left
            && let Some(top) = self.upper.chain.first()
            && let Some(bottom) = self.lower.chain.first()
            && point.x == top.x
            && point.y < top.y
            && -point.y < bottom.y
        {
            // A common case: keys of equal x, of which the latest is the highest.
            return Ok(self.joined(slot));
        }
        let upper = self.upper.chain.place(point);
        let side = self.side(point.x);
        let lower = match (upper, side) {
            (Place::Same(slot), _) => return Ok(self.joined(slot)),
            // A point above the upper chain is not near the lower one.
            (Place::On(_), Side::Between) => Place::Below,
            _ => self.lower.chain.place(point.flipped()),
        };
        if let Place::Same(slot) = lower {
            return Ok(self.joined(slot));
        }
        let on_edge = match (upper, lower) {
            (Place::Edge(from), _) => self.upper.within(from),
            (_, Place::Edge(from)) => self.lower.within(from),
            (Place::Below, Place::Below) => match side {
                Side::Between => {
                    self.len += 1;
                    if self.interior.misses() {
                        let Self { upper, lower, .. } = self;
                        let [upper, lower] = [&upper.chain, &lower.chain];
                        let is_in_hull = |p: Point| upper.covers(p) && lower.covers(p.flipped());
                        self.interior.grow(point, is_in_hull);
                    }
                    return Ok(Inserted::Interior);
                }
                Side::Left => self.left,
                Side::Right => self.right,
                Side::Beyond { .. } => None,
            },
            _ => None,
        };
        if let Some(slot) = on_edge {
            return Ok(self.joined(slot));
        }
        let slot = self.slots.take()?;
        self.len += 1;
        let mut merges = Merges::default();
        let slots = &mut self.slots;
        let mut settle = |edged: &mut Edged, place: &Place, point, roles: Roles| match *place {
            Place::On(spot) => edged.insert(spot, point, slot, roles, slots, &mut merges),
            Place::Edge(from) => {
                slots.add(slot, roles.edge);
                edged.set_within(from, slot);
                None
            }
            Place::Below | Place::Same(_) => None,
        };
        let above = settle(&mut self.upper, &upper, point, UPPER);
        let below = settle(&mut self.lower, &lower, point.flipped(), LOWER);
        let under = above.or(below);
        self.update_columns(side, slot, under, &mut merges);
        Ok(if merges.is_empty() {
            Inserted::New(slot)
        } else {
            Inserted::Merging { slot, merges }
        })
    }

    /// Finds all points whose score with `q` is the greatest, compared exactly.
    ///
    /// # Errors
    /// If a coordinate of `q` is out of the [domain](Point::in_domain).
    #[inline(always)]
    pub fn winners(&self, q: Point, hint: &mut Hint) -> Result<Winners, Error> {
        if q.is_upward() {
            let slot = match self.progression.peak(q) {
                None => self.upper.chain.slot_at(q, &mut hint.upper),
                some => some,
            };
            if let Some(slot) = slot {
                return Ok(Winners::One(slot));
            }
        }
        self.winners_elsewhere(q, hint)
    }

    #[inline(never)]
    fn winners_elsewhere(&self, q: Point, hint: &mut Hint) -> Result<Winners, Error> {
        let q = q.checked()?;
        if self.progression.len() > 0 {
            return Ok(self.progression.winners(q));
        }
        let (side, q, trail) = if q.y > 0.0 {
            (&self.upper, q, &mut hint.upper)
        } else if q.y < 0.0 {
            (&self.lower, q.flipped(), &mut hint.lower)
        } else {
            return Ok(self.level_winners(q.x));
        };
        let Some((first, tie)) = side.chain.winner(q, trail) else {
            return Ok(Winners::Empty);
        };
        Ok(if tie {
            edge_winners(side, first)
        } else {
            Winners::One(side.chain.slot(first))
        })
    }

    /// The winners of `(qx, 0)`.
    #[cold]
    fn level_winners(&self, qx: f64) -> Winners {
        if self.len == 0 {
            return Winners::Empty;
        }
        if qx == 0.0 {
            return Winners::All;
        }
        let (upper, lower) = (&self.upper.chain, &self.lower.chain);
        let (top, bottom, within) = if qx < 0.0 || self.is_narrow() {
            (upper.begin(), lower.begin(), self.left)
        } else {
            (upper.end(), lower.end(), self.right)
        };
        let (Some(top), Some(bottom)) = (top, bottom) else {
            return Winners::Empty;
        };
        let (top, bottom) = (upper.slot(top), lower.slot(bottom));
        Tied::winners(top, (bottom != top).then_some(bottom), within)
    }

    /// Whether a slot certainly is still the only winner of a query. It must have been before the
    /// last push, and that push must have returned a slot.
    ///
    /// While all points are one progression, a further point changes the winner only for queries
    /// that the last point won.
    #[inline]
    pub fn still_wins(&self, q: Point, slot: u32) -> bool {
        q.y > 0.0 && slot as usize + 2 < self.progression.len()
    }

    /// The number of points pushed.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether no points were pushed.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One more than the greatest slot given so far: the length for an array by slot.
    pub fn slots(&self) -> usize {
        self.progression.len() + self.slots.len()
    }

    /// The number of slots in use: distinct vertices of the hull, and edges with points within.
    pub fn vertices(&self) -> usize {
        self.progression.len() + self.slots.in_use()
    }

    /// The vertices of the hull with their slots, counterclockwise from the leftmost (the lowest of
    /// several). Slots of points within edges are not among them.
    ///
    /// ```
    /// use weightware_hull::{HullIndex, Point};
    ///
    /// let mut hull = HullIndex::new();
    /// for (x, y) in [(0.0, 0.0), (2.0, 2.0), (1.0, 1.0), (0.0, 2.0), (2.0, 0.0), (1.0, 0.0)] {
    ///     hull.push(Point::new(x, y))?;
    /// }
    /// let slots: Vec<u32> = hull.outline().map(|(_, slot)| slot).collect();
    /// assert_eq!(slots, [0, 4, 1, 3]);
    /// # Ok::<(), weightware_hull::Error>(())
    /// ```
    pub fn outline(&self) -> impl Iterator<Item = (Point, u32)> + '_ {
        let progression = &self.progression;
        let above = (1..progression.len()).rev();
        let all = (0..progression.len().min(1)).chain(above);
        let progression = all.map(|i| (progression.at(i), i as u32));
        let (lower, upper) = (&self.lower.chain, &self.upper.chain);
        let ends = [lower.begin(), lower.end()].map(|at| at.map(|at| lower.slot(at)));
        let lower = core::iter::successors(lower.begin(), |&at| lower.next(at))
            .map(|at| (lower.point(at).flipped(), lower.slot(at)));
        let upper = core::iter::successors(upper.end(), |&at| upper.prev(at))
            .map(|at| (upper.point(at), upper.slot(at)));
        let upper = upper.filter(move |&(_, slot)| !ends.contains(&Some(slot)));
        progression.chain(lower).chain(upper)
    }

    /// The memory allocated, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.upper.heap_bytes() + self.lower.heap_bytes() + self.slots.heap_bytes()
    }

    #[inline]
    fn joined(&mut self, slot: u32) -> Inserted {
        self.len += 1;
        Inserted::Same(slot)
    }

    /// Whether all points have the same x.
    #[inline]
    fn is_narrow(&self) -> bool {
        match (self.upper.chain.first(), self.upper.chain.last()) {
            (Some(first), Some(last)) => first.x == last.x,
            _ => true,
        }
    }

    /// How a point of this x, not inserted yet, lies relative to the columns of least and greatest
    /// x.
    #[inline]
    fn side(&self, x: f64) -> Side {
        // The top of each column is on the upper chain, so its ends have the extreme x.
        let (Some(first), Some(last)) = (self.upper.chain.first(), self.upper.chain.last()) else {
            return Side::Left;
        };
        let (min, max) = (first.x, last.x);
        if x > max || x < min {
            Side::Beyond {
                right: x > max,
                narrow: min == max,
            }
        } else if x == min {
            Side::Left
        } else if x == max {
            Side::Right
        } else {
            Side::Between
        }
    }

    /// Updates the vertical edges after an insertion that put the vertex `new` above the vertex
    /// `under`, if there was one. `under` is now on neither chain, or still on the other.
    #[inline]
    fn update_columns(&mut self, side: Side, new: u32, under: Option<u32>, merges: &mut Merges) {
        let under = under.filter(|&slot| self.slots.is_idle(slot));
        let column = match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
            Side::Between => {
                if let Some(under) = under {
                    self.slots.free(under);
                }
                return;
            }
            Side::Beyond { right, narrow } => {
                if narrow && !right {
                    // The only column becomes the right one.
                    self.right = self.left.take();
                } else if !narrow {
                    let column = if right {
                        &mut self.right
                    } else {
                        &mut self.left
                    };
                    if let Some(old) = column.take() {
                        self.slots.remove(old, Role::Column);
                    }
                }
                return;
            }
        };
        // A point that is neither top nor bottom lies within: the new point, or the one it
        // replaced.
        let within = under.or_else(|| self.slots.is_idle(new).then_some(new));
        match (within, *column) {
            (Some(slot), Some(into)) => {
                merges.add(slot, into);
                self.slots.free(slot);
            }
            (Some(slot), None) => {
                *column = Some(slot);
                self.slots.add(slot, Role::Column);
            }
            (None, _) => {}
        }
    }
}

/// Both ends of the edge that begins at `first`, and the points within it.
#[cold]
fn edge_winners(side: &Edged, first: Pos) -> Winners {
    let chain = &side.chain;
    let second = chain.next(first).map(|next| chain.slot(next));
    let slot = chain.slot(first);
    Tied::winners(slot, second, side.within(slot))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// In the column of least x.
    Left,
    /// In the column of greatest x, if that is another one.
    Right,
    /// Strictly between the columns.
    Between,
    /// Beyond a column, so that it becomes a column itself; `narrow` if there was only one.
    Beyond { right: bool, narrow: bool },
}
