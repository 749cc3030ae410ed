//! The whole hull: two chains, two columns, and the numbering of its points.

use crate::blocks::{Blocks, Pos};
use crate::chain::{Chain, Place};
use crate::{Error, Point};
use smallvec::SmallVec;

/// The convex hull of all points pushed so far: finds the winners of any query.
///
/// Geometry only: values live elsewhere, in arrays indexed by *slot*. A slot is the number of a
/// distinct point that can still win. Points that coincide share one; a point that comes to lie
/// strictly inside of the hull can never win again (the hull only grows), and its slot is given
/// to a later point. Points *on* an edge of the hull are kept, because they tie.
///
/// # Complexity
///
/// With `h` points on the hull: a push is `O(1)` amortised when its x is the greatest so far, as
/// in a stream of keys `(2t, -t²)`, and otherwise `O(log h)` for the search and, where the point
/// belongs on the hull, a move of at most one block of points. A query is `O(log h)`, `O(1)` when
/// the answer is at or beside the [`Hint`], plus the number of distinct points that tie; `(0, 0)`
/// is `O(1)`. Memory is 21 bytes per point on the hull, and 20 more if it is on both chains.
///
/// When not to use it: for a few dozen keys a scan is as fast. A query whose ties are most of the
/// keys (all distinct keys on one line, and the query normal to it) costs as much as a scan.
///
/// ```
/// use weightware_hull::{Hint, HullIndex, Inserted, Point, Winners};
///
/// let mut hull = HullIndex::new();
/// let mut sums: Vec<f64> = Vec::new(); // by slot
/// for (x, y, value) in [(0.0, 0.0, 1.0), (4.0, 0.0, 2.0), (2.0, 3.0, 4.0), (2.0, 1.0, 8.0), (2.0, 3.0, 16.0)] {
///     match hull.push(Point::new(x, y))? {
///         Inserted::Interior => {}
///         Inserted::New(slot) => {
///             sums.resize(hull.slots(), 0.0);
///             sums[slot as usize] = value;
///         }
///         Inserted::Same(slot) => sums[slot as usize] += value,
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
    upper: Chain,
    /// Mirrored in the x axis.
    lower: Chain,
    /// All distinct points of least x, ascending in y, and of greatest x. While all points have
    /// the same x they are in `left` alone.
    left: Blocks,
    right: Blocks,
    /// By slot: where the point is, zero for a slot that is free.
    marks: Vec<u8>,
    free: Vec<u32>,
    len: u64,
}

const UPPER: u8 = 1;
const LOWER: u8 = 2;
const COLUMN: u8 = 4;

/// What became of a point pushed into a [`HullIndex`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It lies strictly inside of the hull and will never win, save for the query `(0, 0)`.
    Interior,
    /// It is a new point of the hull. The slot is new or was another point's: whatever is kept
    /// under that number is to be reset.
    New(u32),
    /// It coincides with a point of the hull, and adds to whatever is kept under its number.
    Same(u32),
}

/// The winners of a query, by slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Winners {
    /// There are no points.
    Empty,
    /// All points ever pushed, interior ones too: the query was `(0, 0)`.
    All,
    /// One distinct point.
    One(u32),
    /// Two distinct points or more: all that tie, each once.
    Many(SmallVec<[u32; 4]>),
}

/// Where a [`HullIndex`] found its last answers, to look there first.
///
/// Any hint is valid for any index at any time; it affects speed only. Keep one per stream of
/// queries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hint {
    upper: Pos,
    lower: Pos,
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
        let upper = self.upper.place(point);
        if let Place::Same(slot) = upper {
            self.len += 1;
            return Ok(Inserted::Same(slot));
        }
        let lower = self.lower.place(point.flipped());
        if let Place::Same(slot) = lower {
            self.len += 1;
            return Ok(Inserted::Same(slot));
        }
        let side = self.side(point.x);
        if let Some(column) = side.column() {
            let column = if column == LEFT {
                &self.left
            } else {
                &self.right
            };
            let pos = column.lower_bound(point.y, |p| p.y);
            if pos != column.end() && column.point(pos).y == point.y {
                self.len += 1;
                return Ok(Inserted::Same(column.slot(pos)));
            }
        }
        if let (Place::Below, Place::Below, Side::Between) = (upper, lower, side) {
            self.len += 1;
            return Ok(Inserted::Interior);
        }

        let slot = self.take_slot()?;
        self.len += 1;
        let mut mark = 0;
        if let Place::On(spot) = upper {
            mark |= UPPER;
            let (marks, free) = (&mut self.marks, &mut self.free);
            self.upper
                .insert(spot, point, slot, |s| release(marks, free, s, UPPER));
        }
        if let Place::On(spot) = lower {
            mark |= LOWER;
            let (marks, free) = (&mut self.marks, &mut self.free);
            self.lower.insert(spot, point.flipped(), slot, |s| {
                release(marks, free, s, LOWER);
            });
        }
        if side != Side::Between {
            mark |= COLUMN;
            self.insert_in_column(side, point, slot);
        }
        self.marks[slot as usize] = mark;
        Ok(Inserted::New(slot))
    }

    /// Finds all points whose score with `q` is the greatest, compared exactly.
    ///
    /// # Errors
    /// If a coordinate of `q` is out of the [domain](Point::in_domain).
    #[inline]
    pub fn winners(&self, q: Point, hint: &mut Hint) -> Result<Winners, Error> {
        let q = q.checked()?;
        let (chain, q, hint) = if q.y > 0.0 {
            (&self.upper, q, &mut hint.upper)
        } else if q.y < 0.0 {
            (&self.lower, q.flipped(), &mut hint.lower)
        } else {
            return Ok(self.level_winners(q.x));
        };
        let Some(first) = chain.first_winner(q, *hint) else {
            return Ok(Winners::Empty);
        };
        *hint = first;
        Ok(if chain.ties(q, first) {
            Winners::Many(chain.all_winners(q, first))
        } else {
            Winners::One(chain.slot(first))
        })
    }

    /// The winners of `(qx, 0)`.
    fn level_winners(&self, qx: f64) -> Winners {
        if self.len == 0 {
            return Winners::Empty;
        }
        if qx == 0.0 {
            return Winners::All;
        }
        let column = if qx < 0.0 || self.upper.min_x() == self.upper.max_x() {
            &self.left
        } else {
            &self.right
        };
        let slots: SmallVec<[u32; 4]> = column.slots().collect();
        match slots[..] {
            [slot] => Winners::One(slot),
            _ => Winners::Many(slots),
        }
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
        self.marks.len()
    }

    /// The number of distinct points on the hull, those on its edges included.
    pub fn vertices(&self) -> usize {
        self.marks.len() - self.free.len()
    }

    /// The memory allocated, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.upper.heap_bytes()
            + self.lower.heap_bytes()
            + self.left.heap_bytes()
            + self.right.heap_bytes()
            + self.marks.capacity()
            + self.free.capacity() * 4
    }

    #[inline]
    fn take_slot(&mut self) -> Result<u32, Error> {
        if let Some(slot) = self.free.pop() {
            return Ok(slot);
        }
        let slot = u32::try_from(self.marks.len())
            .ok()
            .filter(|&slot| slot != u32::MAX)
            .ok_or_else(Error::full)?;
        self.marks.push(0);
        Ok(slot)
    }

    /// Where a point of this x is among the columns, before it is inserted.
    #[inline]
    fn side(&self, x: f64) -> Side {
        // Every point of extreme x is below the top of its column, which is on the upper chain.
        let (Some(min), Some(max)) = (self.upper.min_x(), self.upper.max_x()) else {
            return Side::In(LEFT);
        };
        if x > min && x < max {
            Side::Between
        } else if x == min {
            Side::In(LEFT)
        } else if x == max {
            Side::In(RIGHT)
        } else {
            Side::Beyond {
                right: x > max,
                narrow: min == max,
            }
        }
    }

    fn insert_in_column(&mut self, side: Side, point: Point, slot: u32) {
        let (marks, free) = (&mut self.marks, &mut self.free);
        match side {
            Side::Between => {}
            Side::In(column) => {
                let column = if column == LEFT {
                    &mut self.left
                } else {
                    &mut self.right
                };
                let pos = column.lower_bound(point.y, |p| p.y);
                column.insert(pos, point, slot);
            }
            Side::Beyond { right, narrow } => {
                if narrow && !right {
                    // The one column there was is now the right one.
                    std::mem::swap(&mut self.left, &mut self.right);
                }
                let column = if right {
                    &mut self.right
                } else {
                    &mut self.left
                };
                if !narrow {
                    for old in column.slots() {
                        release(marks, free, old, COLUMN);
                    }
                }
                column.reset_to(point, slot);
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Column(bool);
const LEFT: Column = Column(false);
const RIGHT: Column = Column(true);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// Strictly between the columns.
    Between,
    /// In a column that is there.
    In(Column),
    /// Beyond one, to be a column itself; `narrow` if there was but one.
    Beyond { right: bool, narrow: bool },
}

impl Side {
    #[inline]
    fn column(self) -> Option<Column> {
        match self {
            Side::In(column) => Some(column),
            _ => None,
        }
    }
}

/// Takes a mark off a slot, and frees the slot when it was the last.
#[inline]
fn release(marks: &mut [u8], free: &mut Vec<u32>, slot: u32, mark: u8) {
    let marks = &mut marks[slot as usize];
    *marks &= !mark;
    if *marks == 0 {
        free.push(slot);
    }
}
