//! The best few keys of a query in three dimensions, by branch and bound.

use alloc::vec::Vec;

use super::{Index3, LEAF, Tree, bound};
use crate::best::Best;
use crate::point3::FILTER3;
use crate::{Error, Found, Point3};

/// The best keys of a query in three dimensions, best first, with buffers that queries reuse.
/// Derefs to a slice.
#[derive(Clone, Debug, Default)]
pub struct Top3 {
    q: Point3,
    k: usize,
    /// A bound of the rounding error of every score.
    error: f64,
    /// Keys with lesser rounded scores are not among the best.
    threshold: f64,
    /// The keys that were at least the threshold when they were seen, and their numbers here.
    seen: Vec<Found<Point3>>,
    best: Best<Point3>,
    touched: usize,
}

impl core::ops::Deref for Top3 {
    type Target = [Found<Point3>];

    fn deref(&self) -> &[Found<Point3>] {
        self.best.ranked()
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
        top.begin(k, self.error(top.q));
        if k > 0 {
            for &(key, id) in &self.latest {
                top.consider(Found { id, key });
            }
            for tree in self.trees.iter().rev().filter(|tree| !tree.keys.is_empty()) {
                tree.top(top);
            }
        }
        top.finish();
    }

    /// A bound of the rounding error of every score of a query.
    fn error(&self, q: Point3) -> f64 {
        let roots = self.trees.iter().filter_map(|tree| tree.boxes.first());
        let corners = roots.flatten().copied();
        let keys = corners.chain(self.latest.iter().map(|&(key, _)| key));
        let most = keys.fold([0.0; 3], |most: [f64; 3], key| {
            let key = key.array();
            core::array::from_fn(|axis| most[axis].max(key[axis].abs()))
        });
        let terms = q.array().into_iter().zip(most);
        FILTER3 * terms.map(|(q, most)| q.abs() * most).sum::<f64>()
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

    fn begin(&mut self, k: usize, error: f64) {
        (self.k, self.error, self.threshold) = (k, error, f64::NEG_INFINITY);
        self.seen.clear();
        self.best.candidates.clear();
    }

    #[inline]
    fn consider(&mut self, new: Found<Point3>) {
        self.touched += 1;
        let (q, key) = (self.q, new.key);
        let score = q.x * key.x + q.y * key.y + q.z * key.z;
        if score >= self.threshold {
            self.best.candidates.push((score, self.seen.len() as u32));
            self.seen.push(new);
        }
    }

    /// Drops most of the candidates that are not among the best, if there are many.
    #[inline]
    fn settle(&mut self) {
        if self.best.candidates.len() > 2 * self.k + LEAF {
            let seen = &self.seen;
            let found = |number: u32| seen[number as usize];
            let cut = self.best.cut(self.q, self.k, self.error, found);
            self.threshold = self.threshold.max(cut);
        }
    }

    fn finish(&mut self) {
        let found = |number: u32| self.seen[number as usize];
        self.best.rank(self.q, self.k, self.error, found);
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
            if most >= top.threshold {
                if node >= leaves - 1 {
                    let from = (node - (leaves - 1)) * LEAF;
                    let leaf = from..from + LEAF;
                    for (&key, &id) in self.keys[leaf.clone()].iter().zip(&self.ids[leaf]) {
                        top.consider(Found { id, key });
                    }
                    top.settle();
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
