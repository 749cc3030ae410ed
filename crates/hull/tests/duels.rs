//! Random operations on every stream, against the scan: a sample of the example `duel`.

mod common;

use common::duel::{Rules, duel};
use common::streams::STREAMS;

#[test]
fn short_runs_of_every_stream() {
    for (name, key) in STREAMS {
        for seed in 0..if cfg!(miri) { 2 } else { 400 } {
            let rules = Rules {
                keys: 1 + (seed % 60) as u32,
                queries: 80,
                top: (2, 1 + seed as usize % 12),
            };
            duel(name, key, rules, seed);
        }
    }
}

#[test]
fn long_runs_of_every_stream() {
    for (name, key) in STREAMS {
        let rules = Rules {
            keys: if cfg!(miri) { 300 } else { 10_000 },
            queries: 3,
            top: (3, 32),
        };
        duel(name, key, rules, 1);
    }
}
