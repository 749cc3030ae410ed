//! Branch and bound over box trees: extreme points in three dimensions, for heads of dimension 3.

use alloc::vec::Vec;
use core::cmp::Ordering;

mod top;

pub use top::Top3;

use crate::point3::FILTER3;
use crate::{Error, Point3, compare_scores3};

/// Keys per leaf of a tree, and in the list of the latest keys.
const LEAF: usize = 8;
const LATEST: usize = 32;

/// Finds the keys of greatest score among keys of three dimensions.
///
/// It has no hull but a forest of box trees, searched by branch and bound. Ids number the keys from
/// 0 in the order of their pushes; scores are compared exactly, and all keys that tie are found.
///
/// ```text
///  latest keys    32 keys   64 keys    128 keys        a push fills the list; a full list is joined with
///  [. . . .   ]   [tree]    [     ]    [  tree  ]      the full trees beside it into one of twice the size
/// ```
///
/// # Complexity
///
/// A push is `O(log² n)` amortised; a rare one rebuilds everything in `O(n log n)`. A query visits
/// the boxes that may exceed the best key found. Inside a cloud these are few. For `n` keys on a
/// smooth surface such as a sphere or a paraboloid they are about `√n`, and processor caches hold a
/// smaller share of them as `n` grows: 16 µs at 10^4 keys and 370 µs at 10^6 were measured, about
/// ten times as fast as a scan. In the worst case (all keys in a plane and a query normal to it) a
/// query visits all. So it is **not** `O(log n)`. Memory is 28 bytes per key and 12 for the boxes,
/// twice that while trees are joined. No key is ever dropped.
///
/// When not to use it: for two dimensions, where [`HullIndex`](crate::HullIndex) takes `O(log n)`;
/// for keys that mostly tie.
///
/// ```
/// use weightware_hull::{Index3, Point3};
///
/// // The key (2a, 2b, -a² - b²) is nearest to the query (x, y, 1) when (a, b) is nearest to (x, y).
/// let mut index = Index3::new();
/// for i in 0..10_000 {
///     let (a, b) = (f64::from(i % 100), f64::from(i / 100));
///     index.push(Point3::new(2.0 * a, 2.0 * b, -a * a - b * b))?;
/// }
/// let mut ids = Vec::new();
/// index.winners(Point3::new(42.0, 17.0, 1.0), &mut ids)?;
/// assert_eq!(ids, [1742]);
/// index.winners(Point3::new(42.5, 17.5, 1.0), &mut ids)?;
/// assert_eq!(ids, [1742, 1743, 1842, 1843]);
/// # Ok::<(), weightware_hull::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Index3 {
    /// The latest keys, fewer than `LATEST`.
    latest: Vec<(Point3, u32)>,
    /// Trees of `LATEST` keys, of twice as many, four times as many and so on; a tree may be empty.
    trees: Vec<Tree>,
    len: u32,
}

/// A complete binary tree of boxes over leaves of `LEAF` keys, in heap order.
#[derive(Clone, Debug, Default)]
struct Tree {
    /// The least and greatest coordinates below each node.
    boxes: Vec<[Point3; 2]>,
    /// The keys, leaf after leaf.
    keys: Vec<Point3>,
    ids: Vec<u32>,
}

impl Index3 {
    /// An index without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The memory allocated, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let trees = self.trees.iter().map(|tree| {
            tree.boxes.capacity() * size_of::<[Point3; 2]>()
                + tree.keys.capacity() * size_of::<Point3>()
                + tree.ids.capacity() * size_of::<u32>()
        });
        trees.sum::<usize>()
            + self.trees.capacity() * size_of::<Tree>()
            + self.latest.capacity() * size_of::<(Point3, u32)>()
    }

    /// Adds a key and returns its id.
    ///
    /// # Errors
    /// If a coordinate is out of the [domain](crate::Point::in_domain), or all 2^32 - 1 ids are
    /// taken.
    pub fn push(&mut self, key: Point3) -> Result<u32, Error> {
        let key = key.checked()?;
        let id = self.len;
        if id == u32::MAX {
            return Err(Error::full());
        }
        self.len += 1;
        self.latest.push((key, id));
        if self.latest.len() == LATEST {
            let full = self.trees.iter().take_while(|tree| !tree.keys.is_empty());
            let level = full.count();
            let mut keys = core::mem::take(&mut self.latest);
            for tree in &mut self.trees[..level] {
                let tree = core::mem::take(tree);
                keys.extend(tree.keys.into_iter().zip(tree.ids));
            }
            if level == self.trees.len() {
                self.trees.push(Tree::default());
            }
            self.trees[level] = Tree::new(keys);
        }
        Ok(id)
    }

    /// Replaces the contents of `out` with the ids of all keys whose score with `q` is the
    /// greatest, ascending; none if there are no keys.
    ///
    /// # Errors
    /// If a coordinate of `q` is out of the [domain](crate::Point::in_domain).
    pub fn winners(&self, q: Point3, out: &mut Vec<u32>) -> Result<(), Error> {
        let mut best = Best {
            q: q.checked()?,
            key: None,
            score: [f64::NEG_INFINITY; 2],
            ids: out,
        };
        best.ids.clear();
        for &(key, id) in &self.latest {
            best.consider(key, id);
        }
        for tree in self.trees.iter().rev().filter(|tree| !tree.keys.is_empty()) {
            tree.search(&mut best);
        }
        out.sort_unstable();
        Ok(())
    }
}

/// The best keys found so far.
struct Best<'o> {
    q: Point3,
    key: Option<Point3>,
    /// Bounds of the score of `key`.
    score: [f64; 2],
    ids: &'o mut Vec<u32>,
}

impl Best<'_> {
    #[inline]
    fn consider(&mut self, key: Point3, id: u32) {
        let order = match self.key {
            None => Ordering::Greater,
            Some(best) => compare_scores3(self.q, key, best),
        };
        match order {
            Ordering::Less => return,
            Ordering::Equal => {}
            Ordering::Greater => {
                self.ids.clear();
                self.key = Some(key);
                let terms = [self.q.x * key.x, self.q.y * key.y, self.q.z * key.z];
                self.score = range(terms);
            }
        }
        self.ids.push(id);
    }

    #[inline]
    fn bound(&self, corners: [Point3; 2]) -> f64 {
        bound(self.q, corners)
    }
}

/// An upper bound of the scores in a box.
#[inline]
fn bound(q: Point3, [low, high]: [Point3; 2]) -> f64 {
    let most = |q: f64, low: f64, high: f64| (q * low).max(q * high);
    let terms = [
        most(q.x, low.x, high.x),
        most(q.y, low.y, high.y),
        most(q.z, low.z, high.z),
    ];
    range(terms)[1]
}

/// Bounds of the sum of three rounded products.
#[inline]
fn range(terms: [f64; 3]) -> [f64; 2] {
    let sum = terms[0] + terms[1] + terms[2];
    let error = FILTER3 * (terms[0].abs() + terms[1].abs() + terms[2].abs());
    [sum - error, sum + error]
}

impl Tree {
    /// Builds a tree of `LATEST` keys times a power of two.
    fn new(mut keys: Vec<(Point3, u32)>) -> Self {
        let leaves = keys.len() / LEAF;
        debug_assert!(leaves.is_power_of_two(), "{} keys", keys.len());
        let mut boxes = alloc::vec![[Point3::default(); 2]; 2 * leaves - 1];
        split(&mut keys, 0, &mut boxes);
        let (keys, ids) = keys.into_iter().unzip();
        Self { boxes, keys, ids }
    }

    fn search(&self, best: &mut Best<'_>) {
        let leaves = self.keys.len() / LEAF;
        // Boxes to visit later, with their bounds: at most one for every level.
        let mut pending = [(0.0, 0); 32];
        let mut len = 0;
        let mut next = Some((best.bound(self.boxes[0]), 0));
        while let Some((bound, node)) = next {
            next = None;
            // A score that may equal the best one is not pruned.
            if bound >= best.score[0] {
                if node >= leaves - 1 {
                    let from = (node - (leaves - 1)) * LEAF;
                    let leaf = from..from + LEAF;
                    for (&key, &id) in self.keys[leaf.clone()].iter().zip(&self.ids[leaf]) {
                        best.consider(key, id);
                    }
                } else {
                    let children = [2 * node + 1, 2 * node + 2];
                    let [a, b] = children.map(|child| (best.bound(self.boxes[child]), child));
                    let (first, second) = if a.0 >= b.0 { (a, b) } else { (b, a) };
                    pending[len] = second;
                    len += 1;
                    next = Some(first);
                }
            }
            if next.is_none() && len > 0 {
                len -= 1;
                next = Some(pending[len]);
            }
        }
    }
}

/// Sorts keys into the leaves below a node, halving them across the longest side of their box.
fn split(keys: &mut [(Point3, u32)], node: usize, boxes: &mut [[Point3; 2]]) {
    let first = keys[0].0;
    let [mut low, mut high] = [first.array(); 2];
    for (key, _) in keys.iter() {
        for (axis, v) in key.array().into_iter().enumerate() {
            low[axis] = low[axis].min(v);
            high[axis] = high[axis].max(v);
        }
    }
    boxes[node] = [low, high].map(|[x, y, z]| Point3::new(x, y, z));
    if keys.len() == LEAF {
        return;
    }
    let side = |axis: &usize| high[*axis] - low[*axis];
    let longest = (0..3).max_by(|a, b| side(a).total_cmp(&side(b)));
    let axis = longest.unwrap_or(0);
    let middle = keys.len() / 2;
    keys.select_nth_unstable_by(middle, |a, b| {
        a.0.array()[axis].total_cmp(&b.0.array()[axis])
    });
    let (left, right) = keys.split_at_mut(middle);
    split(left, 2 * node + 1, boxes);
    split(right, 2 * node + 2, boxes);
}
