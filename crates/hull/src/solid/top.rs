//! The best few keys of a query in three dimensions, by branch and bound.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{Index3, LEAF, Tree, bound, range};
use crate::rank::rank;
use crate::{Error, Found, Point3};

/// The best keys of a query in three dimensions, best first, with buffers that queries reuse.
/// Derefs to a slice.
#[derive(Clone, Debug, Default)]
pub struct Top3 {
    q: Point3,
    k: usize,
    found: Vec<Found<Point3>>,
    /// Bounds of the score of each.
    scores: Vec<[f64; 2]>,
    touched: usize,
}

impl core::ops::Deref for Top3 {
    type Target = [Found<Point3>];

    fn deref(&self) -> &[Found<Point3>] {
        &self.found
    }
}

impl Index3 {
    /// Finds the `k` best keys, or all if there are fewer: by score, compared exactly, among equal
    /// scores by the lesser x, then y, then z, then the earlier one.
    ///
    /// A query visits the boxes that may hold a key better than the `k` best seen so far.
    ///
    /// # Errors
    /// If a coordinate of `q` is out of the [domain](crate::Point::in_domain).
    ///
    /// ```
    /// use weightware_hull::{Index3, Point3, Top3};
    ///
    /// let mut index = Index3::new();
    /// for i in 0..1000 {
    ///     let (a, b) = (f64::from(i % 10), f64::from(i / 10));
    ///     index.push(Point3::new(2.0 * a, 2.0 * b, -a * a - b * b))?;
    /// }
    /// let mut top = Top3::new();
    /// index.top(Point3::new(4.2, 17.1, 1.0), 3, &mut top)?;
    /// let ids: Vec<u32> = top.iter().map(|found| found.id).collect();
    /// assert_eq!(ids, [174, 175, 184]);
    /// # Ok::<(), weightware_hull::Error>(())
    /// ```
    pub fn top(&self, q: Point3, k: usize, top: &mut Top3) -> Result<(), Error> {
        (top.q, top.touched) = (q.checked()?, 0);
        self.more(k, top);
        Ok(())
    }

    /// Answers the last query of `top` again, for another number of keys.
    pub(crate) fn more(&self, k: usize, top: &mut Top3) {
        top.k = k;
        top.found.clear();
        top.scores.clear();
        if k == 0 {
            return;
        }
        for &(key, id) in &self.latest {
            top.consider(Found { id, key });
        }
        for tree in self.trees.iter().rev().filter(|tree| !tree.keys.is_empty()) {
            tree.top(top);
        }
    }
}

impl Top3 {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many boxes and keys the query looked at.
    pub fn touched(&self) -> usize {
        self.touched
    }

    /// A score below this one is certainly not among the best.
    #[inline]
    fn threshold(&self) -> f64 {
        match self.scores.get(self.k - 1) {
            Some(&[low, _]) => low,
            None => f64::NEG_INFINITY,
        }
    }

    #[inline]
    fn consider(&mut self, new: Found<Point3>) {
        self.touched += 1;
        let (q, key) = (self.q, new.key);
        let score = range([q.x * key.x, q.y * key.y, q.z * key.z]);
        if score[1] >= self.threshold() {
            self.insert(new, score);
        }
    }

    fn insert(&mut self, new: Found<Point3>, score: [f64; 2]) {
        let (mut low, mut high) = (0, self.found.len());
        while low < high {
            let middle = low.midpoint(high);
            let other = self.scores[middle];
            let is_better = if other[0] > score[1] {
                true
            } else if other[1] < score[0] {
                false
            } else {
                rank(self.q, self.found[middle], new) == Ordering::Less
            };
            if is_better {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low < self.k {
            self.found.truncate(self.k - 1);
            self.scores.truncate(self.k - 1);
            self.found.insert(low, new);
            self.scores.insert(low, score);
        }
    }
}

impl Tree {
    fn top(&self, top: &mut Top3) {
        let leaves = self.keys.len() / LEAF;
        // Boxes to visit later, with their bounds: at most one for every level.
        let mut pending = [(0.0, 0); 32];
        let mut len = 0;
        let mut next = Some((bound(top.q, self.boxes[0]), 0));
        while let Some((most, node)) = next {
            next = None;
            top.touched += 1;
            if most >= top.threshold() {
                if node >= leaves - 1 {
                    let from = (node - (leaves - 1)) * LEAF;
                    let leaf = from..from + LEAF;
                    for (&key, &id) in self.keys[leaf.clone()].iter().zip(&self.ids[leaf]) {
                        top.consider(Found { id, key });
                    }
                } else {
                    let children = [2 * node + 1, 2 * node + 2];
                    let [a, b] = children.map(|child| (bound(top.q, self.boxes[child]), child));
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
