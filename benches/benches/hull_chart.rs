//! The hull index and its rivals over many sizes, like the bench `rivals` of `weightware-hull`, and
//! also on keys and queries recorded while a program is decoded. `cargo xtask bench hull` runs it.
#![allow(missing_docs, clippy::print_stdout)]

#[path = "../../crates/hull/benches/rivals/chart.rs"]
mod chart;
#[path = "../../crates/hull/benches/rivals/log_axes.rs"]
mod log_axes;
#[path = "../../crates/hull/benches/rivals/measure.rs"]
mod measure;
#[path = "../../crates/hull/benches/rivals/rivals.rs"]
mod rivals;
#[path = "../../crates/hull/benches/rivals/workloads.rs"]
mod workloads;

use weightware::{Keys, certify, default_model};
use weightware_benches::{endless, record};
use workloads::{Recording, Workload};

fn main() {
    measure::main(10_000_000, recorded);
}

/// Recordings of at most `most` keys, with queries for the steps before the sizes.
fn recorded(most: usize, sizes: &[usize]) -> Vec<Workload> {
    let tokens = most.min(1_000_000);
    let keep = |t: usize| {
        let mut sizes = sizes.iter();
        sizes.any(|&n| t < n && t >= n - measure::steps(n))
    };
    let recordings = record::record(&endless(), tokens as u64, keep);
    let certificate = certify(&default_model());
    let mut names = vec![];
    let named = recordings.into_iter().filter_map(|recording| {
        let mut heads = certificate.heads.iter();
        let head = heads.find(|head| (head.layer, head.head) == recording.heads[0])?;
        let name = match head.keys {
            Keys::Positions { .. } => "recorded: positions",
            Keys::Latest { .. } => "recorded: flagged tokens",
            Keys::Indexed {
                by_position: true, ..
            } => "recorded: words",
            Keys::Indexed {
                by_position: false, ..
            } => "recorded: addresses",
            Keys::Equal { .. } | Keys::Unknown(_) => return None,
        };
        // The first recording of each kind.
        if names.contains(&name) {
            return None;
        }
        names.push(name);
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
    assert_eq!(named.len(), 4, "a kind of keys is missing");
    named
}
