//! The extensions that an instruction needs, by the exact evaluator: with these alone it is
//! correct, and without one of them it is not.

use weightware::{Computer, Engine};
use weightware_compiler::machine::{Extension, Machine};
use weightware_isa::Op;
use weightware_tests::verify::{ROWS, Row, Verifier, edges, random, straight};

/// The extensions that a row's instructions need.
fn needed(row: &Row) -> Vec<Extension> {
    let code = straight(row, &[[0; 3]]).code;
    let needs = |extension: &Extension| {
        let mut ops = code.iter();
        ops.any(|instruction| Extension::needed_by(instruction.op).contains(extension))
    };
    Extension::ALL.into_iter().filter(needs).collect()
}

#[test]
fn an_instruction_needs_its_extensions_and_no_others() {
    let computer = Computer::default();
    let exact = |row: &Row, extensions: &[Extension]| {
        let edges = edges(row.meaning.widths());
        let some = edges.iter().copied().step_by(1 + edges.len() / 48);
        let all: Vec<_> = some.chain(random(5, 48)).collect();
        Verifier::with_machine(Machine::new(extensions), &computer, Engine::Plan).exact(row, &all)
    };
    let mut lacking = 0;
    for row in &ROWS {
        let extensions = needed(row);
        if let Err(error) = exact(row, &extensions) {
            panic!("{} with {extensions:?}: {error}", row.name);
        }
        for left_out in &extensions {
            let others: Vec<_> = extensions
                .iter()
                .copied()
                .filter(|other| other != left_out)
                .collect();
            assert!(
                exact(row, &others).is_err(),
                "{} without {left_out:?}",
                row.name
            );
            lacking += 1;
        }
    }
    assert!(lacking > 30, "{lacking}");
}

#[test]
fn every_extension_is_needed() {
    for extension in Extension::ALL {
        let users = Op::ALL
            .iter()
            .filter(|&&op| Extension::needed_by(op).contains(&extension));
        assert!(users.count() > 0, "{extension:?}");
        assert_eq!(extension.name().parse(), Ok(extension));
    }
}
