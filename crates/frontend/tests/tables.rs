//! Tables, memory that grows, bulk memory, start functions, imports.

use crate::oracle;
use std::fmt::Write as _;

use crate::oracle::{check, exits, exits_with};
use weightware_frontend::{Options, lower};
use weightware_isa::{Interpreter, Outcome, Trap, Value};

const FUNCTIONS: &str = "(type $unary (func (param i32) (result i32)))
  (type $again (func (param i32) (result i32)))
  (type $wide (func (param i64 f64) (result i64)))
  (type $none (func))
  (table 8 8 funcref)
  (elem (i32.const 1) $double $square $add)
  (elem (i32.const 5) $ignored)
  (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $square (type $again) (i32.mul (local.get 0) (local.get 0)))
  (func $add (param i64 f64) (result i64) (i64.add (local.get 0) (i64.trunc_f64_s (local.get 1))))
  (func $ignored)";

#[test]
fn calls_through_tables() {
    for (index, wanted) in [(1, 14), (2, 49)] {
        let body = format!("(call_indirect (type $unary) (i32.const 7) (i32.const {index}))");
        assert_eq!(exits_with(FUNCTIONS, "", &body), wanted);
        let same = format!("(call_indirect (type $again) (i32.const 7) (i32.const {index}))");
        assert_eq!(exits_with(FUNCTIONS, "", &same), wanted);
    }
    let wide =
        "(i32.wrap_i64 (call_indirect (type $wide) (i64.const 5) (f64.const -2.5) (i32.const 3)))";
    assert_eq!(exits_with(FUNCTIONS, "", wide), 3);
}

#[test]
fn calls_through_tables_trap() {
    for (index, trap) in [
        (0, Trap::UninitializedElement),
        (4, Trap::UninitializedElement),
        (3, Trap::IndirectCallType),
        (5, Trap::IndirectCallType),
        (8, Trap::UndefinedElement),
        (-1, Trap::UndefinedElement),
    ] {
        let body = format!("(call_indirect (type $unary) (i32.const 7) (i32.const {index}))");
        let text = oracle::module(FUNCTIONS, "", &body);
        assert_eq!(check(&text).outcome, Outcome::Trapped(trap), "{index}");
    }
}

#[test]
fn recursion_through_a_table_and_large_frames() {
    let locals = "i32 ".repeat(600);
    let mut uses = String::new();
    for local in 1..600 {
        let _ = write!(uses, "(local.set {local} (local.get 0))");
    }
    let fields = format!(
        "(type $t (func (param i32) (result i32))) (table 1 funcref) (elem (i32.const 0) $f)
         (func $f (type $t) (local {locals}) {uses}
           (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
           (i32.add
             (local.get 300)
             (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))"
    );
    assert_eq!(exits_with(&fields, "", "(call $f (i32.const 5))"), 16);
}

#[test]
fn imported_functions_in_tables() {
    let fields = "(type $p (func (param i32))) (type $g (func (result i32)))
      (table 2 funcref) (elem (i32.const 0) $putchar $getchar)";
    let body = "(call_indirect (type $p) (i32.const 72) (i32.const 0))
      (call_indirect (type $g) (i32.const 1))";
    let run = oracle::check_with(&oracle::module(fields, "", body), b"x");
    assert_eq!(
        (run.outcome, &run.output[..]),
        (Outcome::Exited(120), &b"H"[..])
    );
}

#[test]
fn branch_tables_of_all_sizes() {
    for size in [0, 1, 2, 3, 4, 5, 8, 40] {
        let mut blocks = String::new();
        let mut ends = String::new();
        let mut targets = String::new();
        for target in 0..=size {
            blocks += "(block ";
            let _ = write!(targets, "{target} ");
            let _ = write!(ends, ") (i32.const {}) return", 100 + target);
        }
        let fields = format!(
            "(func $f (param i32) (result i32) {blocks}
               (i32.const 7) (br_table {targets} (local.get 0)) {ends})"
        )
        .replace("(i32.const 7) (br_table", "(br_table");
        for index in [0, 1, size, size + 1, -1] {
            let wanted = 100
                + if (0..size).contains(&index) {
                    index
                } else {
                    size
                };
            let body = format!("(call $f (i32.const {index}))");
            assert_eq!(
                exits_with(&fields, "", &body),
                wanted as u32,
                "{size} {index}"
            );
        }
    }
}

#[test]
fn memory_grows_up_to_its_maximum() {
    let text = |maximum: &str, body: &str| {
        format!("(module (memory 1 {maximum}) (func (export \"main\") (result i32) {body}))")
    };
    for (maximum, body) in [
        ("", "(memory.size)"),
        ("3", "(memory.grow (i32.const 1))"),
        ("3", "(drop (memory.grow (i32.const 2))) (memory.size)"),
        ("3", "(drop (memory.grow (i32.const 3))) (memory.size)"),
        ("3", "(memory.grow (i32.const 3))"),
        ("3", "(memory.grow (i32.const -1))"),
        ("3", "(memory.grow (i32.const 0))"),
        ("1", "(memory.grow (i32.const 1))"),
        (
            "",
            "(drop (memory.grow (i32.const 800))) (memory.grow (i32.const 64736))",
        ),
        ("3", "(i32.load (i32.const 65536))"),
        (
            "3",
            "(drop (memory.grow (i32.const 1))) (i32.load (i32.const 65536))",
        ),
        (
            "3",
            "(drop (memory.grow (i32.const 1))) (i32.load (i32.const 131072))",
        ),
        (
            "3",
            "(drop (memory.grow (i32.const 1))) (drop (memory.grow (i32.const 1)))
             (i64.store offset=8 (i32.const 131064) (i64.const 0x123456789abcdef0))
             (i32.load offset=12 (i32.const 131064))",
        ),
    ] {
        check(&text(maximum, body));
    }
}

#[test]
fn memory_with_input_after_it_or_before_it() {
    let body = "(local i32)
      (i32.store (i32.const 8) (i32.const 77))
      (i32.store offset=65528 (i32.const 0) (i32.const 78))
      (call $putchar (call $getchar))
      (local.set 0 (memory.grow (i32.const 3)))
      (call $putchar (call $getchar))
      (call $putchar (i32.load (i32.const 3)))
      (i32.add (memory.size) (i32.mul (i32.const 16) (i32.add (local.get 0) (i32.load (i32.const 8)))))";
    let text = oracle::module("(data (i32.const 3) \"D\")", "", body)
        .replace("(memory 1)", "(memory 1 9)");
    for (options, wanted) in [
        (Options::default(), 1 + 16 * 76),
        (Options::default().with_memory_pages(3), 1 + 16 * 76),
        (Options::default().with_memory_pages(4), 4 + 16 * 78),
        (Options::default().with_memory_pages(100), 4 + 16 * 78),
    ] {
        let lowered = lower(text.as_bytes(), &options).expect("it lowers");
        let run = oracle::machine(&lowered, b"ab", 1 << 20).expect("it ends");
        assert_eq!(run.output, b"abD", "{options:?}");
        assert_eq!(run.outcome, Outcome::Exited(wanted), "{options:?}");
    }
}

/// Modules that declare more pages than the machine has: a stack of 16 MiB below the data, as Zig
/// links it.
#[test]
fn memory_from_an_origin_on() {
    let text = |body: &str| {
        format!(
            "(module (import \"env\" \"putchar\" (func $putchar (param i32)))
              (import \"env\" \"getchar\" (func $getchar (result i32)))
              (memory 258) (global $stack (mut i32) (i32.const 0x1000000))
              (data (i32.const 0x1000004) \"ABCD\")
              (func (export \"main\") (result i32) (local $p i32) {body}))"
        )
    };
    let run = |body: &str, options: &Options| {
        let lowered = lower(text(body).as_bytes(), options).expect("it lowers");
        let run = oracle::machine(&lowered, b"xy", 1 << 20).expect("it ends");
        (run.output, run.outcome, lowered.memory)
    };
    // Through a pointer with an offset, an offset alone, and below the stack pointer; widths; the
    // memory's end; bulk operators.
    let body = "
        (i32.store8 offset=1 (i32.sub (global.get $stack) (i32.const 65536)) (call $getchar))
        (call $putchar (i32.load8_u (i32.const 0xff0001)))
        (call $putchar (i32.load8_u offset=0x1000002 (i32.const 2)))
        (i64.store (i32.sub (global.get $stack) (i32.const 8)) (i64.const 0x4847464544434241))
        (call $putchar (i32.wrap_i64 (i64.shr_u (i64.load offset=16 (i32.const 0xffffe8)) (i64.const 8))))
        (i32.store offset=12 (i32.const 0x101fff0) (i32.const 0x5a))
        (call $putchar (i32.load offset=0x1010000 (i32.const 0xfffc)))
        (memory.copy (i32.const 0x1000100) (i32.const 0x1000005) (i32.const 3))
        (call $putchar (i32.load8_u (i32.const 0x1000101)))
        (call $putchar (call $getchar))
        (memory.size)";
    for pages in [None, Some(4), Some(127), Some(u32::MAX)] {
        let mut options = Options::default();
        options.memory_pages = pages;
        let (output, outcome, _) = run(body, &options);
        assert_eq!(output, b"xABZCy", "{pages:?}");
        assert_eq!(outcome, Outcome::Exited(258), "{pages:?}");
    }
    // Accesses below the origin and beyond the end, on both of their boundaries, and addresses with
    // 33 bits, which do not wrap.
    for (address, offset, left_out) in [
        (0xfe_fff0_u32, 0_u32, true),
        (0xfe_fffe, 0, true),
        (0, 4, true),
        (8, 0xf0_0000, true),
        (8, 0xfe_fff6, true),
        (0x101_fffe, 0, false),
        (0x102_0000, 0, false),
        (0xffff_fff0, 0x100_0020, false),
        (0xffff_fff0, 0x20, false),
        (0xfff0_0000, 0xff_0000, false),
    ] {
        let body = format!("(i32.load offset={offset} (i32.const {address}))");
        let (_, outcome, window) = run(&body, &Options::default());
        assert_eq!(
            outcome,
            Outcome::Trapped(Trap::OutOfBounds),
            "{address:#x}+{offset:#x}"
        );
        let address = u64::from(address) + u64::from(offset);
        let accessed = address..address + 4;
        assert_eq!(window.leaves_out(&accessed), left_out, "{address:#x}");
    }
    // Data at low addresses: the machine does not hold the pages beyond its limit.
    let text = "(module (memory 300) (data (i32.const 8) \"x\")
        (func (export \"main\") (result i32) (i32.load8_u (i32.const 8))))";
    let lowered = lower(text.as_bytes(), &Options::default()).expect("it lowers");
    let run = oracle::machine(&lowered, b"", 1 << 20).expect("it ends");
    assert_eq!(run.outcome, Outcome::Exited(120));
    assert_eq!((lowered.memory.origin, lowered.memory.initial), (0, 300));
    assert!(lowered.memory.leaves_out(&(299 << 16..300 << 16)));
}

#[test]
fn bulk_memory() {
    let dump = "(local i32) (loop
        (call $putchar (i32.load8_u offset=100 (local.get 0)))
        (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 40))))
      (i32.const 0)";
    let fields = "(data (i32.const 100) \"the quick brown fox jumps over it\")
      (data $p \"passive bytes\") (data $q \"\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00z\")";
    for operation in [
        "(memory.copy (i32.const 100) (i32.const 103) (i32.const 20))",
        "(memory.copy (i32.const 103) (i32.const 100) (i32.const 20))",
        "(memory.copy (i32.const 101) (i32.const 100) (i32.const 30))",
        "(memory.copy (i32.const 100) (i32.const 101) (i32.const 30))",
        "(memory.copy (i32.const 110) (i32.const 100) (i32.const 9))",
        "(memory.copy (i32.const 100) (i32.const 100) (i32.const 9))",
        "(memory.copy (i32.const 65536) (i32.const 100) (i32.const 0))",
        "(memory.copy (i32.const 65530) (i32.const 100) (i32.const 7))",
        "(memory.copy (i32.const 100) (i32.const 65530) (i32.const 7))",
        "(memory.copy (i32.const 100) (i32.const 102) (i32.const -1))",
        "(memory.fill (i32.const 102) (i32.const 0x158) (i32.const 27))",
        "(memory.fill (i32.const 102) (i32.const 0x158) (i32.const 3))",
        "(memory.fill (i32.const 102) (i32.const 0x158) (i32.const 0))",
        "(memory.fill (i32.const 65535) (i32.const 0x158) (i32.const 2))",
        "(memory.init $p (i32.const 101) (i32.const 2) (i32.const 11))",
        "(memory.init $p (i32.const 101) (i32.const 2) (i32.const 12))",
        "(memory.init $p (i32.const 65530) (i32.const 0) (i32.const 7))",
        "(memory.init $q (i32.const 105) (i32.const 1) (i32.const 12))
         (memory.init $p (i32.const 101) (i32.const 0) (i32.const 1))",
        "(data.drop $p) (memory.init $p (i32.const 101) (i32.const 0) (i32.const 0))",
        "(data.drop $p) (memory.init $p (i32.const 101) (i32.const 0) (i32.const 1))",
        "(memory.init 0 (i32.const 101) (i32.const 0) (i32.const 0)) (data.drop 0)",
        "(memory.init 0 (i32.const 101) (i32.const 0) (i32.const 1))",
    ] {
        let body = dump.replace("(local i32)", &format!("(local i32) {operation}"));
        check(&oracle::module(fields, "", &body));
    }
}

#[test]
fn globals_of_all_types() {
    let fields =
        "(global $a (mut i64) (i64.const 0x1122334455667788)) (global $b f32 (f32.const 1.5))
      (global $c (mut f64) (f64.const -2)) (global $d (mut i32) (i32.const 9))";
    let body = "(global.set $a (i64.add (global.get $a) (i64.const 1)))
      (global.set $c (f64.mul (global.get $c) (f64.promote_f32 (global.get $b))))
      (i32.add
        (i32.add (i32.wrap_i64 (global.get $a)) (global.get $d))
        (i32.trunc_f64_s (global.get $c)))";
    exits_with(fields, "", body);
}

#[test]
fn imported_globals_have_given_values() {
    let text = r#"(module (import "host" "base" (global $b i64))
      (global $own i64 (global.get $b))
      (func (export "main") (result i32) (i32.wrap_i64 (i64.shr_u (global.get $own) (i64.const 32)))))"#;
    let options = Options::default().with_global("host", "base", Value::I64(7 << 32));
    let lowered = lower(text.as_bytes(), &options).expect("it lowers");
    let mut run = Interpreter::new(&lowered.program);
    assert_eq!(run.run(1000).expect("no fault"), Some(Outcome::Exited(7)));
}

#[test]
fn wide_values_on_every_way() {
    let fields = "(func $two (param i64 i32) (result i32 i64) (local.get 1) (local.get 0))
      (func $pick (param i64 i64 i32) (result i64) (select (local.get 0) (local.get 1) (local.get 2)))
      (func $zero (result i64) (local i64 i64)
        (loop (local.set 1 (i64.add (local.get 0) (i64.const 5))) (br_if 0 (i64.eqz (local.get 1))))
        (i64.add (local.get 0) (local.get 1)))";
    let body = "(local i64)
      (local.set 0 (call $pick (i64.const 0x100000005) (i64.const 3) (i32.const 1)))
      (i32.add
        (i32.wrap_i64 (block (result i64)
          (i32.const 1) (i64.const 9) (local.get 0) (br 0)))
        (i32.add
          (block (result i32) (call $two (local.get 0) (i32.const 40)) (drop))
          (i32.wrap_i64 (i64.sub (call $zero) (i64.shr_u (local.get 0) (i64.const 32))))))";
    assert_eq!(exits_with(fields, "", body), 49);
    assert_eq!(
        exits("(i64.const 5) (drop) (f64.const 1) (drop) (i32.const 3)"),
        3
    );
}
