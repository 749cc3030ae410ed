//! The official WebAssembly test suite: a sample through the weights, and a check of the suite
//! itself. `cargo xtask spec` runs the whole suite through the weights.

use weightware::{Computer, Profile, profile_model};
use weightware_tests::spec::{self, File};
use weightware_tests::{Executor, FASTEST};

/// Quick files in which nothing fails.
const SLICE: [&str; 12] = [
    "br",
    "data",
    "endianness",
    "exports",
    "i32",
    "int_exprs",
    "int_literals",
    "labels",
    "start",
    "switch",
    "traps",
    "unwind",
];

#[test]
fn slice_through_the_weights() {
    let computer = Computer::new(profile_model(Profile::FAR)).expect("a compiled machine");
    let executor = Executor::Weights(&computer, FASTEST);
    let files = spec::files().into_iter();
    let files: Vec<_> = files
        .filter(|file| SLICE.contains(&file.name.as_str()))
        .collect();
    assert_eq!(files.len(), SLICE.len());
    for file in files {
        let report = spec::run(&file, &executor);
        assert_eq!(report.failures, [], "{}", file.name);
        assert!(report.pass > 0, "{} has nothing that runs", file.name);
        let complete = ["i32", "labels", "start"].contains(&file.name.as_str());
        assert!(!complete || report.refused() == 0, "{:?}", report.refusals);
    }
}

/// The suite's modules with their entries, replays and links, run by an independent engine. So a
/// failure elsewhere is a fault of the machine.
#[test]
fn the_suite_itself() {
    let (mut pass, mut refused) = (0, 0);
    for file in spec::files() {
        let report = spec::run(&file, &Executor::Wasmi);
        assert_eq!(report.failures, [], "{}", file.name);
        let reasons = report.refusals.keys();
        reasons.for_each(|reason| assert_eq!(reason, "linked modules with a memory each"));
        pass += report.pass;
        refused += report.refused();
    }
    assert_eq!((pass, refused), (19_230, 5));
}

#[test]
fn wrong_assertions_fail() {
    let text = r#"
        (module (func (export "one") (result i32) (i32.const 1)) (func (export "trap") unreachable))
        (assert_return (invoke "one") (i32.const 2))
        (assert_trap (invoke "one") "unreachable")
        (assert_trap (invoke "trap") "integer divide by zero")
        (assert_return (invoke "trap"))
        (assert_exhaustion (invoke "trap") "call stack exhausted")
        (assert_invalid (module) "type mismatch")
        (assert_malformed (module quote "(func)") "unexpected token")
        (assert_unlinkable (module) "unknown import")
        (assert_trap (module (func $f) (start $f)) "unreachable")
        (assert_return (invoke "one") (i32.const 1))"#;
    let report = spec::run(&File::new("wrong", text), &Executor::Interpreter);
    let lines: Vec<usize> = report.failures.iter().map(|&(line, _)| line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 10, 11], "{report:?}");
    assert_eq!((report.pass, report.refused()), (2, 0));
}

#[test]
fn state_survives_a_trap_of_another_call() {
    let text = r#"
        (module (global $count (mut i32) (i32.const 0))
          (memory 1)
          (func (export "count") (result i32)
            (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
          (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
          (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
          (func (export "trap") unreachable))
        (assert_return (invoke "count") (i32.const 1))
        (invoke "put" (i32.const 8) (i32.const 77))
        (assert_trap (invoke "trap") "unreachable")
        (assert_return (invoke "count") (i32.const 2))
        (assert_return (invoke "get" (i32.const 8)) (i32.const 77))
        (assert_trap (invoke "trap") "unreachable")
        (assert_trap (invoke "put" (i32.const -1) (i32.const 0)) "out of bounds memory access")
        (assert_return (invoke "count") (i32.const 3))"#;
    let report = spec::run(&File::new("state", text), &Executor::Interpreter);
    assert_eq!(report.failures, []);
    // The module counts as well.
    assert_eq!((report.pass, report.refused()), (9, 0));
}
