//! Convex layers: nested hulls for the best few keys of a query.

use alloc::vec::Vec;

use crate::blocks::Pos;
use crate::chain::{Chain, Place, Trail};
use crate::rank::{Found, gain, rank};
use crate::{Error, Point};
use core::cmp::Ordering;

/// Finds the `k` best keys of a query, for `k` up to a limit, by convex layers.
///
/// ```text
///      .---------.      The outer layer is the hull of all keys, the next that of the keys
///     / .------.  \     which are not its vertices, and so on. The best key is a vertex of the
///    | |  .--.  |  |    first layer; the second best is beside it or the best of the second
///     \ '------'  /     layer; the j-th best lies in the first j layers.
///      '---------'
/// ```
///
/// Ids number the keys from 0 in the order of their pushes. Among keys of equal scores (compared
/// exactly) the one of lesser x is better, then the one of lesser y, then the earlier one. So the
/// ranking is total, and only the ranks of coinciding keys depend on the order of pushes.
///
/// # Complexity
///
/// With the limit `L`, a query for `k` keys opens at most `k` layers: `O(k log n)` in the worst
/// case, `O(k + log n)` where the keys are on few layers, as on a parabola or a circle. A push
/// searches `O(log L)` layers, and moves vertices that the new key covers to the next layer: a key
/// moves at most `L` times in all, which makes a push `O(L log n)` amortised, and `O(log n)` for a
/// key inside all layers or one that covers none. A key that falls below the last layer can never
/// be among the best `L` again, and is dropped. Memory is 16 to 20 bytes per kept key (up to twice
/// that where blocks were split), and about 250 bytes per layer.
///
/// ```
/// use weightware_hull::{Layers, Point, Top};
///
/// let mut layers = Layers::new(3);
/// for t in 0..1000 {
///     let t = f64::from(t);
///     layers.push(Point::new(2.0 * t, -t * t))?;
/// }
/// let mut top = Top::new();
/// layers.top(Point::new(42.2, 1.0), 3, &mut top)?;
/// let ids: Vec<u32> = top.iter().map(|found| found.id).collect();
/// assert_eq!(ids, [42, 43, 41]);
/// # Ok::<(), weightware_hull::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Layers {
    layers: Vec<Layer>,
    limit: usize,
    /// The number of keys pushed.
    len: u32,
    /// How many keys pushes have moved to the next layer.
    moves: u64,
    /// Keys that a push moves to the next layer; empty between pushes.
    falling: [Vec<(Point, u32)>; 2],
}

/// The vertices of a convex polygon, each once.
#[derive(Clone, Debug, Default)]
struct Layer {
    upper: Chain,
    /// The lower chain, mirrored in the x axis.
    lower: Chain,
}

/// The best keys of a query, best first, with buffers that queries reuse. Derefs to a slice.
#[derive(Clone, Debug, Default)]
pub struct Top {
    query: Point,
    /// A common reference of gains: the best vertex of the first layer.
    zero: Point,
    found: Vec<Found>,
    next: Option<Point>,
    /// The layers that the query has opened.
    arcs: Vec<Arc>,
    /// Pairs of an open layer and the better end of its arc, worst first.
    queue: Vec<(usize, usize)>,
    /// How many vertices the query has looked at.
    touched: usize,
}

/// The vertices of a layer that the query has not returned: from one end to the other. At first
/// that is the whole layer, and its best vertex is the first end.
#[derive(Clone, Copy, Debug)]
struct Arc {
    whole: bool,
    /// The ends, to go on counterclockwise (0) or clockwise (1). If one vertex is left, there is
    /// only one end.
    ends: [Option<End>; 2],
}

/// A vertex at an end of an arc.
#[derive(Clone, Copy, Debug)]
struct End {
    at: Corner,
    found: Found,
    /// How much the score exceeds that of a common reference key, rounded, and a bound of the
    /// error.
    gain: f64,
    error: f64,
}

/// A vertex of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Corner {
    Upper(Pos),
    Lower(Pos),
}

impl Top {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// The best key that is not in the list, if it is known. It is unknown if the query wanted as
    /// many keys as the layers support.
    pub fn next_best(&self) -> Option<Point> {
        self.next
    }

    /// How many vertices the query looked at: comparisons while it searched layers, and vertices
    /// beside those found.
    pub fn touched(&self) -> usize {
        self.touched
    }
}

impl core::ops::Deref for Top {
    type Target = [Found];

    fn deref(&self) -> &[Found] {
        &self.found
    }
}

impl Layers {
    /// Creates layers that answer queries for up to `limit` best keys.
    ///
    /// # Panics
    /// If the limit is 0.
    pub fn new(limit: usize) -> Self {
        assert!(limit > 0, "no layer at all");
        Self {
            layers: Vec::new(),
            limit,
            len: 0,
            moves: 0,
            falling: Default::default(),
        }
    }

    /// The greatest number of best keys that a query can return.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The number of keys pushed.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether no keys were pushed.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of keys that can still be among the best.
    pub fn kept(&self) -> usize {
        self.layers.iter().map(Layer::len).sum()
    }

    /// How many times pushes have moved keys from a layer to the next one, or dropped them below
    /// the last one. A push that moves many keys takes as much longer.
    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// The vertices of every layer with their ids, from the outside to the inside, each
    /// counterclockwise from the leftmost.
    pub fn outlines(&self) -> impl Iterator<Item = Vec<Found>> + '_ {
        self.layers.iter().map(|layer| {
            let first = layer.lower.begin().map(Corner::Lower);
            let mut next = first;
            core::iter::from_fn(|| {
                let at = next?;
                next = Some(layer.turn(at, 0)).filter(|&at| !layer.same(at, first));
                Some(layer.found(at))
            })
            .collect()
        })
    }

    /// The memory allocated, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let chains = |l: &Layer| l.upper.heap_bytes() + l.lower.heap_bytes();
        let falling: usize = self.falling.iter().map(Vec::capacity).sum();
        self.layers.iter().map(chains).sum::<usize>()
            + self.layers.capacity() * size_of::<Layer>()
            + falling * size_of::<(Point, u32)>()
    }

    /// Adds a key and returns its id.
    ///
    /// # Errors
    /// If a coordinate is out of the [domain](Point::in_domain), or all 2^32 - 1 ids are taken.
    pub fn push(&mut self, key: Point) -> Result<u32, Error> {
        let key = key.checked()?;
        let id = self.len;
        if id == u32::MAX {
            return Err(Error::full());
        }
        self.len += 1;
        // Layers are nested, and the latest of coinciding keys is in the innermost. Most keys of a
        // cloud are within all of them.
        if self.layers.len() == self.limit && self.layers[self.limit - 1].contains(key) {
            return Ok(id);
        }
        let first = self.layers.partition_point(|layer| layer.contains(key));
        let [mut falling, mut next] = core::mem::take(&mut self.falling);
        falling.push((key, id));
        for at in first..self.limit {
            if falling.is_empty() {
                break;
            }
            if at == self.layers.len() {
                self.layers.push(Layer::default());
            }
            for (key, id) in falling.drain(..) {
                self.layers[at].push(key, id, &mut next);
            }
            core::mem::swap(&mut falling, &mut next);
            self.moves += falling.len() as u64;
        }
        falling.clear();
        self.falling = [falling, next];
        Ok(id)
    }

    /// Finds the `k` best keys, or all if there are fewer.
    ///
    /// # Errors
    /// If a coordinate of `q` is out of the [domain](Point::in_domain).
    ///
    /// # Panics
    /// If `k` is above the limit.
    pub fn top(&self, q: Point, k: usize, top: &mut Top) -> Result<(), Error> {
        let q = q.checked()?;
        assert!(k <= self.limit, "{k} of {} best keys", self.limit);
        top.found.clear();
        top.arcs.clear();
        top.queue.clear();
        top.next = None;
        top.touched = 0;
        let Some(at) = self
            .layers
            .first()
            .map(|first| first.best(q, None, &mut top.touched))
        else {
            return Ok(());
        };
        (top.query, top.zero) = (q, self.layers[0].found(at).key);
        self.open(at, top);
        self.more(k, top);
        Ok(())
    }

    /// Continues the last query of `top` until `k` keys are found, or all if there are fewer. The
    /// layers must not have changed, and `k` is at most the limit.
    pub(crate) fn more(&self, k: usize, top: &mut Top) {
        let (q, zero) = (top.query, top.zero);
        while top.found.len() < k
            && let Some((number, side)) = top.queue.pop()
        {
            let layer = &self.layers[number];
            let arc = &mut top.arcs[number];
            let Some(end) = arc.ends[side].take() else {
                unreachable!("the queue names only ends that are left in their arcs");
            };
            top.found.push(end.found);
            // The vertex, and one or two beside it.
            top.touched += if arc.whole { 3 } else { 2 };
            if top.found.len() == self.limit {
                // No query may return more.
                break;
            }
            let next = |side| End::new(q, zero, layer, layer.turn(end.at, side));
            if arc.whole {
                let ends = layer
                    .beside(end.at)
                    .map(|beside| beside.map(|(at, found)| End::of(q, zero, at, found)))
                    .unwrap_or_else(|| [0, 1].map(next));
                let ids = ends.map(|end| end.found.id);
                arc.whole = false;
                arc.ends = if ids[0] == end.found.id {
                    [None; 2]
                } else if ids[0] == ids[1] {
                    [Some(ends[0]), None]
                } else {
                    ends.map(Some)
                };
                top.enqueue(q, number);
                if let Some(layer) = self.layers.get(number + 1) {
                    // Neighbouring layers are alike, so the search starts at the same x.
                    let best = layer.best(q, Some(end.found.key.x), &mut top.touched);
                    self.open(best, top);
                }
            } else {
                if let Some(other) = &arc.ends[1 - side] {
                    let end = next(side);
                    if end.found.id != other.found.id {
                        arc.ends[side] = Some(end);
                    }
                }
                top.enqueue(q, number);
            }
        }
        if k < self.limit {
            top.next = top.queue.last().and_then(|&(layer, side)| {
                let end = &top.arcs[layer].ends[side];
                end.map(|end| end.found.key)
            });
        }
    }

    /// Opens the next layer, whose best vertex is given.
    fn open(&self, best: Corner, top: &mut Top) {
        let (q, number) = (top.query, top.arcs.len());
        let best = End::new(q, top.zero, &self.layers[number], best);
        top.arcs.push(Arc {
            whole: true,
            ends: [Some(best), None],
        });
        top.enqueue(q, number);
    }
}

impl Top {
    /// Inserts a layer's better end into the queue, if it has an end.
    fn enqueue(&mut self, q: Point, layer: usize) {
        let side = match &self.arcs[layer].ends {
            [None, None] => return,
            [Some(_), None] => 0,
            [None, Some(_)] => 1,
            [Some(a), Some(b)] => usize::from(a.is_worse(q, b)),
        };
        let Some(new) = &self.arcs[layer].ends[side] else {
            unreachable!("the match above chose an end that is left");
        };
        // Most often it belongs where the last one was taken from.
        let mut at = self.queue.len();
        while let Some(&(layer, side)) = at.checked_sub(1).and_then(|at| self.queue.get(at))
            && let Some(other) = &self.arcs[layer].ends[side]
            && new.is_worse(q, other)
        {
            at -= 1;
        }
        self.queue.insert(at, (layer, side));
    }
}

impl End {
    #[inline]
    fn new(q: Point, zero: Point, layer: &Layer, at: Corner) -> Self {
        Self::of(q, zero, at, layer.found(at))
    }

    #[inline]
    fn of(q: Point, zero: Point, at: Corner, found: Found) -> Self {
        let (gain, error) = gain(q, found.key, zero);
        Self {
            at,
            found,
            gain,
            error,
        }
    }

    /// Whether the other end is ranked before this one.
    #[inline]
    fn is_worse(&self, q: Point, other: &Self) -> bool {
        let difference = self.gain - other.gain;
        if difference.abs() > self.error + other.error {
            difference < 0.0
        } else {
            rank(q, self.found, other.found) == Ordering::Greater
        }
    }
}

impl Layer {
    fn len(&self) -> usize {
        let ends = [
            (self.upper.first(), self.lower.first()),
            (self.upper.last(), self.lower.last()),
        ];
        let shared = ends.map(|(u, l)| usize::from(u == l.map(Point::flipped)));
        let shared = match (self.upper.len(), self.lower.len()) {
            (1, 1) => shared[0],
            _ => shared[0] + shared[1],
        };
        self.upper.len() + self.lower.len() - shared
    }

    /// Whether the key is within the polygon, its border included.
    fn contains(&self, key: Point) -> bool {
        self.upper.covers(key) && self.lower.covers(key.flipped())
    }

    /// Adds a key. Appends to `out` the keys that are no longer vertices, perhaps the new key
    /// itself.
    fn push(&mut self, key: Point, id: u32, out: &mut Vec<(Point, u32)>) {
        let places = [self.upper.place(key), self.lower.place(key.flipped())];
        if let [Place::Same(other), _] | [_, Place::Same(other)] = places {
            // The earliest of coinciding keys is the vertex.
            if id < other {
                self.upper.renumber(key, id);
                self.lower.renumber(key.flipped(), id);
                out.push((key, other));
            } else {
                out.push((key, id));
            }
            return;
        }
        let ([Place::On(_), _] | [_, Place::On(_)]) = places else {
            out.push((key, id));
            return;
        };
        // Only the ends of a chain were on the other chain as well, and may still be.
        let ends = [self.lower.begin(), self.lower.end()];
        let ends = ends.map(|at| at.map(|at| self.lower.slot(at)));
        let start = out.len();
        if let Place::On(spot) = places[0] {
            let gone = |key, id, _| out.push((key, id));
            self.upper.insert(spot, key, id, gone);
        }
        let middle = out.len();
        if let Place::On(spot) = places[1] {
            let gone = |key: Point, id, _| out.push((key.flipped(), id));
            self.lower.insert(spot, key.flipped(), id, gone);
        }
        let is_on = |chain: &Chain, key| matches!(chain.place(key), Place::Same(_));
        let mut kept = start;
        for at in start..out.len() {
            let (key, id) = out[at];
            let shared = ends.contains(&Some(id));
            let stays = shared
                && if at < middle {
                    is_on(&self.lower, key.flipped())
                } else {
                    let twice = out[start..middle.min(kept)].iter().any(|gone| gone.1 == id);
                    twice || is_on(&self.upper, key)
                };
            if !stays {
                out[kept] = (key, id);
                kept += 1;
            }
        }
        out.truncate(kept);
    }

    fn found(&self, at: Corner) -> Found {
        match at {
            Corner::Upper(at) => {
                let (key, id) = self.upper.vertex(at);
                Found { id, key }
            }
            Corner::Lower(at) => {
                let (key, id) = self.lower.vertex(at);
                let key = key.flipped();
                Found { id, key }
            }
        }
    }

    /// The next vertices counterclockwise and clockwise, `None` where they are not close in memory.
    #[inline]
    fn beside(&self, at: Corner) -> Option<[(Corner, Found); 2]> {
        match at {
            Corner::Upper(at) => {
                let [before, after] = self.upper.beside(at)?;
                let found = |(at, key, id)| (Corner::Upper(at), Found { id, key });
                Some([found(before), found(after)])
            }
            Corner::Lower(at) => {
                let [before, after] = self.lower.beside(at)?;
                let found = |(at, key, id): (_, Point, _)| {
                    let key = key.flipped();
                    (Corner::Lower(at), Found { id, key })
                };
                Some([found(after), found(before)])
            }
        }
    }

    fn same(&self, at: Corner, other: Option<Corner>) -> bool {
        other.is_some_and(|other| self.found(at).id == self.found(other).id)
    }

    /// The next vertex, counterclockwise (0) or clockwise (1); a single vertex is its own
    /// neighbour.
    fn turn(&self, at: Corner, side: usize) -> Corner {
        let along = |at| match (at, side) {
            // Counterclockwise leads to the right on the lower chain, and to the left on the upper
            // one.
            (Corner::Lower(at), 0) => self.lower.next(at).map(Corner::Lower),
            (Corner::Lower(at), _) => self.lower.prev(at).map(Corner::Lower),
            (Corner::Upper(at), 0) => self.upper.prev(at).map(Corner::Upper),
            (Corner::Upper(at), _) => self.upper.next(at).map(Corner::Upper),
        };
        if let Some(next) = along(at) {
            return next;
        }
        let below = matches!(at, Corner::Lower(_));
        let other = match (below, below == (side == 0)) {
            (true, true) => self.upper.end().map(Corner::Upper),
            (true, false) => self.upper.begin().map(Corner::Upper),
            (false, true) => self.lower.end().map(Corner::Lower),
            (false, false) => self.lower.begin().map(Corner::Lower),
        };
        match other {
            // Where the chains meet in one vertex, the next vertex is one further.
            Some(other) if self.same(other, Some(at)) => along(other).unwrap_or(other),
            Some(other) => other,
            None => unreachable!("a layer with a vertex has both chains"),
        }
    }

    /// The best vertex, searched from near this x; there must be one.
    fn best(&self, q: Point, near: Option<f64>, touched: &mut usize) -> Corner {
        let mut winner = |chain: &Chain, q| {
            let hint = near.map_or(Pos::default(), |x| chain.near(x));
            let mut trail = Trail::near(hint);
            let found = chain.winner(q, &mut trail);
            // The vertex at the hint and those beside it.
            *touched += 3 + trail.compared as usize;
            found
        };
        let found = if q.y > 0.0 {
            winner(&self.upper, q).map(|(at, _)| Corner::Upper(at))
        } else if q.y < 0.0 {
            winner(&self.lower, q.flipped()).map(|(at, _)| Corner::Lower(at))
        } else if q.x > 0.0 {
            self.lower.end().map(Corner::Lower)
        } else {
            self.lower.begin().map(Corner::Lower)
        };
        match found {
            Some(found) => found,
            None => unreachable!("a layer has a vertex"),
        }
    }
}
