//! Extreme points in three dimensions, against a scan.

mod common;

use common::sparse::keys3;
use common::streams::Random;
use std::cmp::Ordering;
use weightware_hull::{Index3, Point3, Top3, compare_scores3};

fn scan(keys: &[Point3], q: Point3) -> Vec<u32> {
    let mut best: Vec<u32> = vec![];
    for (id, &key) in (0..).zip(keys) {
        match best
            .first()
            .map(|&b| compare_scores3(q, key, keys[b as usize]))
        {
            Some(Ordering::Less) => {}
            Some(Ordering::Equal) => best.push(id),
            _ => best = vec![id],
        }
    }
    best
}

/// The numbers of the best `k` keys.
fn ranked(keys: &[Point3], q: Point3, k: usize) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..keys.len() as u32).collect();
    let order = |&a: &u32, &b: &u32| {
        let [p, r] = [a, b].map(|id| keys[id as usize]);
        // Adding zero turns -0.0 into 0.0.
        let axes =
            [(p.x, r.x), (p.y, r.y), (p.z, r.z)].map(|(p, r)| (p + 0.0).total_cmp(&(r + 0.0)));
        let place = axes.into_iter().find(|order| order.is_ne());
        compare_scores3(q, r, p).then(place.unwrap_or(a.cmp(&b)))
    };
    if k > 0 && k < ids.len() {
        ids.select_nth_unstable_by(k - 1, order);
    }
    ids.truncate(k);
    ids.sort_by(order);
    ids
}

#[test]
fn finds_all_winners() {
    let (mut out, mut top) = (vec![], Top3::new());
    for (name, key) in keys3() {
        for seed in 0..if cfg!(miri) { 2 } else { 60 } {
            let mut random = Random::new(seed);
            let mut index = Index3::new();
            let mut keys: Vec<Point3> = vec![];
            for i in 0..30 + 9 * seed as u32 {
                let key = key(&mut random, i);
                assert_eq!(index.push(key), Ok(i));
                keys.push(key);
                if random.below(4) > 0 {
                    continue;
                }
                let mut pick = || keys[random.below(keys.len() as u64) as usize];
                let (a, b, c) = (pick(), pick(), pick());
                // Queries normal to a plane through three keys, and others.
                let (u, v) = (
                    [b.x - a.x, b.y - a.y, b.z - a.z],
                    [c.x - a.x, c.y - a.y, c.z - a.z],
                );
                let normal = [
                    u[1] * v[2] - u[2] * v[1],
                    u[2] * v[0] - u[0] * v[2],
                    u[0] * v[1] - u[1] * v[0],
                ];
                let small = [random.signed(1), random.signed(1), random.signed(1)];
                let near = [a.x / 2.0, a.y / 2.0, 1.0];
                for [x, y, z] in [normal, normal.map(|v| -v), small, near] {
                    let q = Point3::new(x, y, z);
                    if index.winners(q, &mut out).is_ok() {
                        assert_eq!(out, scan(&keys, q), "{name}, seed {seed}, query {q:?}");
                        let k = random.below(40) as usize;
                        index.top(q, k, &mut top).unwrap();
                        let found: Vec<u32> = top.iter().map(|found| found.id).collect();
                        assert_eq!(found, ranked(&keys, q, k), "best {k}: {name}, query {q:?}");
                    }
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes hours there")]
fn a_large_index_looks_at_little_and_takes_what_is_documented() {
    let mut random = Random::new(1);
    let mut index = Index3::new();
    let mut keys = vec![];
    for _ in 0..1 << 15 {
        let [x, y, z] = [0; 3].map(|_| random.unit() - 0.5);
        let r = (x * x + y * y + z * z).sqrt();
        let key = Point3::new(x / r, y / r, z / r);
        index.push(key).unwrap();
        keys.push(key);
    }
    assert_eq!(index.len(), 1 << 15);
    let per_key = index.heap_bytes() as f64 / f64::from(1 << 15);
    assert!(per_key < 41.0, "{per_key} bytes per key");
    let mut out = vec![];
    for _ in 0..50 {
        let q = Point3::new(random.signed(20), random.signed(20), random.signed(20));
        index.winners(q, &mut out).unwrap();
        assert_eq!(out, scan(&keys, q));
    }
}

#[test]
fn compares_exactly_in_three_dimensions() {
    let (big, tiny) = (2f64.powi(100), 2f64.powi(-100));
    let q = Point3::new(1.0, 1.0, 1.0);
    let a = Point3::new(big, tiny, -big);
    let b = Point3::new(-big, 0.0, big);
    assert_eq!(compare_scores3(q, a, b), Ordering::Greater);
    assert_eq!(compare_scores3(q, b, a), Ordering::Less);
    let c = Point3::new(tiny, -big, big);
    assert_eq!(compare_scores3(q, a, c), Ordering::Equal);
    assert!(Index3::new().push(Point3::new(0.0, f64::NAN, 0.0)).is_err());
    let query = Index3::new().winners(Point3::new(1e300, 0.0, 0.0), &mut vec![]);
    assert!(query.is_err_and(|error| error.is_out_of_domain()));
}
