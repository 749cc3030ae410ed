//! Replays the queries and keys of a decoded program's heads against the hull index alone.
//!
//! `cargo run --release -p weightware-benches --example replay -- [TOKENS]`
#![allow(clippy::print_stdout)]

use std::time::Instant;

use weightware_benches::{endless, record};
use weightware_hull::{Hint, HullIndex, Winners};

fn main() {
    let tokens = std::env::args()
        .nth(1)
        .map_or(200_000, |n| n.parse().expect("a number of tokens"));
    let recordings = record::record(&endless(), tokens, |_| true);
    println!("heads first    push ns  queries  query ns each   vertices  bytes/vertex  ties");
    let (mut pushes, mut queries) = (0.0, 0.0);
    for recording in &recordings {
        let n = recording.keys.len();
        let mut index = HullIndex::new();
        let start = Instant::now();
        for &key in &recording.keys {
            let _ = index.push(key).expect("a key in the domain");
        }
        let push = start.elapsed().as_secs_f64() * 1e9 / n as f64;

        let mut index = HullIndex::new();
        let mut hints = vec![Hint::default(); recording.queries.len()];
        let mut ties = 0_u64;
        let start = Instant::now();
        for t in 0..n {
            let _ = index.push(recording.keys[t]).expect("a key in the domain");
            for (queries, hint) in recording.queries.iter().zip(&mut hints) {
                let winners = index
                    .winners(queries[t], hint)
                    .expect("a query in the domain");
                ties += u64::from(matches!(winners, Winners::Many(_) | Winners::All));
            }
        }
        let both = start.elapsed().as_secs_f64() * 1e9 / n as f64;
        let each = (both - push) / recording.queries.len() as f64;
        pushes += push;
        queries += both - push;
        println!(
            "{:>5} {:>7}  {push:>7.1} {:>8} {each:>9.1} {:>15} {:>13.1} {:>6.3}",
            recording.heads.len(),
            format!("{:?}", recording.heads[0]),
            recording.queries.len(),
            index.vertices(),
            index.heap_bytes() as f64 / index.vertices() as f64,
            ties as f64 / (n * recording.queries.len()) as f64,
        );
    }
    println!("all, ns per token: push {pushes:.0}, query {queries:.0}");
}
