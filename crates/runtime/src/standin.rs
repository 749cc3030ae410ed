//! Stands in for the index crate until it is there.
use std::cmp::Ordering;
use std::collections::HashMap;

use crate::cache::ExactSum;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

pub(crate) fn compare_scores(q: Point, a: Point, b: Point) -> Ordering {
    let mut sum = ExactSum::default();
    for (s, t) in [(q.x, a.x), (q.y, a.y), (-q.x, b.x), (-q.y, b.y)] {
        let p = s * t;
        sum.add(p);
        sum.add(s.mul_add(t, -p));
    }
    sum.rounded().total_cmp(&0.0)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inserted {
    #[allow(dead_code)]
    Interior,
    New(u32),
    Same(u32),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Hint(#[allow(dead_code)] u32);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Winners {
    All,
    One(u32),
    Many(smallvec::SmallVec<[u32; 4]>),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct HullIndex {
    points: Vec<Point>,
    slots: HashMap<[u64; 2], u32>,
}

impl HullIndex {
    pub(crate) fn new() -> Self {
        Self::default()
    }
    pub(crate) fn push(&mut self, p: Point) -> Inserted {
        let n = self.points.len() as u32;
        match self.slots.entry([p.x.to_bits(), p.y.to_bits()]) {
            std::collections::hash_map::Entry::Occupied(o) => Inserted::Same(*o.get()),
            std::collections::hash_map::Entry::Vacant(v) => {
                v.insert(n);
                self.points.push(p);
                Inserted::New(n)
            }
        }
    }
    pub(crate) fn len(&self) -> usize {
        self.points.len()
    }
    pub(crate) fn bytes(&self) -> usize {
        self.points.len() * 16
    }
    pub(crate) fn winners(&self, q: Point, _: &mut Hint) -> Winners {
        if q.x == 0.0 && q.y == 0.0 {
            return Winners::All;
        }
        let mut best = smallvec::SmallVec::<[u32; 4]>::new();
        for (i, &p) in (0..).zip(&self.points) {
            let o = best.first().map_or(Ordering::Greater, |&b| {
                compare_scores(q, p, self.points[b as usize])
            });
            if o == Ordering::Greater {
                best.clear();
            }
            if o != Ordering::Less {
                best.push(i);
            }
        }
        if best.len() == 1 {
            Winners::One(best[0])
        } else {
            Winners::Many(best)
        }
    }
}
