//! Programs that call functions of a library.

use weightware_frontend::{Library, Options, lower};
use weightware_isa::{Interpreter, Outcome, Program, Trap};

const LIBRARY: &str = r#"(module
    (global $__stack_pointer (mut i32) (i32.const 65536))
    (memory 145)
    (type $compare (func (param i32 i32) (result i32)))
    (table 1 funcref)
    (data (i32.const 0x900000) "\2a\f0")
    (func (export "twice") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
    (func $deep (export "deep") (param $n i32) (result i32)
        (if (result i32) (local.get $n)
            (then (i32.add (i32.const 3) (call $deep (i32.sub (local.get $n) (i32.const 1)))))
            (else (i32.load8_s (i32.const 0x900001)))))
    (func (export "apply") (param i32 i32 i32) (result i32)
        (call_indirect (type $compare) (local.get 0) (local.get 1) (local.get 2)))
    (func (export "pushed") (param i32) (result i32)
        (global.set $__stack_pointer (i32.sub (global.get $__stack_pointer) (i32.const 16)))
        (i32.store (global.get $__stack_pointer) (i32.mul (local.get 0) (i32.const 7)))
        (i32.load (global.get $__stack_pointer))
        (global.set $__stack_pointer (i32.add (global.get $__stack_pointer) (i32.const 16))))
    (func (export "product") (param i64 i64) (result i64) (i64.mul (local.get 0) (local.get 1))))"#;

const PROGRAM: &str = r#"(module
    (import "own" "twice" (func $twice (param i32) (result i32)))
    (import "own" "deep" (func $deep (param i32) (result i32)))
    (import "own" "apply" (func $apply (param i32 i32 i32) (result i32)))
    (import "own" "pushed" (func $pushed (param i32) (result i32)))
    (import "own" "product" (func $product (param i64 i64) (result i64)))
    (memory 1)
    (global (mut i32) (i32.const 1024))
    (table 2 funcref)
    (elem (i32.const 1) $minus)
    (func $minus (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
    (func (export "main") (result i32)
        (i32.add (call $twice (i32.const 21))
        (i32.add (call $deep (i32.const 5))
        (i32.add (call $apply (i32.const 9) (i32.const 4) (i32.const 1))
        (i32.add (call $pushed (i32.const 11))
        (i32.add (i32.wrap_i64 (call $product (i64.const 1000) (i64.const 3)))
        (i32.wrap_i64 (i64.mul (i64.extend_i32_u (call $twice (i32.const 3))) (i64.const 5)))))))))
    )"#;

/// A library of operators and one module, and a program that calls all of its functions.
fn linked() -> (Library, Program) {
    let mut library = Library::default();
    library.add_software().expect("it fits");
    library.add("own", LIBRARY.as_bytes()).expect("a module");
    let options = Options::default().with_library(library.clone());
    let lowered = lower(PROGRAM.as_bytes(), &options).expect("a program");
    let mut program = lowered.with_input(b"");
    program.resident = Some(library.resident());
    (library, program)
}

#[test]
fn functions_of_a_library_are_called_by_number() {
    let (library, program) = linked();
    program.validate().expect("valid");
    let mut run = Interpreter::new(&program);
    let outcome = run.run(1_000_000).expect("no fault");
    let expected = 42 - 1 + 5 + 77 + 3000 + 30;
    assert_eq!(outcome, Some(Outcome::Exited(expected)));
    assert!(program.code.len() < 80, "{}", program.code.len());
    let own = library.module("own").expect("a module");
    assert!(own.needs_stack && own.calls_back);
}

#[test]
fn modules_with_state_are_refused() {
    let mut library = Library::default();
    let refused = [
        (
            "(module (global (mut i32) (i32.const 0)) (global (mut i32) (i32.const 0)))",
            "globals",
        ),
        ("(module (func $f) (start $f))", "start"),
        (
            "(module (table 1 funcref) (elem (i32.const 0) $f) (func $f))",
            "table",
        ),
        (
            r#"(module (memory 1 9) (func (export "f") (result i32) (memory.grow (i32.const 1))))"#,
            "state",
        ),
        (
            r#"(module (import "env" "f" (func)) (func (export "g") (call 0)))"#,
            "env.f",
        ),
        ("(module (global (mut i64) (i64.const 0)))", "globals"),
        // Counters are no stack pointers.
        ("(module (global (mut i32) (i32.const 0)))", "globals"),
        ("(module (global (mut i32) (i32.const 1001)))", "globals"),
        (
            "(module (global $count (mut i32) (i32.const 1024)))",
            "globals",
        ),
        ("(module (func $f))", "no function"),
        (
            r#"(module (memory 1) (data (i32.const 16) "abc"))"#,
            "0x10 to 0x13",
        ),
    ];
    for (module, word) in refused {
        let error = library.add("own", module.as_bytes()).expect_err(module);
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(library, Library::default());
}

#[test]
fn names_and_constants_of_modules_are_their_own() {
    let mut library = Library::default();
    let refused = |library: &mut Library, name: &str, module: &str| {
        let before = library.clone();
        let error = library.add(name, module.as_bytes()).expect_err(name);
        assert_eq!(*library, before);
        error.to_string()
    };
    for name in ["env", "software", "wasi_snapshot_preview1"] {
        let said = refused(&mut library, name, "(module)");
        assert!(
            said.contains(name) && said.contains("another name"),
            "{said}"
        );
    }
    library.add("own", LIBRARY.as_bytes()).expect("a module");
    let said = refused(&mut library, "own", "(module)");
    assert!(said.contains("already"), "{said}");
    let at = |address: u32| {
        format!(
            r#"(module (memory 145) (data (i32.const {address:#x}) "\01\02\03") (func (export "f")))"#
        )
    };
    for address in [0x8f_fffe, 0x90_0000, 0x90_0001] {
        let said = refused(&mut library, "other", &at(address));
        assert!(said.contains("`own`") && said.contains("0x900"), "{said}");
    }
    library
        .add("other", at(0x90_0002).as_bytes())
        .expect("beside them");
    library
        .add("third", at(0x8f_fffd).as_bytes())
        .expect("beside them");
}

/// The outcome of a program that calls `apply` with a number of an element.
fn called_back(rest: &str) -> Outcome {
    let text = format!(
        r#"(module (import "own" "apply" (func $apply (param i32 i32 i32) (result i32)))
            (global (mut i32) (i32.const 1024)) {rest}
            (func (export "main") (result i32)
                (call $apply (i32.const 9) (i32.const 4) (i32.const 0))))"#
    );
    let mut library = Library::default();
    library.add("own", LIBRARY.as_bytes()).expect("a module");
    let options = Options::default().with_library(library.clone());
    let lowered = lower(text.as_bytes(), &options).expect("a program");
    let mut program = lowered.with_input(b"");
    program.resident = Some(library.resident());
    let outcome = Interpreter::new(&program).run(1_000_000);
    outcome.expect("no fault").expect("it ends")
}

#[test]
fn calls_back_trap_like_calls_through_a_table() {
    let cases = [
        ("", Trap::UndefinedElement),
        ("(table 1 funcref)", Trap::IndirectCallType),
        (
            "(table 1 funcref) (elem (i32.const 0) $f) (func $f)",
            Trap::IndirectCallType,
        ),
        (
            "(table 1 funcref) (func (param i32 i32) (result i32) (i32.const 1))",
            Trap::UninitializedElement,
        ),
    ];
    for (rest, trap) in cases {
        assert_eq!(called_back(rest), Outcome::Trapped(trap), "{rest}");
    }
    let minus = "(table 1 funcref) (elem (i32.const 0) $f)
        (func $f (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))";
    assert_eq!(called_back(minus), Outcome::Exited(5));
}

#[test]
fn programs_that_do_not_fit_a_library_are_refused() {
    let mut library = Library::default();
    library.add("own", LIBRARY.as_bytes()).expect("a module");
    let options = Options::default().with_library(library);
    let cases = [
        (
            r#"(import "own" "twice" (func (param i64)))"#,
            "",
            "(i32) -> (i32) in the library, not (i64) -> ()",
        ),
        (
            r#"(import "own" "thrice" (func (param i64)))"#,
            "",
            "`own` has no function `thrice`",
        ),
        (
            r#"(import "own" "pushed" (func (param i64)))"#,
            "",
            "stack pointer",
        ),
        // The first mutable global is no address.
        (
            r#"(import "own" "twice" (func (param i64)))"#,
            "(global (mut i64) (i64.const 0)) (global (mut i32) (i32.const 1024))",
            "stack pointer",
        ),
    ];
    let pointer = "(global (mut i32) (i32.const 1024))";
    for counter in [
        "(mut i32) (i32.const 0)",
        "$count (mut i32) (i32.const 1024)",
    ] {
        let text = format!(
            r#"(module (import "own" "pushed" (func (param i64))) (global {counter}) (func (export "main")))"#
        );
        let error = lower(text.as_bytes(), &options).expect_err(&text);
        assert!(error.to_string().contains("stack pointer"), "{error}");
    }
    for (import, globals, words) in cases {
        let globals = match words {
            "stack pointer" => globals,
            _ => pointer,
        };
        let text =
            format!(r#"(module {import} {globals} (func (export "main") (call 0 (i64.const 1))))"#);
        let error = lower(text.as_bytes(), &options)
            .expect_err(&text)
            .to_string();
        assert!(error.contains(words), "{error}");
    }
}
