//! Runs random operations on hulls and on scans until the two differ or enough operations are done.
//!
//! ```text
//! cargo run --release -p weightware-hull --example duel -- [OPERATIONS] [SEED]
//! ```

#![allow(clippy::print_stdout)]

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/common/duel.rs"]
mod duel;
#[path = "../tests/common/streams.rs"]
mod streams;

use duel::Rules;
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| {
        let digits = number.replace(['_', ','], "");
        digits.parse().expect("a number")
    });
    let wanted: u64 = arguments.next().unwrap_or(10_000_000);
    let seed: u64 = arguments.next().unwrap_or(1);
    let start = Instant::now();
    let (mut done, mut told) = (0, 0);
    let mut by_stream = vec![0; streams::STREAMS.len()];
    for round in seed.. {
        // Mostly short runs, where keys are close to one another, and sometimes long ones, where
        // blocks split.
        let keys = match round % 64 {
            63 => 6_000,
            n if n % 8 == 7 => 500,
            n => 3 + 2 * n as u32,
        };
        let rules = Rules {
            keys,
            queries: 64,
            top: (8, 1 + round as usize % 32),
        };
        for ((name, key), count) in streams::STREAMS.into_iter().zip(&mut by_stream) {
            let operations = duel::duel(name, key, rules, round);
            *count += operations;
            done += operations;
        }
        if done - told >= 10_000_000 || done >= wanted {
            told = done;
            println!("{done} operations in {:.0?}", start.elapsed());
        }
        if done >= wanted {
            println!("last seed {round}; no difference");
            break;
        }
    }
    for ((name, _), count) in streams::STREAMS.into_iter().zip(by_stream) {
        println!("{count:>12} {name}");
    }
}
