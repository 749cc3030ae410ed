//! Modules that are refused, and their errors.

use weightware_frontend::{Error, Options, lower};
use weightware_isa::Value;

fn refused(text: &str) -> Error {
    match lower(text.as_bytes(), &Options::default()) {
        Ok(_) => panic!("it is not refused: {text}"),
        Err(error) => error,
    }
}

fn main_with(fields: &str, body: &str) -> String {
    format!("(module {fields} (func $main (export \"main\") {body}))")
}

#[test]
fn an_instruction_is_named_with_its_place() {
    let text = main_with(
        "(func $help (param i32) (return_call $help (local.get 0)))",
        "(call $help (i32.const 1))",
    );
    let error = refused(&text);
    assert_eq!(error.instruction(), Some("return_call"));
    assert_eq!(
        (error.function(), error.function_name()),
        (Some(0), Some("help"))
    );
    let binary = wat::parse_str(&text).expect("the text is a module");
    let offset = error.offset().expect("it has a place") as usize;
    assert_eq!(binary[offset], 0x12);
    let message = error.to_string();
    let wanted = format!("`return_call` in function 0 `help` at byte {offset:#x}: ");
    assert!(message.starts_with(&wanted), "{message}");
    assert!(error.is_unsupported() && !error.is_invalid() && !error.is_too_large());
}

#[test]
fn other_types_and_instructions() {
    for (fields, body, instruction, part) in [
        ("", "(local funcref)", None, "type funcref"),
        ("", "(drop (ref.null func))", Some("ref.null"), "references"),
        (
            "(table 1 funcref)",
            "(drop (table.size))",
            Some("table.size"),
            "tables that change",
        ),
        (
            "(table 1 funcref) (elem $e func)",
            "(table.init $e (i32.const 0) (i32.const 0) (i32.const 0))",
            Some("table.init"),
            "tables that change",
        ),
        (
            "",
            "(v128.const i32x4 0 0 0 0) drop",
            Some("v128.const"),
            "not supported",
        ),
        ("(func $f)", "(return_call $f)", Some("return_call"), "tail"),
        (
            "(memory 1 1 shared)",
            "(drop (i32.atomic.load (i32.const 0)))",
            None,
            "threads",
        ),
        ("(tag $t)", "(throw $t)", None, "exceptions"),
        (
            "(type $s (struct (field i32)))",
            "(drop (struct.new $s (i32.const 0)))",
            None,
            "gc",
        ),
    ] {
        let error = refused(&main_with(fields, body));
        if instruction.is_some() {
            assert_eq!(error.instruction(), instruction, "{error}");
            assert!(error.function().is_some(), "{error}");
        }
        assert!(error.to_string().contains(part), "{error}");
        assert!(error.is_unsupported(), "{error}");
        assert!(error.offset().is_some(), "{error}");
        // Features of WebAssembly 2.0, SIMD included, and tail calls are refused where they are
        // lowered.
        let later = matches!(part, "threads" | "exceptions" | "gc");
        assert_eq!(error.needs_later_version(), later, "{error}");
    }
}

#[test]
fn modules_of_later_versions_are_distinguished_from_invalid_ones() {
    for fields in [
        "(memory 1) (memory 1)",
        "(memory i64 1)",
        "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
    ] {
        let error = refused(&main_with(fields, ""));
        assert!(
            error.needs_later_version() && !error.is_invalid(),
            "{error}"
        );
    }
    // Memory 1 of one memory, and 0 in two bytes: later versions read both.
    for memory in [&b"\x01"[..], b"\x80\x00"] {
        let mut binary =
            wat::parse_str("(module (memory 1) (func (export \"main\") (drop (memory.size))))")
                .expect("a module");
        let at = binary
            .windows(2)
            .position(|bytes| bytes == [0x3f, 0])
            .expect("memory.size");
        binary.splice(at + 1..at + 2, memory.iter().copied());
        // The sizes of the body and of its section.
        let grown = u8::try_from(memory.len() - 1).expect("small");
        binary[at - 2] += grown;
        binary[at - 4] += grown;
        let error = lower(&binary, &Options::default()).expect_err("it is refused");
        assert!(
            error.is_invalid() && !error.needs_later_version(),
            "{error}"
        );
    }
    assert!(!refused("(module (func (export \"run\")))").needs_later_version());
}

#[test]
fn what_is_not_reachable_does_not_matter() {
    let text = r#"(module
      (import "other" "fd_write" (func (param i32 i64)))
      (import "env" "putchar" (func $putchar (param i32)))
      (table 2 funcref) (elem (i32.const 0) $unused $main)
      (memory 1)
      (global f64 (f64.const 1))
      (type $t (func))
      (func $unused (local f32)
        (call_indirect (type $t) (i32.const 0)) (call 0 (i32.const 1) (i64.const 1))
        (drop (table.size)))
      (func $main (export "main") (call $putchar (i32.const 65))))"#;
    let lowered = lower(text.as_bytes(), &Options::default()).expect("it lowers");
    assert!(!lowered.reads_input);
    assert_eq!(
        lowered
            .functions()
            .filter_map(|(index, _)| index)
            .collect::<Vec<_>>(),
        [3]
    );
}

#[test]
fn imports_are_named_with_their_type() {
    let text = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32) (result i32)))
      (func (export "_start")
        (drop (call $w (i32.const 0) (i32.const 0)))))"#;
    let error = refused(text);
    assert_eq!(error.instruction(), Some("call"));
    let message = error.to_string();
    assert!(
        message.contains("`wasi_snapshot_preview1.fd_write` of type (i32 i32) -> (i32)"),
        "{message}"
    );
    let wrong_type = r#"(module (import "env" "getchar" (func $g (param i32) (result i32)))
      (func (export "_start") (drop (call $g (i32.const 0)))))"#;
    assert!(refused(wrong_type).to_string().contains("(i32) -> (i32)"));
    let text = "(module (import \"env\" \"it\" (global i32)) (func (export \"_start\") (drop (global.get 0))))";
    let error = refused(text);
    assert!(
        error.to_string().contains("the imported global `env.it`"),
        "{error}"
    );
    let narrow = Options::default().with_global("env", "it", Value::I64(5));
    assert!(lower(text.as_bytes(), &narrow).is_err());
    let given = Options::default().with_global("env", "it", Value::I32(5));
    assert!(lower(text.as_bytes(), &given).is_ok());
}

#[test]
fn entries() {
    let none = refused("(module (func (export \"run\")) (func (export \"stop\")))").to_string();
    assert!(
        none.contains("`_start` or `main`") && none.contains("`run`, `stop`"),
        "{none}"
    );
    assert!(
        refused("(module)")
            .to_string()
            .contains("no function is exported")
    );
    let arguments = "(module (func (export \"main\") (param i32 i32) (result i32) (i32.const 0)))";
    let error = refused(arguments);
    assert!(error.to_string().contains("`__main_void`"), "{error}");
    assert_eq!(error.function_name(), Some("main"));
    let result = "(module (func (export \"_start\") (result i32) (i32.const 0)))";
    assert!(refused(result).to_string().contains("results"));
    let wide = "(module (func (export \"main\") (result i64) (i64.const 0)))";
    assert!(refused(wide).to_string().contains("results"));
    let imported =
        r#"(module (import "env" "getchar" (func $g (result i32))) (export "main" (func $g)))"#;
    assert!(refused(imported).to_string().contains("imported function"));
    let asked = Options::default().with_entry("run");
    let text = "(module (func (export \"run\") (result i32) (i32.const 5)))";
    assert!(lower(text.as_bytes(), &asked).is_ok());
    assert!(
        lower(b"(module)", &asked)
            .expect_err("no such export")
            .to_string()
            .contains("`run`")
    );
}

#[test]
fn modules_that_no_engine_runs() {
    for (text, part) in [
        ("(module (func (export \"main\") i32.add))", "type mismatch"),
        (
            "(module (func (export \"main\") (call 7)))",
            "unknown function",
        ),
        (
            "(module (memory 1) (data (i32.const 65535) \"ab\") (func (export \"main\")))",
            "outside the memory",
        ),
        (
            "(module (memory 1) (data (i32.const -1) \"a\") (func (export \"main\")))",
            "outside the memory",
        ),
        (
            "(module (table 1 funcref) (elem (i32.const 1) 0) (func (export \"main\")))",
            "outside its table",
        ),
        ("(module (func", "cannot be parsed"),
    ] {
        let error = refused(text);
        assert!(
            error.is_invalid() && error.to_string().contains(part),
            "{error}"
        );
    }
}

#[test]
fn binaries_that_are_none() {
    for bytes in [
        &b"\0asm"[..],
        b"\0asm\x02\0\0\0",
        b"\0asm\x0d\0\x01\0",
        b"\0asm\x01\0\0\0\x01",
        b"\x7fELF",
        b"",
        b"\xff\xfe",
        b"(component)",
    ] {
        assert!(lower(bytes, &Options::default()).is_err(), "{bytes:?}");
    }
}

#[test]
fn components() {
    for bytes in [
        &b"\0asm\x0d\0\x01\0"[..],
        b"(component)",
        b";; nested\n(component $c (core module (func (export \"main\"))))",
    ] {
        let error = lower(bytes, &Options::default()).expect_err("a component");
        assert!(error.is_invalid(), "{error}");
        let said = error.to_string();
        assert!(
            said.starts_with("this is a component") && said.contains("compile to a core module"),
            "{said}"
        );
    }
}

#[test]
fn names_from_a_module_cannot_break_a_line() {
    let long = "x".repeat(1000);
    let text = format!(
        "(module (import \"a\\nb\" \"{long}\" (func $f)) (func (export \"main\") (call $f)))"
    );
    let message = refused(&text).to_string();
    assert!(!message.contains('\n') && message.len() < 600, "{message}");
}

#[test]
fn instructions_know_where_they_come_from() {
    let text = "(module (func $twice (param i32) (result i32) (i32.wrap_i64 (i64.mul (i64.extend_i32_u (local.get 0)) (i64.const 3))))
      (func $main (export \"main\") (result i32) (call $twice (i32.const 21))))";
    let lowered = lower(text.as_bytes(), &Options::default()).expect("it lowers");
    let names: Vec<&str> = (0..lowered.program.code.len())
        .map(|index| {
            lowered
                .location(index)
                .expect("every instruction has a place")
                .name
        })
        .collect();
    for name in ["entry", "main", "twice", "software mul"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(lowered.location(lowered.program.code.len()), None);
    let entry = lowered.location(0).expect("it has a place");
    assert_eq!((entry.function, entry.offset), (None, None));
}
