//! The default machine and its committed schedule.

use weightware_model::Model;

use crate::machine::{Machine, Module};
use crate::schedule::Schedule;

/// The committed schedule of the default machine: the half-layer of every writer, the slot of every dimension.
pub const DEFAULT_SCHEDULE: &str = include_str!("../schedules/default.txt");

/// The default model: all modules, 7 layers, `d_model` 36, 18 heads, `d_ffn` 36. Built in milliseconds, always the same.
///
/// # Panics
/// If the committed schedule does not fit the machine; a test keeps it fitting.
#[must_use]
pub fn default_model() -> Model {
    let machine = Machine::new(&Module::ALL);
    let schedule = Schedule::parse(&machine.graph, DEFAULT_SCHEDULE).unwrap_or_else(|error| {
        panic!("solve the schedule anew with `cargo xtask schedule`: {error}")
    });
    machine.assemble(&schedule).expect("a parsed schedule fits")
}
