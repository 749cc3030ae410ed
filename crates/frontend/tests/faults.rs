//! Every construct over i32 that other lowerings are known to get wrong.

use crate::oracle;
use std::fmt::Write as _;

use crate::oracle::{check, check_with, exits, exits_with, module, traps};
use weightware_frontend::{Options, lower};
use weightware_isa::{Outcome, Trap};

#[test]
fn bitwise_operators_are_not_boolean() {
    assert_eq!(exits("(i32.and (i32.const 12) (i32.const 10))"), 8);
    assert_eq!(exits("(i32.xor (i32.const 12) (i32.const 10))"), 6);
    assert_eq!(exits("(i32.or (i32.const 12) (i32.const 10))"), 14);
}

#[test]
fn printing_numbers() {
    let print = "(func $print (param $n i32)
      (if (i32.ge_u (local.get $n) (i32.const 10))
        (then (call $print (i32.div_u (local.get $n) (i32.const 10)))))
      (call $putchar (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10)))))";
    let body = "(call $print (i32.const 12345)) (call $print (i32.const -1)) (i32.const 0)";
    assert_eq!(check(&module(print, "", body)).output, b"123454294967295");
}

#[test]
fn memory_size_and_grow() {
    assert_eq!(exits("memory.size"), 1);
    assert_eq!(exits("(memory.grow (i32.const 0))"), 1);
    // The specification lets it fail; wasmi would grow, unless the module forbids it.
    let text = "(module (memory 2 2) (func (export \"main\") (result i32)
      (i32.mul (memory.size) (memory.grow (i32.const 1)))))";
    assert_eq!(check(text).outcome, Outcome::Exited(-2i32 as u32));
}

#[test]
fn typed_select() {
    assert_eq!(
        exits("(select (result i32) (i32.const 3) (i32.const 4) (i32.const 0))"),
        4
    );
    assert_eq!(
        exits("(select (i32.const 3) (i32.const 4) (i32.const 9))"),
        3
    );
}

#[test]
fn start_function_runs_before_the_entry() {
    let fields = "(global $g (mut i32) (i32.const 5)) (start $s)
      (func $s (global.set $g (i32.add (global.get $g) (i32.const 2))))";
    assert_eq!(exits_with(fields, "", "(global.get $g)"), 7);
    let alone = r#"(module (import "env" "putchar" (func $p (param i32)))
      (start $s) (func $s (call $p (i32.const 65))))"#;
    assert_eq!(check(alone).output, b"A");
}

#[test]
fn globals_start_with_their_values() {
    let fields = "(global $a (mut i32) (i32.const 0)) (global i64 (i64.const 1)) (global $b i32 (i32.const -7))";
    assert_eq!(
        exits_with(fields, "", "(i32.sub (global.get $a) (global.get $b))"),
        7
    );
}

#[test]
fn accesses_outside_the_memory_trap() {
    for body in [
        "(i32.load (i32.const 65533))",
        "(i32.load offset=65533 (i32.const 0))",
        "(i32.load16_u (i32.const 65535))",
        "(i32.load16_s offset=2 (i32.const 65533))",
        "(i32.load8_u (i32.const 65536))",
        "(i32.load8_s (i32.const -1))",
        "(i32.load offset=8 (i32.const -4))",
        "(i32.load8_u offset=0xffffffff (i32.const 1))",
        "(i32.load offset=0x1000000 (i32.const 0))",
        "(i32.store (i32.const 65533) (i32.const 1)) (i32.const 0)",
        "(i32.store16 (i32.const 65535) (i32.const 1)) (i32.const 0)",
        "(i32.store8 offset=1 (i32.const 65535) (i32.const 1)) (i32.const 0)",
        "(i32.store8 offset=4 (i32.const -2) (i32.const 1)) (i32.const 0)",
        "(i32.store offset=0x2000000 (i32.const 0) (i32.const 1)) (i32.const 0)",
    ] {
        assert_eq!(traps(body), Trap::OutOfBounds, "{body}");
    }
    assert_eq!(exits("(i32.load (i32.const 65532))"), 0);
    assert_eq!(
        exits(
            "(i32.store8 (i32.const 65535) (i32.const 511)) (i32.load8_s offset=65535 (i32.const 0))"
        ),
        u32::MAX
    );
}

#[test]
fn a_memory_without_pages_traps() {
    let text =
        "(module (memory 0) (func (export \"main\") (result i32) (i32.load8_u (i32.const 0))))";
    assert_eq!(check(text).outcome, Outcome::Trapped(Trap::OutOfBounds));
}

#[test]
fn unreachable_traps() {
    assert_eq!(traps("unreachable"), Trap::Unreachable);
}

#[test]
fn infinite_recursion_traps() {
    let one = "(module (func $f (export \"main\") (result i32) (i32.add (call $f) (i32.const 1))))";
    let two = "(module
      (func $f (param i32) (result i32) (call $g (i32.add (local.get 0) (i32.const 1))))
      (func $g (param i32) (result i32) (call $f (local.get 0)))
      (func (export \"_start\") (drop (call $f (i32.const 0)))))";
    for text in [one, two] {
        assert_eq!(
            check(text).outcome,
            Outcome::Trapped(Trap::CallStackExhausted)
        );
    }
}

#[test]
fn frames_end_at_the_limit_of_words() {
    let text = |depth: u32| {
        format!(
            "(module
          (func $f (param i32) (result i32)
            (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 9))
              (else (call $f (i32.sub (local.get 0) (i32.const 1))))))
          (func (export \"main\") (result i32) (call $f (i32.const {depth}))))"
        )
    };
    let run = |depth| {
        let lowered = lower(text(depth).as_bytes(), &Options::default()).expect("it lowers");
        oracle::machine(&lowered, b"", 1 << 20)
            .expect("it ends")
            .outcome
    };
    // The entry, `main` and `$f` have a word each.
    let deepest = weightware_isa::FRAME_LIMIT - 2;
    assert_eq!(run(deepest), Outcome::Exited(9));
    assert_eq!(run(deepest + 1), Outcome::Trapped(Trap::CallStackExhausted));
}

#[test]
fn output_with_operands_on_the_stack() {
    let body = "(i32.const 40) (call $putchar (i32.const 65)) (i32.const 2) (call $putchar (i32.const 66)) i32.add";
    assert_eq!(exits(body), 42);
}

#[test]
fn putchar_may_return_the_byte() {
    let text = r#"(module (import "env" "putchar" (func $p (param i32) (result i32)))
      (func (export "main") (result i32)
        (drop (call $p (i32.const 65)))
        (i32.add (i32.const 1000) (call $p (i32.const 0x141)))))"#;
    let run = check(text);
    assert_eq!(
        (run.outcome, &run.output[..]),
        (Outcome::Exited(1065), &b"AA"[..])
    );
}

#[test]
fn locals_are_zero_again_at_every_call() {
    let fib = "(func $fib (param $n i32) (result i32) (local $sum i32)
      (if (i32.ge_u (local.get $n) (i32.const 2)) (then
        (local.set $sum (i32.add (local.get $sum) (call $fib (i32.sub (local.get $n) (i32.const 1)))))
        (local.set $sum (i32.add (local.get $sum) (call $fib (i32.sub (local.get $n) (i32.const 2))))))
        (else (local.set $sum (local.get $n))))
      (local.get $sum))";
    assert_eq!(exits_with(fib, "", "(call $fib (i32.const 12))"), 144);
}

#[test]
fn frames_of_any_size() {
    for locals in [
        1, 63, 64, 65, 200, 254, 255, 256, 257, 509, 510, 511, 512, 1100, 2900,
    ] {
        let names = "i32 ".repeat(locals);
        let mut sets = String::new();
        let mut sum = String::new();
        for local in 0..locals {
            let _ = write!(sets, "(local.set {local} (i32.const {}))", local + 1);
            let _ = write!(sum, "(local.get {local}) i32.add ");
        }
        let calls = "(call $leaf (i32.const 3)) (call $deep (i32.const 4)) i32.add";
        let fields = format!(
            "(func $leaf (param i32) (result i32) (local i32 i32)
               (local.set 1 (i32.const 77)) (local.set 2 (local.get 0)) (local.get 2))
             (func $deep (param i32) (result i32) (local {names})
               (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
               (local.set {locals} (local.get 0))
               (i32.add (local.get {locals}) (call $deep (i32.sub (local.get 0) (i32.const 1)))))"
        );
        let body = format!("{sets} {calls} {sum}");
        exits_with(&fields, &format!("(local {names})"), &body);
    }
}

#[test]
fn many_globals() {
    let mut fields = String::new();
    let mut sum = String::from("(i32.const 0)");
    for global in 0..600 {
        let _ = write!(fields, "(global $g{global} (mut i32) (i32.const {global}))");
        let _ = write!(sum, "(global.get $g{global}) i32.add ");
    }
    let body = format!(
        "(global.set $g599 (call $getchar)) {sum} (drop (call $getchar)) (call $getchar) i32.sub"
    );
    let run = check_with(&module(&fields, "", &body), b"abc");
    assert_eq!(run.outcome, Outcome::Exited(598 * 599 / 2 + 97 - 99));
}

#[test]
fn branches_take_operands_away() {
    assert_eq!(
        exits(
            "(block (result i32) (i32.const 1) (i32.const 2) (i32.const 3) (br 0 (i32.const 4)))"
        ),
        4
    );
    assert_eq!(
        exits("(i32.const 1) (i32.const 2) (return (i32.const 3))"),
        3
    );
    for condition in [0, 1] {
        let body = format!(
            "(i32.const 100)
             (block (result i32)
               (i32.const 10) (i32.const 20)
               (br_if 0 (i32.const 7) (i32.const {condition}))
               drop i32.add)
             i32.add"
        );
        assert_eq!(exits(&body), if condition == 0 { 130 } else { 107 });
    }
    let at_function = "(i32.const 1) (br_if 0 (i32.const 9) (i32.const 1)) i32.add";
    assert_eq!(exits(at_function), 9);
}

#[test]
fn branches_out_of_if_and_to_the_function() {
    for condition in [0, 1] {
        let body = format!(
            "(block $out (if (i32.const {condition}) (then (br $out)) (else (br 1 ) )) (return (i32.const 3))) (i32.const 4)"
        );
        assert_eq!(exits(&body), 4);
        let body = format!(
            "(if (result i32) (i32.const {condition}) (then (br 0 (i32.const 5))) (else (br 1 (i32.const 6))))"
        );
        assert_eq!(exits(&body), 6 - condition);
    }
    assert_eq!(exits("(br 0 (i32.const 8))"), 8);
}

#[test]
fn a_local_that_is_set_once_reads_zero_before() {
    let body =
        "(i32.mul (local.get 0) (i32.const 100)) (local.set 0 (i32.const 7)) (local.get 0) i32.add";
    assert_eq!(exits_with("", "(local i32)", body), 7);
    let in_loop = "(loop (if (i32.eqz (local.get 1)) (then (local.set 1 (i32.const 1)) (br 1)))
      (local.set 0 (i32.add (local.get 0) (local.get 1)))
      (br_if 0 (i32.lt_u (local.get 0) (i32.const 5)))) (local.get 0)";
    assert_eq!(exits_with("", "(local i32 i32)", in_loop), 5);
}

#[test]
fn low_addresses_belong_to_the_program() {
    let fields = r#"(data (i32.const 0) "\01\02\03\04\05\06\07\08\09")"#;
    let body = "(drop (i32.div_u (i32.const 100) (i32.const 7))) (drop (i32.popcnt (i32.const 5)))
      (i32.xor (i32.load (i32.const 0)) (i32.load (i32.const 5)))";
    exits_with(fields, "", body);
}

#[test]
fn input_to_its_end() {
    let body = "(block $end (loop $next
        (br_if $end (i32.lt_s (local.tee 0 (call $getchar)) (i32.const 0)))
        (call $putchar (i32.sub (local.get 0) (i32.const 32)))
        (br $next)))
      (i32.add (call $getchar) (call $getchar))";
    let echo = module(
        "(data (i32.const 65530) \"\\01\\02\\03\\04\\05\\06\")",
        "(local i32)",
        body,
    );
    assert_eq!(check_with(&echo, b"hello").output, b"HELLO");
    assert_eq!(check_with(&echo, b"").output, b"");
    let all: Vec<u8> = (0..=255).chain(0..=255).collect();
    assert_eq!(
        check_with(&echo, &all).outcome,
        Outcome::Exited(-2i32 as u32)
    );
    let no_memory = r#"(module (import "env" "getchar" (func $g (result i32)))
      (func (export "main") (result i32) (i32.sub (call $g) (call $g))))"#;
    assert_eq!(
        check_with(no_memory, b"\x05\x00").outcome,
        Outcome::Exited(5)
    );
}

#[test]
fn data_segments_overlap_and_leave_zeros() {
    let fields = r#"(data (i32.const 16) "abcdefghijklmnopqrstuvwxyz\00\00\00\00\00\00\00\00\00\00\00\00!")
      (data (i32.const 20) "\00\00\00\00\00\00\00\00\00\00") (data (i32.const 22) "") (data (i32.const 65536) "")"#;
    let body = "(loop (call $putchar (i32.load8_u (local.get 0)))
      (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 64)))) (i32.const 0)";
    let text = module(fields, "(local i32)", body);
    check(&text);
    let lowered = lower(text.as_bytes(), &Options::default()).expect("it lowers");
    let lengths: Vec<usize> = lowered.program.sections.iter().map(Vec::len).collect();
    assert_eq!(lengths, [4, 12, 1]);
}
