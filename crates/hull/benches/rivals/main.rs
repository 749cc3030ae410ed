//! The hull index and its rivals over many sizes, as a table and a chart.
//!
//! `cargo bench -p weightware-hull --bench rivals` runs it. `cargo xtask bench hull` of the
//! workspace adds recorded workloads.
#![allow(missing_docs, clippy::print_stdout)]

mod chart;
mod log_axes;
mod measure;
mod rivals;
mod workloads;

fn main() {
    measure::main(1_000_000, |_, _| vec![]);
}
