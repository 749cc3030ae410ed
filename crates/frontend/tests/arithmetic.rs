//! Every operator on i32 over edge and random operands, against wasmi.

use crate::oracle;
use proptest::prelude::*;
use weightware_isa::{Outcome, Trap};

const EDGES: [u32; 26] = [
    0,
    1,
    2,
    3,
    5,
    7,
    8,
    10,
    15,
    16,
    31,
    32,
    33,
    100,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
];

const BINARY: [&str; 25] = [
    "add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl", "shr_s",
    "shr_u", "rotl", "rotr", "eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s",
    "ge_u",
];

const UNARY: [&str; 6] = ["clz", "ctz", "popcnt", "eqz", "extend8_s", "extend16_s"];

fn data(words: impl IntoIterator<Item = u32>) -> String {
    let bytes = words.into_iter().flat_map(u32::to_le_bytes);
    bytes.map(|byte| format!("\\{byte:02x}")).collect()
}

const PUT: &str = "(func $put (param $x i32)
    (call $putchar (local.get $x))
    (call $putchar (i32.shr_u (local.get $x) (i32.const 8)))
    (call $putchar (i32.shr_u (local.get $x) (i32.const 16)))
    (call $putchar (i32.shr_u (local.get $x) (i32.const 24))))";

fn does_trap(op: &str, a: u32, b: u32) -> bool {
    match op {
        "div_u" | "rem_u" | "rem_s" => b == 0,
        "div_s" => b == 0 || (a == 1 << 31 && b == u32::MAX),
        _ => false,
    }
}

/// A module that outputs the results of an operator for pairs in memory.
fn table(op: &str, pairs: &[(u32, u32)]) -> String {
    let end = pairs.len() * 8;
    let data = data(pairs.iter().flat_map(|&(a, b)| [a, b]));
    let operands = if UNARY.contains(&op) {
        "(i32.load (local.get $p))"
    } else {
        "(i32.load (local.get $p)) (i32.load offset=4 (local.get $p))"
    };
    oracle::module(
        &format!("(data (i32.const 0) \"{data}\") {PUT}"),
        "(local $p i32)",
        &format!(
            "(loop $next
               (call $put (i32.{op} {operands}))
               (local.set $p (i32.add (local.get $p) (i32.const 8)))
               (br_if $next (i32.lt_u (local.get $p) (i32.const {end}))))
             (i32.const 0)"
        ),
    )
}

#[test]
fn binary_operators_on_edges() {
    for op in BINARY {
        let pairs = EDGES
            .into_iter()
            .flat_map(|a| EDGES.into_iter().map(move |b| (a, b)));
        let pairs: Vec<_> = pairs.filter(|&(a, b)| !does_trap(op, a, b)).collect();
        let run = oracle::check(&table(op, &pairs));
        assert_eq!(run.output.len(), 4 * pairs.len());
    }
}

#[test]
fn unary_operators_on_edges_and_powers() {
    let powers =
        (0..32).flat_map(|bit| [1 << bit, u32::MAX << bit, (1 << bit) + 1, u32::MAX >> bit]);
    let pairs: Vec<_> = EDGES.into_iter().chain(powers).map(|a| (a, 0)).collect();
    for op in UNARY {
        oracle::check(&table(op, &pairs));
    }
}

/// The right operand is a constant, for which the lowering may choose a shorter sequence.
#[test]
fn constant_right_operands() {
    let all: Vec<u32> = EDGES
        .into_iter()
        .chain((0..32).map(|bit| 1 << bit))
        .collect();
    for op in BINARY {
        let mut body = String::new();
        for &b in &all {
            for a in EDGES.into_iter().filter(|&a| !does_trap(op, a, b)) {
                body += &format!("(call $put (i32.{op} (i32.const {a}) (i32.const {b})))\n");
            }
        }
        oracle::check(&oracle::module(PUT, "", &format!("{body} (i32.const 0)")));
    }
}

#[test]
fn constant_right_operands_with_operands_below() {
    for op in ["div_s", "rem_s", "div_u", "rem_u", "shr_s"] {
        for a in [-1000, 1000] {
            for b in [-3, 7, 8] {
                let body =
                    format!("(i32.sub (i32.const 5) (i32.{op} (i32.const {a}) (i32.const {b})))");
                oracle::exits(&body);
            }
        }
    }
}

#[test]
fn divisions_trap() {
    for op in ["div_s", "div_u", "rem_s", "rem_u"] {
        for a in [0, 1, 0x8000_0000u32, u32::MAX] {
            let by_constant = format!("(i32.{op} (i32.const {a}) (i32.const 0))");
            assert_eq!(oracle::traps(&by_constant), Trap::DivideByZero);
            let by_value = format!("(i32.{op} (i32.const {a}) (i32.load (i32.const 8)))");
            assert_eq!(oracle::traps(&by_value), Trap::DivideByZero);
        }
    }
    let overflow = "(i32.div_s (i32.const 0x80000000) (i32.const -1))";
    assert_eq!(oracle::traps(overflow), Trap::IntegerOverflow);
    let by_value =
        "(i32.div_s (i32.const 0x80000000) (i32.sub (i32.load (i32.const 0)) (i32.const 1)))";
    assert_eq!(oracle::traps(by_value), Trap::IntegerOverflow);
    assert_eq!(
        oracle::exits("(i32.rem_s (i32.const 0x80000000) (i32.const -1))"),
        0
    );
}

#[test]
fn sign_extension_by_shifts() {
    for count in [16, 24] {
        for value in [0x80, 0x7f, 0x8000, 0x12345, -1] {
            oracle::exits(&format!(
                "(i32.shr_s (i32.shl (i32.const {value}) (i32.const {count})) (i32.const {count}))"
            ));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn operators_on_random_operands(
        op in prop::sample::select([&BINARY[..], &UNARY[..]].concat()),
        pairs in prop::collection::vec((any::<u32>(), any::<u32>(), 0u32..32, 0u32..32), 1..60),
    ) {
        let pairs: Vec<_> = pairs.into_iter().map(|(a, b, c, d)| (a >> c, b >> d)).collect();
        let pairs: Vec<_> = pairs.into_iter().filter(|&(a, b)| !does_trap(op, a, b)).collect();
        prop_assume!(!pairs.is_empty());
        let run = oracle::check(&table(op, &pairs));
        prop_assert_eq!(run.outcome, Outcome::Exited(0));
    }
}
