//! Every arithmetic instruction of the machine against Rust, on edge operands and random ones. `cargo xtask verify` takes
//! many more.

use weightware::Computer;
use weightware_isa::Op;
use weightware_tests::FASTEST;
use weightware_tests::verify::{Meaning, ROWS, Row, Verifier, edges, random, small};

#[test]
fn interpreter() {
    for row in &ROWS {
        let arity = row.meaning.arity();
        let operands = [edges(row.meaning.widths()), small(arity), random(7, 20_000)].concat();
        Verifier::interpreter(row, &operands).unwrap();
    }
}

#[test]
fn exact() {
    let computer = Computer::default();
    let verifier = Verifier::new(&computer, FASTEST);
    for (row, seed) in ROWS.iter().zip(0..) {
        let edges = edges(row.meaning.widths());
        let some = edges.into_iter().skip(seed as usize % 19).step_by(19);
        let operands: Vec<_> = some.take(30).chain(random(seed, 30)).collect();
        verifier.exact(row, &operands).unwrap();
    }
}

#[test]
fn weights() {
    let computer = Computer::default();
    let verifier = Verifier::new(&computer, FASTEST);
    for (row, seed) in ROWS.iter().zip(100..) {
        let edges = edges(row.meaning.widths()).into_iter().step_by(2);
        let operands: Vec<_> = edges.take(400).chain(random(seed, 100)).collect();
        verifier.weights(row, &operands).unwrap();
    }
}

#[test]
fn a_wrong_meaning_is_found() {
    let row = Row {
        name: "wrong",
        ops: &[Op::I32Sub],
        meaning: Meaning::Binary(|a, b| Some(b.wrapping_sub(a))),
    };
    let problem = Verifier::interpreter(&row, &edges(&[4, 4])).unwrap_err();
    assert!(problem.starts_with("wrong of "), "{problem}");
}
