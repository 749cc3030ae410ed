//! Benches of building: weights from the committed schedule, a program from a module.
#![allow(missing_docs, reason = "criterion's macros")]

use criterion::{Criterion, criterion_group, criterion_main};
use weightware_benches::program;

fn build(c: &mut Criterion) {
    c.bench_function("compile/weights", |b| b.iter(weightware::default_model));
    c.bench_function("lower/sudoku", |b| b.iter(|| program("sudoku")));
}

criterion_group!(benches, build);
criterion_main!(benches);
