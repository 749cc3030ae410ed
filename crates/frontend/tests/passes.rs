//! Each pass alone: the code that it generates for a small function, whose results must equal
//! wasmi's.

use crate::oracle;
use crate::oracle::module;
use weightware_frontend::{Options, Pass, Passes, lower};
use weightware_isa::Op;

/// The instructions of a module's `main`, as text, after a set of passes. Checks that the results
/// of all sets of passes equal wasmi's.
#[track_caller]
fn lowered(text: &str, passes: Passes) -> String {
    let binary = wat::parse_str(text).expect("a module");
    let expected = oracle::wasmi(&binary, b"abc", 1 << 20).expect("wasmi runs it");
    let alone = Pass::ALL.map(|pass| Passes::none().with(pass));
    let but = Pass::ALL.map(|pass| Passes::all().without(pass));
    for passes in [passes, Passes::none(), Passes::all()]
        .into_iter()
        .chain(alone)
        .chain(but)
    {
        let options = Options::default().with_passes(passes);
        let lowered = lower(&binary, &options).expect("it lowers");
        let found = oracle::machine(&lowered, b"abc", 1 << 20);
        assert_eq!(found, expected, "{passes:?}");
    }
    let lowered = lower(&binary, &Options::default().with_passes(passes)).expect("it lowers");
    let code = lowered.program.code.iter().enumerate();
    let main = code.filter(|(index, _)| {
        lowered
            .location(*index)
            .is_some_and(|location| location.name == "main")
    });
    let words = main.map(|(_, instruction)| match instruction.op.spec().name {
        name @ ("local.get" | "local.set" | "local.tee" | "i32.const") => {
            format!("{name} {}", instruction.immediate())
        }
        name => name.to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(pass: Pass, locals: &str, body: &str, expected: &str) {
    let text = module("", locals, body);
    assert_eq!(lowered(&text, Passes::none().with(pass)), expected);
}

#[test]
fn constants_are_folded_as_they_come() {
    check(
        Pass::Peephole,
        "",
        "(i32.add (i32.const 5) (i32.mul (i32.const 3) (i32.const -2)))",
        "i32.const 4294967295, return",
    );
}

/// The number of calls in a program after a set of passes, those of the entry code and of the
/// runtime library included.
#[track_caller]
fn calls(text: &str, passes: Passes) -> usize {
    lowered(text, passes);
    let options = Options::default().with_passes(passes);
    let lowered = lower(text.as_bytes(), &options).expect("it lowers");
    let code = lowered.program.code.iter();
    code.filter(|line| line.op == Op::Call).count()
}

#[test]
fn a_function_that_is_called_once_stands_where_it_is_called() {
    // It loops, returns from within, has locals that read zero again, and calls another one.
    let text = module(
        "(func $g (param i32 i32) (result i32) (local i32) \
           (loop $l (local.set 2 (i32.add (local.get 2) (i32.const 3))) \
             (if (i32.gt_u (local.get 2) (local.get 1)) (then (return (i32.sub (local.get 2) (local.get 0))))) \
             (br_if $l (i32.lt_u (local.get 2) (i32.const 50)))) (i32.const 77)) \
         (func $f (param i32) (result i32) (call $g (i32.const 1) (local.get 0)))",
        "(local i32 i32)",
        "(loop $l (local.set 1 (i32.add (i32.mul (local.get 1) (i32.const 3)) (call $f (local.get 0)))) \
           (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 7))) (i32.const 60)))) (local.get 1)",
    );
    assert_eq!(calls(&text, Passes::none()), 3);
    // The entry code calls `main`.
    assert_eq!(calls(&text, Passes::none().with(Pass::Inline)), 1);
    assert_eq!(calls(&text, Passes::all()), 1);
}

#[test]
fn what_is_called_often_or_recursive_stays() {
    let text = module(
        "(func $f (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) \
           (then (local.get 0)) (else (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) \
             (call $f (i32.sub (local.get 0) (i32.const 2))))))) \
         (func $long (param i32) (result i32) (i32.add (i32.mul (local.get 0) (local.get 0)) \
           (i32.add (local.get 0) (i32.shl (local.get 0) (i32.const 3)))))",
        "",
        "(i32.add (call $long (i32.const 3)) (i32.add (call $long (i32.const 4)) (call $f (i32.const 7))))",
    );
    assert_eq!(calls(&text, Passes::none()), 6);
    assert_eq!(calls(&text, Passes::all()), 6);
}

#[test]
fn what_a_table_holds_stays() {
    let text = module(
        "(table funcref (elem $f $g)) (type $t (func (param i32) (result i32))) \
         (func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))) \
         (func $g (param i32) (result i32) (i32.add (call $f (local.get 0)) (call $h (local.get 0)))) \
         (func $h (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 100)) \
           (then (call_indirect (type $t) (i32.mul (local.get 0) (i32.const 2)) (i32.const 1))) (else (i32.const 5))))",
        "",
        "(call_indirect (type $t) (i32.const 7) (i32.const 1))",
    );
    // `f` is short; `g` and `h` call each other through the table.
    assert_eq!(calls(&text, Passes::none()), 5);
    assert_eq!(calls(&text, Passes::all()), 5);
}

#[test]
fn jumps_go_where_the_jumps_go_that_they_lead_to() {
    // A branch out of the inner block is one out of the outer block, whose end is the function's.
    check(
        Pass::JumpThreading,
        "",
        "(block $a (block $b (br_if $b (call $getchar)) (call $putchar (i32.const 1))) (br $a)) (i32.const 7)",
        "call, resume, br_if, i32.const 1, output, i32.const 7, return",
    );
    // A condition around a jump.
    check(
        Pass::JumpThreading,
        "",
        "(block $a (loop $l (block $b (br_if $b (call $getchar)) (br $a)) (call $putchar (i32.const 1)))) (i32.const 7)",
        "call, resume, br_unless, i32.const 1, output, i32.const 7, return",
    );
}

#[test]
fn a_copy_is_read_where_it_comes_from() {
    check(
        Pass::CopyPropagation,
        "(local i32 i32 i32)",
        "(local.set 0 (call $getchar)) (local.set 1 (local.get 0)) (local.set 2 (i32.const 3)) \
         (call $putchar (local.get 1)) (local.set 0 (i32.const 9)) (call $putchar (local.get 1)) (local.get 2)",
        "call, resume, local.set 0, local.get 0, local.set 1, i32.const 3, local.set 2, local.get 0, output, \
         i32.const 9, local.set 0, local.get 1, output, i32.const 3, return",
    );
}

#[test]
fn a_label_forgets_copies() {
    check(
        Pass::CopyPropagation,
        "(local i32)",
        "(local.set 0 (i32.const 3)) (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 1))) \
         (br_if $l (i32.lt_u (local.get 0) (i32.const 9)))) (local.get 0)",
        "i32.const 3, local.set 0, local.get 0, i32.const 1, i32.add, local.set 0, local.get 0, i32.const 9, \
         i32.lt_u, br_if, local.get 0, return",
    );
}

#[test]
fn writes_that_nothing_reads_are_dropped_with_what_they_write() {
    check(
        Pass::DeadStores,
        "(local i32 i32)",
        "(local.set 0 (i32.mul (call $getchar) (i32.add (local.get 1) (i32.const 5)))) (local.set 1 (i32.const 2)) \
         (local.tee 0 (i32.const 8))",
        "call, resume, drop, i32.const 8, return",
    );
}

#[test]
fn what_may_trap_is_not_dropped() {
    let text = module(
        "",
        "(local i32)",
        "(local.set 0 (i32.load (i32.const -4))) (i32.const 1)",
    );
    let code = lowered(&text, Passes::none().with(Pass::DeadStores));
    assert_eq!(
        code,
        "i32.const 4294967292, i32.load, drop, i32.const 1, return"
    );
    let text = module(
        "",
        "(local i32)",
        "(local.set 0 (i32.div_u (i32.const 4) (call $getchar))) (i32.const 1)",
    );
    let code = lowered(&text, Passes::none().with(Pass::DeadStores));
    assert!(code.contains("div.digits"), "{code}");
}

#[test]
fn a_value_stays_on_the_stack_until_it_is_read() {
    check(
        Pass::Stackify,
        "(local i32)",
        "(local.set 0 (call $getchar)) (if (call $getchar) (then (call $putchar (i32.const 65)))) (local.get 0)",
        "call, resume, local.tee 0, call, resume, br_unless, i32.const 65, output, return",
    );
    // The right operand stands before the left one.
    check(
        Pass::Stackify,
        "(local i32)",
        "(local.set 0 (call $getchar)) (i32.lt_s (call $getchar) (local.get 0))",
        "call, resume, local.tee 0, call, resume, i32.gt_s, return",
    );
}

#[test]
fn a_value_does_not_stay_where_the_stack_is_needed() {
    // A difference does not commute; a branch leaves the block; an instruction in between pops a
    // value from below.
    for body in [
        "(local.set 0 (call $getchar)) (i32.sub (call $getchar) (local.get 0))",
        "(block $b (local.set 0 (call $getchar)) (br_if $b (call $getchar)) (return (local.get 0))) (i32.const 3)",
        "(call $getchar) (local.set 0 (call $getchar)) (i32.eqz) (drop) (local.get 0)",
        "(local.set 0 (call $getchar)) (loop $l (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) \
         (i32.const 200)))) (local.get 0)",
    ] {
        let text = module("", "(local i32)", body);
        let none = lowered(&text, Passes::none());
        assert_eq!(lowered(&text, Passes::none().with(Pass::Stackify)), none);
    }
}

#[test]
fn locals_share_words() {
    // A copy is removed; locals that are never live together share one word.
    check(
        Pass::CoalesceLocals,
        "(local i32 i32 i32 i32)",
        "(local.set 1 (call $getchar)) (local.set 3 (local.get 1)) (call $putchar (local.get 3)) \
         (local.set 2 (call $getchar)) (call $putchar (local.get 2)) (local.get 2)",
        "call, resume, local.set 0, local.get 0, output, call, resume, local.set 0, local.get 0, output, \
         local.get 0, return",
    );
}

#[test]
fn a_copy_whose_origin_changes_keeps_its_word() {
    check(
        Pass::CoalesceLocals,
        "(local i32 i32)",
        "(local.set 0 (call $getchar)) (local.set 1 (local.get 0)) (loop $l (br_if $l (i32.lt_u (local.tee 0 \
         (i32.add (local.get 0) (i32.const 1))) (i32.const 200)))) (i32.sub (local.get 0) (local.get 1))",
        "call, resume, local.set 0, local.get 0, local.set 1, local.get 0, i32.const 1, i32.add, local.tee 0, \
         i32.const 200, i32.lt_u, br_if, local.get 0, local.get 1, i32.sub, return",
    );
    // Two webs of one local are independent.
    check(
        Pass::CoalesceLocals,
        "(local i32 i32)",
        "(local.set 0 (call $getchar)) (local.set 1 (local.get 0)) (local.set 0 (call $getchar)) \
         (call $putchar (local.get 1)) (local.get 0)",
        "call, resume, local.set 0, call, resume, local.set 1, local.get 0, output, local.get 1, return",
    );
}

#[test]
fn a_small_frame_needs_no_thunks() {
    let locals = format!("(local {})", "i32 ".repeat(300));
    let mut body = String::new();
    for local in 0..300 {
        body += &format!("(local.set {local} (call $getchar)) (call $putchar (local.get {local}))");
    }
    let text = module("", &locals, &(body + "(i32.const 0)"));
    let tokens = |passes| {
        let lowered =
            lower(text.as_bytes(), &Options::default().with_passes(passes)).expect("it lowers");
        let program = lowered.with_input(b"");
        let mut run = weightware_isa::Interpreter::new(&program);
        run.run(1 << 20).expect("no fault");
        run.tokens()
    };
    let [many, few] = [Passes::none(), Passes::none().with(Pass::CoalesceLocals)].map(tokens);
    // Two calls and two returns are saved for each of the 300.
    assert_eq!(many - few, 300 * 8);
    lowered(&text, Passes::all());
}

#[test]
fn deep_operands_count_for_the_depth_of_calls() {
    // Four operands lie below each call of a function with one word: it traps before the stack
    // leaves its bounds.
    let text = module(
        "(func $f (param i32) (result i32) (i32.add (i32.const 1) (i32.add (i32.const 2) (i32.add (i32.const 3) \
         (i32.add (i32.const 4) (call $f (local.get 0)))))))",
        "",
        "(call $f (i32.const 0))",
    );
    for passes in [Passes::none(), Passes::all()] {
        let lowered =
            lower(text.as_bytes(), &Options::default().with_passes(passes)).expect("it lowers");
        let run = oracle::machine(&lowered, b"", 1 << 22).expect("it ends");
        let trap = weightware_isa::Trap::CallStackExhausted;
        assert_eq!(run.outcome, weightware_isa::Outcome::Trapped(trap));
        let called = lowered
            .program
            .code
            .iter()
            .filter(|line| line.op == Op::Call);
        let frames: Vec<u8> = called.map(|call| call.immediate[3]).collect();
        assert!(frames.contains(&4), "{frames:?}");
    }
}
