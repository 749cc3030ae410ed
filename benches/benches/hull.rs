//! The hull index alone: keys on a parabola (positions), and keys of addresses with recency.
#![allow(missing_docs, reason = "criterion's macros")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use weightware_hull::{Hint, HullIndex, Point};

/// `(2k, -k^2)`, as a lookup by position has it.
fn parabola(n: u32) -> impl Iterator<Item = Point> {
    (0..n).map(f64::from).map(|k| Point::new(2.0 * k, -k * k))
}

/// Writes to 1,000 addresses in a scattered order, the latest highest.
fn addresses(n: u32) -> impl Iterator<Item = Point> {
    (0..n).map(|i| {
        let k = f64::from(i.wrapping_mul(2_654_435_761) >> 7 & 1023);
        Point::new(2.0 * k, -k * k + f64::from(i) * 0.5_f64.powi(25))
    })
}

fn index(points: impl Iterator<Item = Point>) -> HullIndex {
    let mut index = HullIndex::new();
    points.for_each(|point| drop(index.push(point)));
    index
}

fn push(c: &mut Criterion) {
    let mut group = c.benchmark_group("hull_push");
    group.sample_size(10);
    for n in [10_000, 1_000_000] {
        group.bench_function(format!("parabola/n={n}"), |b| {
            b.iter_batched(|| (), |()| index(parabola(n)), BatchSize::LargeInput);
        });
        group.bench_function(format!("addresses/n={n}"), |b| {
            b.iter_batched(|| (), |()| index(addresses(n)), BatchSize::LargeInput);
        });
    }
    group.finish();
}

fn query(c: &mut Criterion) {
    let mut group = c.benchmark_group("hull_query");
    for n in [10_000_u32, 100_000, 1_000_000] {
        for (name, index) in [
            ("parabola", index(parabola(n))),
            ("addresses", index(addresses(n))),
        ] {
            let (mut hint, mut at) = (Hint::default(), 1_u32);
            group.bench_function(format!("{name}/n={n}"), |b| {
                b.iter(|| {
                    at = at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    index.winners(Point::new(f64::from(at % n), 1.0), &mut hint)
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, push, query);
criterion_main!(benches);
