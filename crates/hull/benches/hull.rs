//! Benchmarks of the hull index alone: keys on a parabola (positions), keys of addresses where the
//! latest write wins, keys on a circle and in a square; the best few keys; three dimensions.
#![allow(missing_docs, reason = "criterion's macros")]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use weightware_hull::{Budget, Hint, HullIndex, Index3, Layers, Point, Point3, SparseCache, Top};

/// A pseudorandom number from 0 to 1, a function of `i`.
fn random(i: u32) -> f64 {
    let bits = (u64::from(i) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((bits ^ (bits >> 31)) >> 11) as f64 / 2_f64.powi(53)
}

/// A name, the key of each number, and the query of each number for a given count of keys.
type Workload = (&'static str, fn(u32) -> Point, fn(u32, u32) -> Point);

const WORKLOADS: [Workload; 4] = [
    // Lookup by position.
    (
        "parabola",
        |i| parabola(f64::from(i)),
        |i, n| Point::new((random(i) * f64::from(n)).floor(), 1.0),
    ),
    // Writes to 1,000 addresses in a scattered order, the latest highest.
    (
        "addresses",
        |i| {
            let key = parabola(f64::from(i.wrapping_mul(2_654_435_761) >> 7 & 1023));
            Point::new(key.x, key.y + f64::from(i) * 0.5_f64.powi(25))
        },
        |i, _| Point::new((random(i) * 1024.0).floor(), 1.0),
    ),
    (
        "circle",
        |i| {
            let angle = random(i) * std::f64::consts::TAU;
            Point::new(angle.cos(), angle.sin())
        },
        direction,
    ),
    (
        "square",
        |i| Point::new(random(2 * i), random(2 * i + 1)),
        direction,
    ),
];

fn parabola(k: f64) -> Point {
    Point::new(2.0 * k, -k * k)
}

fn direction(i: u32, _: u32) -> Point {
    let angle = random(i) * std::f64::consts::TAU;
    Point::new(angle.cos(), angle.sin())
}

fn index(key: fn(u32) -> Point, n: u32) -> HullIndex {
    let mut index = HullIndex::new();
    (0..n).for_each(|i| drop(index.push(key(i))));
    index
}

fn id(name: &str, n: u32) -> BenchmarkId {
    BenchmarkId::from_parameter(format!("{name}/n={n}"))
}

fn push(c: &mut Criterion) {
    let mut group = c.benchmark_group("hull_push");
    group.sample_size(10);
    for n in [10_000, 1_000_000] {
        group.throughput(Throughput::Elements(n.into()));
        for (name, key, _) in WORKLOADS {
            group.bench_function(id(name, n), |b| {
                b.iter_batched(|| (), |()| index(key, n), BatchSize::LargeInput);
            });
        }
    }
    group.finish();
}

fn query(c: &mut Criterion) {
    let mut group = c.benchmark_group("hull_query");
    for n in [10_000, 100_000, 1_000_000] {
        for (name, key, query) in WORKLOADS {
            let index = index(key, n);
            let (mut hint, mut i) = (Hint::default(), 0);
            group.bench_function(id(name, n), |b| {
                b.iter(|| {
                    i += 1;
                    index.winners(query(i, n), &mut hint)
                });
            });
        }
    }
    group.finish();
}

fn top(c: &mut Criterion) {
    const K: usize = 32;
    let mut group = c.benchmark_group("hull_top32");
    group.sample_size(20);
    let n = 1_000_000;
    for (name, key, query) in WORKLOADS {
        let mut layers = Layers::new(K);
        (0..n).for_each(|i| drop(layers.push(key(i))));
        let (mut top, mut i) = (Top::new(), 0);
        group.bench_function(id(name, n), |b| {
            b.iter(|| {
                i += 1;
                layers.top(query(i, n), K, &mut top)
            });
        });
        let mut more = layers.clone();
        let mut i = n;
        group.bench_function(format!("push/{name}/n={n}"), |b| {
            b.iter(|| {
                i += 1;
                more.push(key(i))
            });
        });
    }
    let mut cache = SparseCache::new(K);
    (0..n).for_each(|i| drop(cache.push(parabola(f64::from(i)), [f64::from(i), 1.0])));
    let mut i = 0;
    group.bench_function(id("softmax/parabola", n), |b| {
        b.iter(|| {
            i += 1;
            cache.attend(Point::new(random(i) * f64::from(n), 1.0), Budget::Keys(K))
        });
    });
    group.finish();
}

fn three_dimensions(c: &mut Criterion) {
    let mut group = c.benchmark_group("hull_3d");
    group.sample_size(10);
    type Key = fn(u32) -> Point3;
    let keys: [(&str, Key); 2] = [
        ("sphere", |i| {
            let (z, angle) = (
                2.0 * random(2 * i) - 1.0,
                random(2 * i + 1) * std::f64::consts::TAU,
            );
            let r = (1.0 - z * z).sqrt();
            Point3::new(r * angle.cos(), r * angle.sin(), z)
        }),
        ("cube", |i| {
            Point3::new(random(3 * i), random(3 * i + 1), random(3 * i + 2))
        }),
    ];
    for n in [10_000, 1_000_000] {
        for (name, key) in keys {
            let build = || {
                let mut index = Index3::new();
                (0..n).for_each(|i| drop(index.push(key(i))));
                index
            };
            if n < 1_000_000 {
                group.bench_function(format!("push_all/{name}/n={n}"), |b| b.iter(build));
            }
            let index = build();
            let (mut i, mut out) = (0, vec![]);
            group.bench_function(format!("query/{name}/n={n}"), |b| {
                b.iter(|| {
                    i += 1;
                    let (z, angle) = (2.0 * random(2 * i) - 1.0, random(2 * i + 1) * 6.3);
                    index.winners(Point3::new(angle.cos(), angle.sin(), z), &mut out)
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, push, query, top, three_dimensions);
criterion_main!(benches);
