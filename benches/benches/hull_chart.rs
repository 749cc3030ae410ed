//! The hull index and its rivals over many sizes, as the bench `rivals` of `weightware-hull`, and what they do on keys and
//! queries recorded while a program is decoded. `cargo xtask bench hull`.
#![allow(missing_docs, clippy::print_stdout)]

#[path = "../../crates/hull/benches/rivals/chart.rs"]
mod chart;
#[path = "../../crates/hull/benches/rivals/measure.rs"]
mod measure;
#[path = "../../crates/hull/benches/rivals/rivals.rs"]
mod rivals;
#[path = "../../crates/hull/benches/rivals/workloads.rs"]
mod workloads;

use weightware_benches::{endless, record};
use workloads::{Recording, Workload};

fn main() {
    measure::main(10_000_000, recorded);
}

/// Recordings of at most so many keys, with queries for the steps before the sizes.
fn recorded(most: usize, sizes: &[usize]) -> Vec<Workload> {
    let tokens = most.min(1_000_000);
    let keep = |t: usize| {
        let mut sizes = sizes.iter();
        sizes.any(|&n| t < n && t >= n - measure::steps(n))
    };
    let recordings = record::record(&endless(), tokens as u64, keep);
    let named = recordings.into_iter().filter_map(|recording| {
        let name = match recording.heads[0] {
            (0, 1) => "recorded: positions",
            (0, 0) => "recorded: flagged tokens",
            (5, 1) => "recorded: addresses",
            _ => return None,
        };
        let record::Recording {
            keys,
            times,
            queries,
            ..
        } = recording;
        let recording = Recording {
            keys,
            times,
            queries,
        };
        Some(Workload::recorded(name, recording))
    });
    let named: Vec<Workload> = named.collect();
    assert_eq!(named.len(), 3, "the heads have other numbers now");
    named
}
