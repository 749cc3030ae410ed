//! Checks the bounds of sparse attention against full softmax, on random queries over many clouds,
//! until one is violated or enough queries are done.
//!
//! ```text
//! cargo run --release -p weightware-hull --example bounds -- [QUERIES] [SEED]
//! ```

#![allow(clippy::print_stdout)]

#[path = "sparse/shapes.rs"]
mod shapes;
#[path = "../tests/common/sparse.rs"]
mod sparse;
#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/common/streams.rs"]
mod streams;

use sparse::{check::Twins, keys3, query3, scaled};
use std::time::Instant;
use streams::{Random, STREAMS, query};
use weightware_hull::{Indexed, Method};

/// Queries to each cloud.
const QUERIES: u64 = 1000;

/// How many queries were answered, by the index, and with a bound between 0 and a half.
#[derive(Default)]
struct Counts {
    all: u64,
    by_hull: u64,
    tight: u64,
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| {
        let digits = number.replace(['_', ','], "");
        digits.parse().expect("a number")
    });
    let wanted: u64 = arguments.next().unwrap_or(1_000_000);
    let seed: u64 = arguments.next().unwrap_or(1);
    let start = Instant::now();
    let mut counts = Counts::default();
    for seed in seed.. {
        let mut random = Random::new(seed);
        let n = 560 + random.below(1000) as u32;
        let limit = 1 << random.below(7);
        for (name, key) in STREAMS {
            let keys = (0..n).map(|i| key(&mut random, i, n)).collect();
            cloud(name, limit, keys, query, &mut random, &mut counts);
        }
        let from = random.below(1 << 30) as usize;
        for shape in shapes::shapes2() {
            let keys = (from..from + n as usize).map(shape.key).collect();
            cloud(shape.name, limit, keys, query, &mut random, &mut counts);
        }
        for (name, key) in keys3() {
            let keys = (0..n).map(|i| key(&mut random, i)).collect();
            cloud(name, limit, keys, query3, &mut random, &mut counts);
        }
        for shape in shapes::shapes3() {
            let keys = (from..from + n as usize).map(shape.key).collect();
            cloud(shape.name, limit, keys, query3, &mut random, &mut counts);
        }
        if counts.all >= wanted {
            let Counts {
                all,
                by_hull,
                tight,
            } = counts;
            println!(
                "{all} queries in {:.0?}, last seed {seed}; no bound violated",
                start.elapsed()
            );
            println!("{by_hull} by the index, {tight} with a bound above 0 and below 0.5");
            break;
        }
    }
}

/// Checks queries to a cloud of keys.
fn cloud<K: Indexed>(
    name: &str,
    limit: usize,
    keys: Vec<K>,
    query: fn(&mut Random, &[K]) -> K,
    random: &mut Random,
    counts: &mut Counts,
) {
    let mut twins = Twins::new(limit, &keys, random);
    for _ in 0..QUERIES {
        let q = query(random, &keys);
        if let Some(q) = scaled(random, q) {
            let got = twins.attend(name, q, random);
            counts.all += 1;
            counts.by_hull += u64::from(got.method == Method::Hull);
            counts.tight += u64::from(got.missed > 0.0 && got.missed < 0.5);
        }
    }
}
