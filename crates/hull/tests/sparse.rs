//! Softmax over the best few keys, against softmax over all keys.

mod common;

use common::streams::{Random, STREAMS, query};
use weightware_hull::{KeyValueIndex, Layers, LinearCache, Point, SparseCache};

#[test]
fn what_is_missed_is_bounded() {
    let (mut tight, mut exact) = (0, 0);
    for (name, key) in STREAMS {
        for seed in 0..if cfg!(miri) { 2 } else { 60 } {
            let mut random = Random::new(seed);
            let mut sparse = SparseCache::new(16);
            let mut full = LinearCache::new();
            let mut keys = vec![];
            let n = 1 + seed as u32 * 4;
            for i in 0..n {
                let key = key(&mut random, i, n);
                let value = [random.unit(), f64::from(i % 2)];
                keys.push(key);
                sparse.push(key, value).unwrap();
                full.push(key, value).unwrap();
            }
            for _ in 0..20 {
                let q = query(&mut random, &keys);
                // Softmax in all its shapes, from flat to saturated.
                let size = q.x.abs().max(q.y.abs()).max(1e-300);
                let scale = 2f64.powi(random.below(20) as i32 - 16) / size;
                let q = Point::new(q.x * scale, q.y * scale);
                if !q.in_domain() {
                    continue;
                }
                let k = 1 + random.below(16) as usize;
                let got = sparse.attend(q, k).unwrap();
                let expected = full.softmax(q).unwrap();
                assert_eq!(got.keys, k.min(n as usize));
                assert!((0.0..=1.0).contains(&got.missed));
                for (got_value, expected) in got.value.into_iter().zip(expected) {
                    let error = (got_value - expected).abs();
                    // Values range from 0 to 1, so the error is at most the share, except for
                    // rounding.
                    assert!(error <= got.missed + 1e-12, "{name}: {error:e} of {got:?}");
                }
                if got.keys == n as usize {
                    assert_eq!(got.missed, 0.0);
                    exact += 1;
                }
                tight += u32::from(got.missed < 0.5);
            }
        }
    }
    if !cfg!(miri) {
        assert!(tight > 5_000 && exact > 500, "{tight} {exact}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes hours there")]
fn layers_keep_what_can_be_among_the_best() {
    let mut random = Random::new(3);
    let mut layers = Layers::new(4);
    for i in 0..20_000 {
        let key = Point::new(random.unit(), random.unit());
        assert_eq!(layers.push(key), Ok(i));
    }
    assert_eq!(layers.len(), 20_000);
    assert!(layers.kept() < 400, "{} are kept", layers.kept());
    let outlines: Vec<_> = layers.outlines().collect();
    assert_eq!(outlines.len(), 4);
    assert_eq!(outlines.iter().map(Vec::len).sum::<usize>(), layers.kept());
    for outline in &outlines {
        // Strictly convex, counterclockwise.
        let n = outline.len();
        for i in 0..n {
            let [a, b, c] = [0, 1, 2].map(|j| outline[(i + j) % n].key);
            let turn = (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x);
            assert!(turn > 0.0);
        }
    }
    let mut twin = layers.clone();
    twin.push(Point::new(5.0, 5.0)).unwrap();
    assert_eq!((layers.len(), twin.len()), (20_000, 20_001));
}

#[test]
fn refuses_what_makes_no_sense() {
    let mut cache = SparseCache::new(2);
    let q = Point::new(1.0, 1.0);
    assert!(cache.attend(q, 1).is_err_and(|e| e.is_empty_cache()));
    assert!(cache.push(Point::new(f64::NAN, 0.0), [1.0]).is_err());
    assert!(cache.push(Point::new(0.0, 0.0), [f64::INFINITY]).is_err());
    cache.push(Point::new(0.0, 0.0), [1.0]).unwrap();
    assert_eq!(cache.layers().len(), 1);
    assert!(cache.attend(Point::new(1e300, 1.0), 1).is_err());
    assert!(cache.attend(q, 0).is_err());
}
