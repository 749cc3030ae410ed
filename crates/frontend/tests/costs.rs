//! What operators cost that take more than one instruction. Each instruction is about five tokens of the trace.

use weightware_frontend::{Options, lower};
use weightware_isa::Interpreter;

/// Instructions and tokens of a `main` with that body.
fn run(body: &str) -> (u64, u64) {
    let text =
        format!("(module (memory 1) (func (export \"main\") (result i32) (local i32 i32) {body}))");
    let lowered = lower(text.as_bytes(), &Options::default()).expect("it lowers");
    let mut run = Interpreter::new(&lowered.program);
    run.run(1 << 20).expect("no fault").expect("it ends");
    (run.executed(), run.tokens())
}

/// What an operator costs beyond the instructions that push its operands. The right one is a constant, or a local.
fn cost(operator: &str, operands: &[i32], constant: bool) -> (u64, u64) {
    let (mut sets, mut gets) = (String::new(), String::new());
    for (index, operand) in operands.iter().enumerate() {
        if constant && index == 1 {
            gets += &format!("(i32.const {operand})");
        } else {
            // The constant is not the last instruction before the local is read.
            sets += &format!(
                "(local.set {index} (i32.const {operand})) (drop (i32.eqz (i32.const 0)))"
            );
            gets += &format!("(local.get {index})");
        }
    }
    let bare = run(&format!("{sets} (i32.const 0)"));
    let full = run(&format!("{sets} {gets} {operator}"));
    let pushed = operands.len() as u64 - 1;
    (full.0 - bare.0 - pushed, full.1 - bare.1 - 5 * pushed)
}

#[test]
fn operators_cost_what_the_readme_says() {
    for (operator, operands, constant, instructions, tokens) in [
        ("i32.mul", &[5, 7][..], false, 1, 5),
        ("i32.div_u", &[1000, 7], false, 2, 10),
        ("i32.rem_u", &[1000, 7], false, 4, 20),
        ("i32.div_u", &[1000, 8], true, 1, 5),
        ("i32.rem_u", &[1000, 8], true, 1, 5),
        ("i32.div_s", &[1000, 10], true, 8, 35),
        ("i32.div_s", &[-1000, 10], true, 11, 54),
        ("i32.rem_s", &[1000, 10], true, 10, 45),
        ("i32.rem_s", &[-1000, 10], true, 13, 64),
        ("i32.div_s", &[1000, 8], true, 7, 30),
        ("i32.rem_s", &[1000, 8], true, 7, 30),
        ("i32.div_s", &[1000, 7], false, 13, 59),
        ("i32.div_s", &[1000, -7], false, 21, 98),
        ("i32.div_s", &[-1000, 7], false, 25, 117),
        ("i32.div_s", &[-1000, -7], false, 29, 139),
        ("i32.rem_s", &[1000, 7], false, 18, 83),
        ("i32.rem_s", &[1000, -7], false, 22, 100),
        ("i32.rem_s", &[-1000, 7], false, 22, 106),
        ("i32.rem_s", &[-1000, -7], false, 26, 123),
        ("i32.clz", &[0], false, 23, 108),
        ("i32.clz", &[-1], false, 27, 109),
        ("i32.ctz", &[0], false, 23, 108),
        ("i32.ctz", &[1], false, 27, 109),
        ("i32.popcnt", &[-1], false, 29, 143),
        ("memory.grow", &[1], false, 5, 25),
    ] {
        let found = cost(operator, operands, constant);
        assert_eq!(found, (instructions, tokens), "{operator} {operands:?}");
    }
}
