//! Nanoseconds per token, a push and a query, of the best-few-keys index and of vectorised scans.
//!
//! ```text
//! cargo run --release -p weightware-hull --example sparse -- [SHAPE] [MOST_KEYS] [DIMENSION]
//! ```
//!
//! `scan` finds the best `k` keys by a vectorised scan, `f32` by one of single precision, `full` is
//! softmax over all keys, `hull` has an index from the first possible moment, `auto` is what
//! `SparseCache::new` chooses. Each figure is the least of several runs. A run of `hull` or `auto`
//! has 256 tokens, the batch in which keys enter the index. `seen` is the number of keys, vertices
//! and boxes that the last query of `hull` looked at, its tail of 256 to 511 keys among them. The
//! rows `1e-3` are those of `auto` with a limit of 128 keys and queries of four times the length,
//! where at most a thousandth of the probability may be missed.

#![allow(clippy::print_stdout)]

#[path = "sparse/shapes.rs"]
mod shapes;
#[path = "sparse/single.rs"]
mod single;

use shapes::{Shape, shapes2, shapes3};
use single::Single;
use std::hint::black_box;
use std::time::{Duration, Instant};
use weightware_hull::{Budget, Indexed, Method, Point, Point3, SparseCache};

/// Tokens of a run, unless it is a run of scans.
const TOKENS: usize = 256;

/// The time for one figure.
const PATIENCE: Duration = Duration::from_millis(100);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let mut number = |default| match arguments.next() {
        Some(number) => number.replace(['_', ','], "").parse().expect("a number"),
        None => default,
    };
    let most = number(1_000_000);
    let dimension = number(2);
    if dimension == 2 {
        let shapes = shapes2();
        shapes
            .iter()
            .filter(|shape| shape.name.contains(&name))
            .for_each(|shape| table::<Point>(shape, most));
    } else {
        let shapes = shapes3();
        shapes
            .iter()
            .filter(|shape| shape.name.contains(&name))
            .for_each(|shape| table::<Point3>(shape, most));
    }
}

fn table<K: Indexed>(shape: &Shape<K>, most: usize) {
    println!("\n{}", shape.name);
    println!(
        "{:>8} {:>4} {:>10} {:>10} {:>10} {:>9} {:>9} {:>8} {:>6}",
        "n", "k", "full", "scan", "f32", "hull", "auto", "speed-up", "seen"
    );
    let sizes = [
        500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 100_000, 300_000, 1_000_000,
    ];
    for n in sizes.into_iter().filter(|&n| n <= most) {
        let mut full = None;
        for k in [1, 8, 32, 128] {
            let time = |break_even, budget| {
                let mut cache = match break_even {
                    Some(at) => SparseCache::<2, K>::with_break_even(k, at),
                    None => SparseCache::new(k),
                };
                for i in 0..n {
                    push(&mut cache, shape, i);
                }
                let tokens = if break_even == Some(usize::MAX) {
                    scanned(n)
                } else {
                    TOKENS
                };
                let mut seen = 0;
                let time = least(|| {
                    let mut cache = cache.clone();
                    let mut token = |i| {
                        push(&mut cache, shape, i);
                        let q = (shape.query)(i, n);
                        seen = black_box(cache.attend(q, budget)).map_or(0, |a| a.operations);
                    };
                    // The first push moves the lists of the clone.
                    token(n);
                    let start = Instant::now();
                    (n + 1..=n + tokens).for_each(token);
                    start.elapsed() / tokens as u32
                });
                (time.as_nanos() as f64, seen)
            };
            let budget = Budget::Keys(k);
            let full =
                *full.get_or_insert_with(|| time(Some(usize::MAX), Budget::MassError(0.0)).0);
            let scan = time(Some(usize::MAX), budget).0;
            let (hull, seen) = time(Some(0), budget);
            let auto = time(None, budget).0;
            let single = f32_scan(shape, n, k);
            println!(
                "{n:>8} {k:>4} {full:>10.0} {scan:>10.0} {single:>10.0} {hull:>9.0} {auto:>9.0} {:>8.1} {seen:>6}",
                scan / hull
            );
        }
        share(shape, n);
    }
}

/// Prints the time of tokens that leave out at most a thousandth of the probability.
fn share<K: Indexed>(shape: &Shape<K>, n: usize) {
    let mut cache = SparseCache::<2, K>::new(128);
    for i in 0..n {
        push(&mut cache, shape, i);
    }
    let (mut keys, mut scans) = (0, 0);
    let time = least(|| {
        let mut cache = cache.clone();
        (keys, scans) = (0, 0);
        let mut token = |i| {
            push(&mut cache, shape, i);
            let q = K::from_axes((shape.query)(i, n).axes().map(|v| 4.0 * v));
            let answer = cache.attend(q, Budget::MassError(1e-3));
            let answer = black_box(answer).expect("a query in the domain");
            match answer.method {
                Method::Hull => keys += answer.keys,
                Method::Scan => scans += 1,
            }
        };
        token(n);
        let start = Instant::now();
        (n + 1..=n + TOKENS).for_each(&mut token);
        start.elapsed() / TOKENS as u32
    });
    let time = time.as_nanos();
    let keys = keys as f64 / (TOKENS + 1 - scans).max(1) as f64;
    println!("{n:>8} 1e-3 {time:>61} ns, {keys:.1} keys, {scans} of {TOKENS} by a scan");
}

/// Tokens of a run of scans, whose time hardly depends on the token.
fn scanned(n: usize) -> usize {
    (1_000_000 / n).clamp(3, TOKENS)
}

fn push<K: Indexed>(cache: &mut SparseCache<2, K>, shape: &Shape<K>, i: usize) {
    let key = (shape.key)(i);
    cache
        .push(key, [i as f64, 1.0])
        .expect("a key in the domain");
}

/// The time of a token with keys of single precision, without exact ranks.
fn f32_scan<K: Indexed>(shape: &Shape<K>, n: usize, k: usize) -> f64 {
    let mut cache = Single::new(K::DIMENSION);
    for i in 0..n {
        cache.push((shape.key)(i).axes(), [i as f64, 1.0]);
    }
    let tokens = scanned(n);
    let time = least(|| {
        let mut cache = cache.clone();
        let mut token = |i| {
            cache.push((shape.key)(i).axes(), [i as f64, 1.0]);
            black_box(cache.attend((shape.query)(i, n).axes(), k));
        };
        token(n);
        let start = Instant::now();
        (n + 1..=n + tokens).for_each(token);
        start.elapsed() / tokens as u32
    });
    time.as_nanos() as f64
}

/// The least of at least seven runs, since other programs only ever add time.
fn least(mut run: impl FnMut() -> Duration) -> Duration {
    let start = Instant::now();
    let (mut least, mut runs) = (Duration::MAX, 0);
    while runs < 7 || (start.elapsed() < PATIENCE && runs < 99) {
        least = least.min(run());
        runs += 1;
    }
    least
}
