//! Random operations on the index and on the scan. The scan limits the speed.

use super::streams::{Key, Random, query};
use weightware_hull::{Found, Hint, HullIndex, Inserted, Layers, LinearIndex, Point, Top, Winners};

/// A set of ids, represented by a sum of hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Set {
    count: u64,
    sum: u64,
}

impl Set {
    fn of(id: u32) -> Self {
        let mut bits = u64::from(id).wrapping_add(0x9e37_79b9_7f4a_7c15);
        for shift in [30, 27, 31] {
            bits = (bits ^ (bits >> shift)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        }
        Self {
            count: 1,
            sum: bits,
        }
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// The number of operations of a run, and their kinds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) keys: u32,
    /// Queries per key, in 64ths.
    pub(crate) queries: u64,
    /// `(every, k)`: every so often a query also compares the best few keys, up to `k`; 0 for
    /// never.
    pub(crate) top: (u64, usize),
}

/// Runs random operations, and returns how many there were.
///
/// # Panics
/// If index and scan differ.
pub(crate) fn duel(name: &str, key: Key, rules: Rules, seed: u64) -> u64 {
    let mut random = Random::new(seed);
    let mut hull = HullIndex::new();
    let mut hint = Hint::default();
    let mut sets: Vec<Set> = vec![];
    let mut all = Set::default();
    let mut linear = LinearIndex::new();
    let mut layers = Layers::new(rules.top.1.max(1));
    let mut top = Top::new();
    let mut best: Vec<Found> = vec![];
    let mut keys: Vec<Point> = vec![];
    let mut winners = vec![];
    // The last query since the last push, and its only winner.
    let mut standing: Option<(Point, u32)> = None;
    let (mut operations, mut asked) = (0, 0_u64);
    for i in 0..rules.keys {
        let key = key(&mut random, i, rules.keys);
        keys.push(key);
        let id = linear.push(key).unwrap();
        let new = Set::of(id);
        all.add(new);
        let inserted = hull.push(key).unwrap();
        if let Inserted::New(slot) | Inserted::Merging { slot, .. } = inserted {
            sets.resize(hull.slots(), Set::default());
            sets[slot as usize] = new;
        }
        if let (Inserted::New(_), Some((q, slot))) = (inserted, standing.take())
            && hull.still_wins(q, slot)
        {
            let now = hull.winners(q, &mut Hint::default()).unwrap();
            assert_eq!(now, Winners::One(slot), "{name}, seed {seed}, key {i}");
        }
        match inserted {
            Inserted::Interior | Inserted::New(_) => {}
            Inserted::Same(slot) => sets[slot as usize].add(new),
            Inserted::Merging { merges, .. } => {
                for merge in merges {
                    let from = std::mem::take(&mut sets[merge.from as usize]);
                    sets[merge.into as usize].add(from);
                }
            }
        }
        if rules.top.0 > 0 {
            layers.push(key).unwrap();
        }
        operations += 1;
        let mut queries = rules.queries;
        while queries > random.below(64) {
            queries = queries.saturating_sub(64);
            let q = query(&mut random, &keys);
            linear.winners(q, &mut winners).unwrap();
            let mut expected = Set::default();
            winners.iter().for_each(|&id| expected.add(Set::of(id)));
            let mut got = Set::default();
            let found = hull.winners(q, &mut hint).unwrap();
            standing = match found {
                Winners::One(slot) => Some((q, slot)),
                _ => None,
            };
            match found {
                Winners::Empty => {}
                Winners::All => got = all,
                Winners::One(slot) => got = sets[slot as usize],
                Winners::Many(slots) => slots.iter().for_each(|&s| got.add(sets[s as usize])),
            }
            let context = || format!("{name}, seed {seed}, key {i}, query {q:?}");
            assert_eq!(got, expected, "{}", context());
            operations += 1;
            asked += 1;
            if rules.top.0 > 0 && asked.is_multiple_of(rules.top.0) {
                let k = random.below(rules.top.1 as u64 + 1) as usize;
                layers.top(q, k, &mut top).unwrap();
                linear.top(q, k, &mut best).unwrap();
                assert_eq!(&top[..], &best[..], "best {k}: {}", context());
                operations += 1;
            }
        }
    }
    operations
}
