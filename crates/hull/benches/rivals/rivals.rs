//! The structures that the hull index is compared with. All answer queries whose y is positive.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

use geo::{Coord, CoordsIter, MultiPoint};
use weightware_hull::{Hint, HullIndex, LinearIndex, Point, Winners};

/// A dynamic index: pushes keys and returns winners, each as a number that stands for its key.
pub(crate) trait Rival: Default {
    const NAME: &'static str;
    /// The greatest number of keys for which this rival is measured.
    const MOST: usize;

    fn push(&mut self, key: Point);

    /// The winner of the next query of the stream of queries numbered `stream`.
    fn query(&mut self, q: Point, stream: usize) -> u32;

    fn bytes(&self) -> Option<usize> {
        None
    }
}

#[derive(Default)]
pub(crate) struct Hull {
    index: HullIndex,
    hints: Vec<Hint>,
}

impl Rival for Hull {
    const NAME: &'static str = "hull";
    const MOST: usize = usize::MAX;

    fn push(&mut self, key: Point) {
        let _ = self.index.push(key).expect("a key in the domain");
    }

    fn query(&mut self, q: Point, stream: usize) -> u32 {
        if stream >= self.hints.len() {
            self.hints.resize(stream + 1, Hint::default());
        }
        match self.index.winners(q, &mut self.hints[stream]) {
            Ok(Winners::One(slot)) => slot,
            Ok(Winners::Many(slots)) => slots[0],
            other => panic!("{other:?}"),
        }
    }

    fn bytes(&self) -> Option<usize> {
        Some(self.index.heap_bytes())
    }
}

#[derive(Default)]
pub(crate) struct Linear {
    index: LinearIndex,
    winners: Vec<u32>,
}

impl Rival for Linear {
    const NAME: &'static str = "linear scan";
    const MOST: usize = 1_000_000;

    fn push(&mut self, key: Point) {
        self.index.push(key).expect("a key in the domain");
    }

    fn query(&mut self, q: Point, _: usize) -> u32 {
        self.index
            .winners(q, &mut self.winners)
            .expect("a query in the domain");
        self.winners[0]
    }
}

/// The upper envelope of lines in an ordered set: a key `(x, y)` is the line `x s + y`, and the
/// query `(s, 1)` finds the highest line. It uses plain floats, ignores ties and keeps the upper
/// chain alone, so it has less to do.
#[derive(Default)]
pub(crate) struct OrderedMap {
    lines: BTreeSet<Line>,
    count: u32,
}

#[derive(Clone, PartialEq)]
struct Line {
    x: f64,
    y: f64,
    id: u32,
    /// The line is the highest up to this `s`.
    until: Cell<f64>,
    /// Whether this is not a line but a query, to compare with `until`.
    is_query: bool,
}

impl Eq for Line {}

impl PartialOrd for Line {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Line {
    fn cmp(&self, other: &Self) -> Ordering {
        // Lines in ascending order of slope are in ascending order of `until`, too.
        if self.is_query || other.is_query {
            self.until.get().total_cmp(&other.until.get())
        } else {
            self.x.total_cmp(&other.x)
        }
    }
}

impl Line {
    /// The `s` from which the next line is higher.
    fn crosses(&self, next: &Self) -> f64 {
        (self.y - next.y) / (next.x - self.x)
    }
}

impl OrderedMap {
    fn before(&self, line: &Line) -> Option<Line> {
        self.lines.range(..line).next_back().cloned()
    }

    fn after(&self, line: &Line) -> Option<Line> {
        self.lines
            .range((Excluded(line), Unbounded))
            .next()
            .cloned()
    }
}

impl Rival for OrderedMap {
    const NAME: &'static str = "ordered map";
    const MOST: usize = 10_000_000;

    fn push(&mut self, key: Point) {
        let line = Line {
            x: key.x,
            y: key.y,
            id: self.count,
            until: Cell::new(f64::INFINITY),
            is_query: false,
        };
        self.count += 1;
        if let Some(same) = self.lines.get(&line) {
            if same.y >= line.y {
                return;
            }
            self.lines.remove(&line);
        }
        let (mut before, mut after) = (self.before(&line), self.after(&line));
        if let (Some(before), Some(after)) = (&before, &after)
            && before.crosses(&line) >= line.crosses(after)
        {
            return;
        }
        while let Some(last) = &before
            && let Some(second) = self.before(last)
            && second.crosses(last) >= last.crosses(&line)
        {
            self.lines.remove(last);
            before = Some(second);
        }
        while let Some(first) = &after
            && let Some(second) = self.after(first)
            && line.crosses(first) >= first.crosses(&second)
        {
            self.lines.remove(first);
            after = Some(second);
        }
        if let Some(after) = after {
            line.until.set(line.crosses(&after));
        }
        if let Some(before) = before {
            let until = before.crosses(&line);
            self.lines
                .get(&before)
                .expect("it is there")
                .until
                .set(until);
        }
        self.lines.insert(line);
    }

    fn query(&mut self, q: Point, _: usize) -> u32 {
        let query = Line {
            x: 0.0,
            y: 0.0,
            id: 0,
            until: Cell::new(q.x / q.y),
            is_query: true,
        };
        let found = self.lines.range(query..).next();
        found.expect("a line that is highest").id
    }
}

/// Static hulls of the `geo` crate, made dynamic by the logarithmic method: hulls of up to 1, 2,
/// 4... keys; full ones are joined and rebuilt.
#[derive(Default)]
pub(crate) struct Rebuilt {
    levels: Vec<Vec<(Point, u32)>>,
    count: u32,
}

impl Rival for Rebuilt {
    const NAME: &'static str = "geo, rebuilt";
    const MOST: usize = 1_000_000;

    fn push(&mut self, key: Point) {
        let mut keys = vec![(key, self.count)];
        self.count += 1;
        let mut level = 0;
        while let Some(full) = self.levels.get_mut(level)
            && !full.is_empty()
        {
            keys.append(full);
            level += 1;
        }
        if level == self.levels.len() {
            self.levels.push(vec![]);
        }
        self.levels[level] = upper_hull(keys);
    }

    fn query(&mut self, q: Point, _: usize) -> u32 {
        let score = |key: Point| q.x * key.x + q.y * key.y;
        let mut best = (f64::NEG_INFINITY, 0);
        for hull in &self.levels {
            let rises = |w: usize| score(hull[w].0) < score(hull[w + 1].0);
            let (mut low, mut high) = (0, hull.len().saturating_sub(1));
            while low < high {
                let middle = low + (high - low) / 2;
                if rises(middle) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            if let Some(&(key, id)) = hull.get(low)
                && score(key) > best.0
            {
                best = (score(key), id);
            }
        }
        best.1
    }
}

/// The vertices of the upper hull, ascending in x.
fn upper_hull(mut keys: Vec<(Point, u32)>) -> Vec<(Point, u32)> {
    if keys.len() <= 2 {
        keys.sort_by(|a, b| a.0.x.total_cmp(&b.0.x));
        return keys;
    }
    let points: MultiPoint = keys
        .iter()
        .map(|&(key, _)| Coord::from((key.x, key.y)))
        .collect();
    let hull = geo::ConvexHull::convex_hull(&points);
    let order = |a: &Point, b: &Point| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y));
    keys.sort_by(|a, b| order(&a.0, &b.0));
    // Counterclockwise, so the upper hull goes to the left.
    let ring: Vec<Point> = hull.coords_iter().map(|c| Point::new(c.x, c.y)).collect();
    let right = (0..ring.len())
        .max_by(|&a, &b| order(&ring[a], &ring[b]))
        .expect("a vertex");
    let mut upper: Vec<(Point, u32)> = vec![];
    for i in 0..ring.len() {
        let key = ring[(right + i) % ring.len()];
        if upper.last().is_some_and(|last| key.x > last.0.x) {
            break;
        }
        let at = keys
            .binary_search_by(|a| order(&a.0, &key))
            .expect("a vertex is a key");
        upper.push(keys[at]);
    }
    upper.reverse();
    upper
}
