//! A thousand random modules against an independent engine, some of them through the weights.
//! `cargo xtask fuzz` runs any number, and writes a case of the corpus for each that differs.

use weightware::Computer;
use weightware_tests::fuzz::{Fuzzed, fuzz};
use weightware_tests::{Executor, FASTEST};

/// Runs modules and returns how many were compared.
fn compared(seeds: impl Iterator<Item = u64>, executor: &Executor<'_>) -> usize {
    let modules = seeds.filter(|&seed| match fuzz(seed, executor) {
        Fuzzed::Same(..) => true,
        Fuzzed::Skipped(_) => false,
        Fuzzed::Different(difference) => {
            panic!(
                "cargo xtask fuzz --seed {seed} --count 1: {}",
                difference.problem
            )
        }
    });
    modules.count()
}

#[test]
fn through_the_plain_interpreter() {
    let count = compared(0..2_000, &Executor::Interpreter);
    assert!(count > 900, "{count} modules are too few to tell");
}

#[test]
fn through_the_weights() {
    let computer = Computer::default();
    let executor = Executor::Weights(&computer, FASTEST);
    let count = compared(2_000..2_080, &executor);
    assert!(count > 30, "{count} modules are too few to tell");
}
