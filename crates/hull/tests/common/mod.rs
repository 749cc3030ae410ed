//! The hull and its oracle, side by side.

#![allow(dead_code, reason = "every test uses a part")]

pub(crate) mod duel;
pub(crate) mod sparse;
pub(crate) mod streams;

use std::collections::BTreeSet;
use weightware_hull::{
    Hint, HullCache, HullIndex, Inserted, KeyValueIndex, LinearCache, LinearIndex, Point, Winners,
};

/// All four structures with the same keys and values, and the ids that share each slot.
#[derive(Default)]
pub(crate) struct Twins {
    linear: LinearIndex,
    hull: HullIndex,
    hint: Hint,
    members: Vec<Vec<u32>>,
    linear_cache: LinearCache,
    hull_cache: HullCache,
}

impl Twins {
    pub(crate) fn push(&mut self, key: Point) {
        let id = self.linear.push(key).unwrap();
        match self.hull.push(key).unwrap() {
            Inserted::Interior => {}
            Inserted::New(slot) => self.set(slot, id),
            Inserted::Merging { slot, merges } => {
                self.set(slot, id);
                assert!(!merges.is_empty());
                for merge in merges {
                    let from = std::mem::take(&mut self.members[merge.from as usize]);
                    assert!(!from.is_empty());
                    self.members[merge.into as usize].extend(from);
                }
            }
            Inserted::Same(slot) => self.members[slot as usize].push(id),
        }
        // The values are neither integers only nor of one magnitude, so that rounding would show.
        let value = [f64::from(id) * 0.1, 1e15 / f64::from(id % 7 + 1)];
        self.linear_cache.push(key, value).unwrap();
        self.hull_cache.push(key, value).unwrap();
    }

    fn set(&mut self, slot: u32, id: u32) {
        self.members.resize(self.hull.slots(), vec![]);
        self.members[slot as usize] = vec![id];
    }

    pub(crate) fn check(&mut self, q: Point) {
        let mut expected = vec![];
        self.linear.winners(q, &mut expected).unwrap();
        let by_hint = self.hull.winners(q, &mut self.hint).unwrap();
        let mut fresh = Hint::default();
        assert_eq!(self.hull.winners(q, &mut fresh), Ok(by_hint));
        let slots = match by_hint {
            Winners::Empty => vec![],
            Winners::One(slot) => vec![slot],
            Winners::Many(slots) => {
                assert!(slots.len() > 1);
                slots.to_vec()
            }
            Winners::All => {
                assert!(q.x == 0.0 && q.y == 0.0);
                assert_eq!(expected.len() as u64, self.hull.len());
                let answer = self.hull_cache.query(q);
                assert_eq!(answer, self.linear_cache.query(q));
                return;
            }
        };
        assert_eq!(slots.iter().collect::<BTreeSet<_>>().len(), slots.len());
        let mut got: Vec<u32> = slots
            .iter()
            .flat_map(|&slot| self.members[slot as usize].iter().copied())
            .collect();
        got.sort_unstable();
        assert_eq!(got, expected, "query {q:?}");
        let bits = |answer: Result<[f64; 2], _>| answer.map(|v| v.map(f64::to_bits));
        let answer = bits(self.hull_cache.query(q));
        assert_eq!(answer, bits(self.linear_cache.query(q)));
    }
}

/// The two directions normal to the edge from `a` to `b`: the edge's points tie for them.
pub(crate) fn normals(a: Point, b: Point) -> [Point; 2] {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    [Point::new(-dy, dx), Point::new(dy, -dx)]
}
