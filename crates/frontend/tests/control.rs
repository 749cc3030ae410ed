//! Control flow: tables, blocks with parameters, unreachable code.

use crate::oracle;
use std::fmt::Write as _;

use crate::oracle::{check, exits, exits_with, module};
use weightware_frontend::{Options, lower};

const INDICES: [u32; 12] = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    100,
    0x7fff_ffff,
    0x8000_0000,
    u32::MAX,
];

#[test]
fn br_table_for_any_index() {
    for targets in [
        "",
        "0",
        "1",
        "0 0",
        "0 1",
        "1 0 1",
        "0 1 2",
        "2 2 0 1 1",
        "0 1 2 0 1 2 0",
    ] {
        for default in 0..3 {
            for index in INDICES {
                let body = format!(
                    "(block (block (block (br_table {targets} {default} (i32.const {index})))
                       (return (i32.const 10))) (return (i32.const 11))) (i32.const 12)"
                );
                exits(&body);
            }
        }
    }
}

#[test]
fn br_table_takes_operands_away() {
    for index in INDICES {
        let body = format!(
            "(i32.const 1000)
             (block $a (result i32)
               (i32.const 100)
               (block $b (result i32)
                 (i32.const 10) (i32.const 20) (i32.const 7)
                 (br_table $a $b 2 $a $b (i32.const {index})))
               i32.add)
             i32.add"
        );
        exits(&body);
    }
}

#[test]
fn a_table_of_a_thousand() {
    let mut targets = String::new();
    for index in 0..1000 {
        let _ = write!(targets, "{} ", (index * 7 + index / 9) % 4);
    }
    let body = format!(
        "(loop $next
           (block $d (block $c (block $b (block $a
             (br_table {targets} 1 (local.get 0)))
             (call $putchar (i32.const 65)) (br $d)) (call $putchar (i32.const 66)) (br $d))
             (call $putchar (i32.const 67)))
           (br_if $next (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1003))))
         (i32.const 0)"
    );
    check(&module("", "(local i32)", &body));
}

#[test]
fn blocks_with_parameters_and_several_results() {
    let fields = "(type $two (func (param i32 i32) (result i32 i32)))
      (func $swap (type $two) (local.get 1) (local.get 0))";
    let body = "(i32.const 50) (i32.const 1) (i32.const 2)
      (block (type $two) (br_if 0 (local.get 0)) (call $swap) (br 0))
      (loop (type $two) (call $swap) (local.set 0 (i32.add (local.get 0) (i32.const 1)))
        (i32.const 1) drop
        (br_if 0 (i32.lt_u (local.get 0) (i32.const 3))))
      (if (type $two) (i32.const 1) (then (call $swap) (i32.const 3) i32.add))
      (if (type $two) (i32.const 0) (then (call $swap)) (else (i32.const 9) drop))
      i32.sub i32.add";
    exits_with(fields, "(local i32)", body);
    let carried = "(i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
      (loop (param i32 i32) (result i32)
        (i32.const 5) (i32.const 6) (i32.const 7)
        (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 4)))
        drop drop drop i32.mul)
      i32.add i32.sub";
    exits_with("", "(local i32)", carried);
}

#[test]
fn unreachable_code() {
    for body in [
        "(return (i32.const 1)) (i64.const 5) drop (block (result f32) (loop (br 0)) (f32.const 1)) drop unreachable",
        "(block (br 0) (if (i32.const 1) (then nop) (else (block)))) (i32.const 2)",
        "(block (result i32) (if (i32.const 0) (then (br 2 (i32.const 3)) (if (then) (else))) (else (br 2 (i32.const 4)))) unreachable)",
        "(if (result i32) (i32.const 0) (then unreachable) (else (i32.const 5)))",
        "(if (result i32) (i32.const 1) (then (i32.const 6)) (else (loop (br 0)) unreachable))",
        "(loop (br 1 (i32.const 7))) unreachable",
        "(block (result i64) (br 1 (i32.const 8))) drop (i32.const 9)",
    ] {
        exits(body);
    }
}

#[test]
fn conditions_and_their_negations() {
    for (a, b) in [(1, 2), (2, 1), (1, 1), (-1, 1), (0, 0), (0, -1)] {
        for op in [
            "eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u",
        ] {
            let condition = format!("(i32.{op} (i32.const {a}) (i32.const {b}))");
            for negated in [
                condition.clone(),
                format!("(i32.eqz {condition})"),
                format!("(i32.eqz (i32.eqz {condition}))"),
                format!("(i32.ne {condition} (i32.const 0))"),
                format!("(i32.eq {condition} (i32.const 0))"),
            ] {
                exits(&negated);
                exits(&format!(
                    "(if (result i32) {negated} (then (i32.const 1)) (else (i32.const 2)))"
                ));
                exits(&format!(
                    "(block (br_if 0 {negated}) (return (i32.const 3))) (i32.const 4)"
                ));
            }
        }
    }
}

#[test]
fn rewriting_stops_at_labels() {
    let body = "(local.set 0 (i32.const 3))
      (block (br_if 0 (i32.const 1)) (local.set 0 (i32.const 4)))
      (local.get 0)
      (if (result i32) (i32.const 0) (then (i32.const 1)) (else (i32.const 0)))
      i32.eqz
      i32.add
      (block (result i32) (drop (br_if 0 (i32.const 5) (local.get 0))) (i32.const 6))
      drop";
    exits_with("", "(local i32)", body);
}

#[test]
fn deep_nesting() {
    let depth = 60_000;
    let mut body = Vec::new();
    body.extend(std::iter::repeat_n([0x02, 0x40], depth).flatten());
    body.extend([0x41, 0x05, 0x0f]);
    body.extend(std::iter::repeat_n(0x0b, depth));
    body.extend([0x00, 0x0b]);
    let binary = main_of(&body);
    let lowered = lower(&binary, &Options::default()).expect("it lowers");
    let run = oracle::machine(&lowered, b"", 1000).expect("it ends");
    assert_eq!(run.outcome, weightware_isa::Outcome::Exited(5));
}

/// A binary whose `main` has a given body and no locals.
fn main_of(body: &[u8]) -> Vec<u8> {
    let mut binary =
        b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0\x07\x08\x01\x04main\0\0".to_vec();
    let leb = |value: usize| {
        let byte = |shift: usize, last: bool| {
            ((value >> shift & 0x7f) as u8) | if last { 0 } else { 0x80 }
        };
        [
            byte(0, false),
            byte(7, false),
            byte(14, false),
            byte(21, true),
        ]
    };
    binary.push(0x0a);
    binary.extend(leb(body.len() + 1 + 4 + 1));
    binary.push(0x01);
    binary.extend(leb(body.len() + 1));
    binary.push(0x00);
    binary.extend(body);
    binary
}
