//! Solves the default machine's schedule anew and prints it.
#![allow(clippy::print_stdout, reason = "an example prints")]

use weightware_compiler::machine::{Machine, Module};
use weightware_compiler::{Budget, solve_best};

fn main() {
    let machine = Machine::new(&Module::ALL);
    let d_model = std::env::args()
        .nth(1)
        .map_or(36, |word| word.parse().expect("a number"));
    let budget = Budget {
        d_model,
        ..Budget::DEFAULT
    };
    let schedule = solve_best(&machine.graph, budget, 40, 1_000_000).expect("fits");
    print!("{}", schedule.to_text(&machine.graph));
}
