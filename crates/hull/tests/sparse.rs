//! Softmax over the best few keys, against the scans.

mod common;

use common::sparse::{check, keys3, query3, scaled};
use common::streams::{Random, STREAMS, query};
use weightware_hull::{
    Budget, KeyValueIndex, Layers, LinearCache, LinearIndex, Method, Point, Point3, SparseCache,
    SparseCache3, WINDOW,
};

/// Rounds of a loop, fewer under Miri.
fn rounds(n: u64) -> u64 {
    if cfg!(miri) { 1 } else { n }
}

#[test]
fn bounds_hold_in_two_dimensions() {
    let (mut asked, mut tight, mut by_hull) = (0_u32, 0, 0);
    for (name, key) in STREAMS {
        for seed in 0..rounds(8) {
            let mut random = Random::new(seed);
            let n = if cfg!(miri) {
                600
            } else {
                560 + 200 * seed as u32
            };
            let keys: Vec<Point> = (0..n).map(|i| key(&mut random, i, n)).collect();
            let mut twins = check::Twins::new(16, &keys, &mut random);
            for _ in 0..if cfg!(miri) { 5 } else { 500 } {
                let q = query(&mut random, &keys);
                let Some(q) = scaled(&mut random, q) else {
                    continue;
                };
                let got = twins.attend(name, q, &mut random);
                asked += 1;
                tight += u32::from(got.missed < 0.5 && got.missed > 0.0);
                by_hull += u32::from(got.method == Method::Hull);
            }
        }
    }
    if !cfg!(miri) {
        assert!(
            asked > 90_000 && tight > 5_000 && by_hull > 40_000,
            "{asked} {tight} {by_hull}"
        );
    }
}

#[test]
fn bounds_hold_in_three_dimensions() {
    let (mut asked, mut by_hull) = (0, 0);
    for (name, key) in keys3() {
        for seed in 0..rounds(4) {
            let mut random = Random::new(seed);
            let n = 560 + 300 * seed as u32;
            let keys: Vec<Point3> = (0..n).map(|i| key(&mut random, i)).collect();
            let mut twins = check::Twins::new(16, &keys, &mut random);
            for _ in 0..if cfg!(miri) { 3 } else { 300 } {
                let q = query3(&mut random, &keys);
                let Some(q) = scaled(&mut random, q) else {
                    continue;
                };
                by_hull += u32::from(twins.attend(name, q, &mut random).method == Method::Hull);
                asked += 1;
            }
        }
    }
    if !cfg!(miri) {
        assert!(asked > 8_000 && by_hull > 5_000, "{asked} {by_hull}");
    }
}

#[test]
fn the_scans_agree_with_the_oracles() {
    for (name, key) in STREAMS {
        for seed in 0..rounds(12) {
            let mut random = Random::new(seed);
            let n = 1 + seed as u32 * 23;
            let mut cache = SparseCache::new(8);
            let mut softmax = LinearCache::new();
            let mut index = LinearIndex::new();
            let mut keys = vec![];
            for i in 0..n {
                let key = key(&mut random, i, n);
                let value = [random.unit(), f64::from(i % 2), 1.0];
                keys.push(key);
                cache.push(key, value).unwrap();
                softmax.push(key, value).unwrap();
                index.push(key).unwrap();
            }
            let mut best = vec![];
            for _ in 0..20 {
                let Some(q) = query_scaled(&mut random, &keys) else {
                    continue;
                };
                let k = 1 + random.below(u64::from(n) + 20) as usize;
                let got = cache.attend(q, Budget::Keys(k)).unwrap();
                index.top(q, k + 1, &mut best).unwrap();
                assert_eq!(cache.ranked(), best, "{name}");
                assert_eq!((got.keys, got.method), (k.min(n as usize), Method::Scan));
                assert!(
                    (got.value[2] - 1.0).abs() < 1e-14,
                    "{name}: weights sum to 1"
                );
                let full = cache.attend(q, Budget::MassError(0.0)).unwrap();
                assert_eq!((full.missed, full.output_error), (0.0, [0.0; 3]));
                let expected = softmax.softmax(q).unwrap();
                for (value, expected) in full.value.into_iter().zip(expected) {
                    assert!(
                        (value - expected).abs() < 1e-13,
                        "{name}: {value} {expected}"
                    );
                }
            }
        }
    }
}

fn query_scaled(random: &mut Random, keys: &[Point]) -> Option<Point> {
    let q = query(random, keys);
    scaled(random, q)
}

#[test]
fn truncation_equals_a_cache_without_the_later_keys() {
    for (name, key) in STREAMS {
        for seed in 0..rounds(3) {
            let mut random = Random::new(seed);
            let n = 1500;
            let mut cut = SparseCache::<1>::with_break_even(8, 0);
            let mut list: Vec<(Point, [f64; 1])> = vec![];
            for i in 0..n {
                let new = (key(&mut random, i, n), [random.unit()]);
                cut.push(new.0, new.1).unwrap();
                list.push(new);
                // Mostly a few of the latest keys, rarely many.
                let back = match random.below(200) {
                    0 => random.below(list.len() as u64 + 1),
                    1..12 => random.below(WINDOW as u64 + 1),
                    _ => continue,
                };
                let indexed = cut.indexed();
                list.truncate(list.len().saturating_sub(back as usize));
                cut.truncate(list.len());
                assert_eq!(cut.len(), list.len());
                assert!(back > WINDOW as u64 || cut.indexed() == indexed);
            }
            let mut whole = SparseCache::<1>::with_break_even(8, usize::MAX);
            for &(key, value) in &list {
                whole.push(key, value).unwrap();
            }
            let keys: Vec<Point> = list.iter().map(|entry| entry.0).collect();
            for _ in 0..100 {
                if keys.is_empty() {
                    continue;
                }
                let Some(q) = query_scaled(&mut random, &keys) else {
                    continue;
                };
                let budget = Budget::Keys(1 + random.below(8) as usize);
                let [a, b] = [&mut cut, &mut whole].map(|cache| cache.attend(q, budget).unwrap());
                assert_eq!(
                    (a.value, a.weight, a.keys),
                    (b.value, b.weight, b.keys),
                    "{name}"
                );
                assert!(a.missed <= b.missed && a.output_error <= b.output_error);
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes hours there")]
fn an_index_looks_at_few_keys_of_many() {
    let mut random = Random::new(9);
    let mut cache = SparseCache::new(32);
    let mut flat = SparseCache3::new(32);
    for i in 0..200_000 {
        let t = f64::from(i);
        cache.push(Point::new(2.0 * t, -t * t), [t]).unwrap();
        let key = [0; 3].map(|_| random.unit() - 0.5);
        flat.push(Point3::new(key[0], key[1], key[2]), [t]).unwrap();
    }
    for _ in 0..100 {
        let q = Point::new(random.unit() * 200_000.0, 1.0);
        let got = cache.attend(q, Budget::MassError(1e-9)).unwrap();
        assert!(got.missed <= 1e-9 && got.keys <= 16, "{got:?}");
        assert!(got.operations < 1200, "{got:?}");
        let q = Point3::new(random.signed(10), random.signed(10), random.signed(10));
        let got = flat.attend(q, Budget::Keys(32)).unwrap();
        assert_eq!(got.method, Method::Hull);
        assert!(got.operations < 10_000, "{got:?}");
    }
    // Where all keys matter, all are used.
    let nearly_flat = Point3::new(0.1, 0.1, 0.1);
    let got = flat.attend(nearly_flat, Budget::MassError(0.01)).unwrap();
    assert_eq!(
        (got.method, got.keys, got.missed),
        (Method::Scan, 200_000, 0.0)
    );
}

#[test]
#[cfg_attr(miri, ignore = "takes hours there")]
fn the_break_even_rises_where_pushes_displace_many_keys() {
    let mut calm = SparseCache::<1>::new(32);
    let mut spiral = SparseCache::<1>::new(32);
    let first = spiral.break_even();
    let mut random = Random::new(2);
    let (mut lagged, mut indexed) = (0, 0);
    for i in 0..3 * first {
        let (angle, r) = (i as f64 * 2.4, 1.0 + i as f64 * 1e-6);
        spiral
            .push(Point::new(r * angle.cos(), r * angle.sin()), [1.0])
            .unwrap();
        calm.push(Point::new(random.unit(), random.unit()), [i as f64])
            .unwrap();
        assert_eq!(calm.indexed() > 0, calm.len() >= first);
        // A push brings in one batch at most.
        assert!(calm.indexed() <= indexed + 256);
        indexed = calm.indexed();
        let lags = calm.len() >= first && calm.len() - indexed >= 512;
        lagged += usize::from(lags);
        if i % 97 == 0 || lags {
            let method = calm
                .attend(Point::new(3.0, 1.0), Budget::Keys(2))
                .unwrap()
                .method;
            let is_ready = calm.len() >= first && !lags;
            assert_eq!(method == Method::Hull, is_ready);
        }
    }
    assert!((1..64).contains(&lagged), "{lagged}");
    assert_eq!((calm.break_even(), calm.indexed() > 0), (first, true));
    assert!(spiral.break_even() > 2 * first);
    assert_eq!(spiral.indexed() > 0, spiral.len() >= spiral.break_even());
    assert!(calm.heap_bytes() < 64 * calm.len());
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
    let one = Budget::Keys(1);
    assert!(cache.attend(q, one).is_err_and(|e| e.is_empty_cache()));
    assert!(cache.push(Point::new(f64::NAN, 0.0), [1.0]).is_err());
    assert!(cache.push(Point::new(0.0, 0.0), [f64::INFINITY]).is_err());
    assert!(cache.is_empty());
    cache.push(Point::new(0.0, 0.0), [1.0]).unwrap();
    assert_eq!((cache.len(), cache.indexed(), cache.limit()), (1, 0, 2));
    assert!(cache.attend(Point::new(1e300, 1.0), one).is_err());
    for bad in [
        Budget::Keys(0),
        Budget::MassError(f64::NAN),
        Budget::MassError(-1e-300),
    ] {
        assert!(cache.attend(q, bad).is_err_and(|e| e.is_budget()));
    }
    assert_eq!(cache.attend(q, Budget::Keys(usize::MAX)).unwrap().keys, 1);
    cache.truncate(0);
    assert!(cache.attend(q, one).is_err_and(|e| e.is_empty_cache()));
    let mut none = SparseCache::<1>::with_break_even(0, 0);
    for i in 0..600 {
        none.push(Point::new(f64::from(i), 0.0), [1.0]).unwrap();
    }
    for budget in [Budget::Keys(600), one, Budget::MassError(0.5)] {
        assert_eq!(none.attend(q, budget).unwrap().method, Method::Scan);
    }
}
