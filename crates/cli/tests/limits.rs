//! Needs and limits of programs, and the messages about them.

use serde_json::Value;

use crate::common::*;

/// Runs a program, given as Wasm text, and returns what is said on stderr.
fn run(name: &str, text: &str, args: &[&str], status: i32) -> String {
    let folder = folder(name);
    let program = file(&folder, "program.wat", text);
    let args = [&["run", &program], args].concat();
    ended(&weightware_with(&args, b"input"), status)
}

fn main_of(fields: &str, body: &str) -> String {
    format!("(module {fields} (func (export \"main\") (result i32) {body}))")
}

const GETCHAR: &str = "(import \"env\" \"getchar\" (func $getchar (result i32)))";

#[test]
fn limits_are_said_in_the_programs_terms() {
    // Before: "layer 5, head 2: key x = 1941400, lift = 0".
    let store = main_of(
        "(memory 1 100)",
        "(drop (memory.grow (i32.const 40))) (i32.store8 (i32.const 1_000_000) (i32.const 1)) (i32.const 0)",
    );
    let said = run("far-store", &store, &["--memory", "128K"], 134);
    assert!(
        said.contains("out of bounds memory access at address 1,000,000"),
        "{said}"
    );
    let said = run("far-store", &store, &["--shape", "far"], 0);
    assert_eq!(said, "");

    let wide = main_of(
        "(memory 4)",
        "(i32.store8 (i32.const 200_000) (i32.const 1)) (i32.const 0)",
    );
    let said = run("wide", &wide, &[], 125);
    for words in [
        "horizon: stopped before position",
        "the program writes to address 200,000",
        "the profile stock holds 152 KiB of memory",
        "; --shape far holds 8.0 MiB\n",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    // A profile that does not go further is not named.
    let beyond = main_of(
        "(memory 200)",
        "(i32.store8 (i32.const 9_000_000) (i32.const 1)) (i32.const 0)",
    );
    let said = run("beyond", &beyond, &["--shape", "far"], 125);
    assert!(
        said.contains("no profile holds more") && !said.contains("--"),
        "{said}"
    );

    // Before: "the prompt of N tokens is too long".
    let data = main_of(
        "(memory 4) (data (i32.const 180_000) \"x\")",
        "(i32.const 0)",
    );
    let said = run("data", &data, &["--profile", "stock"], 125);
    assert!(
        said.contains("a data segment comes to address 180,000"),
        "{said}"
    );
    let input = main_of(&format!("{GETCHAR} (memory 3)"), "(call $getchar)");
    let said = run("input", &input, &["--profile", "stock"], 125);
    assert!(
        said.contains("the input, which lies after the program's memory"),
        "{said}"
    );

    // The profile's count of stores, of a program that has one context. Before, the message was a
    // number of a head's key.
    let stores =
        "{ i32.const 05 00 00 00 i32.const 01 00 00 00 i32.store8 00 00 00 ff br 00 00 00 00 }";
    let said = run("stores", stores, &[], 125);
    assert!(said.contains("written to memory 349,500 times"), "{said}");
    assert!(
        said.contains("--profile long has 2,097,150 in 128 KiB"),
        "{said}"
    );
}

#[test]
fn the_smallest_machine_that_holds_a_program_runs_it() {
    let data = main_of(
        "(memory 4) (data (i32.const 180_000) \"x\")",
        "(i32.load8_u (i32.const 180_000))",
    );
    let said = run("picked", &data, &[], 120);
    assert!(said.starts_with("--shape far runs this: "), "{said}");
    assert_eq!(run("picked", &data, &["--quiet"], 120), "");

    // Rust links 17 pages, the first MiB of which is a stack. Nobody names a machine.
    let rust = main_of(
        "(memory 17) (global $stack (mut i32) (i32.const 1048576)) (data (i32.const 1048576) \"R\")",
        "(i32.store (i32.sub (global.get $stack) (i32.const 16)) (i32.load8_u (i32.const 1048576)))
         (i32.load (i32.const 1048560))",
    );
    let said = run("picked", &rust, &[], 82);
    assert_eq!(said.matches("--shape far runs this: ").count(), 1, "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let said = run("picked", &rust, &["--profile", "stock"], 125);
    assert!(said.starts_with("horizon: "), "{said}");

    // Input of any length: beside a small memory, and by the far machine.
    let folder = folder("long-input");
    let echo = file(
        &folder,
        "count.wat",
        format!(
            "(module {GETCHAR} (memory 1) (func (export \"main\") (result i32) (local i32)
           (loop $on (if (i32.ge_s (call $getchar) (i32.const 0))
             (then (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br $on))))
           (i32.rem_u (local.get 0) (i32.const 251))))"
        ),
    );
    for (bytes, far) in [(30_000_usize, false), (80_000, false), (100_000, true)] {
        let done = weightware_with(&["run", &echo], &vec![b'a'; bytes]);
        let said = ended(&done, (bytes % 251) as i32);
        assert_eq!(
            said.contains("--shape far runs this"),
            far,
            "{bytes}: {said}"
        );
    }
}

#[test]
fn memory_is_what_the_machine_holds() {
    let grown = |pages: u32| {
        main_of(
            &format!("{GETCHAR} (memory 1)"),
            &format!("(drop (call $getchar)) (memory.grow (i32.const {pages}))"),
        )
    };
    assert_eq!(run("grow", &grown(1), &[], 1), "");
    let said = run("grow", &grown(2), &[], 255);
    assert!(
        said.contains(
            "hint: the program was refused memory beyond 128 KiB; --shape far holds 8.0 MiB"
        ),
        "{said}"
    );
    assert_eq!(run("grow", &grown(100), &["--shape", "far"], 1), "");
    assert_eq!(
        run(
            "grow",
            &grown(3),
            &["--shape", "far", "--memory", "256K"],
            1
        ),
        ""
    );
    run(
        "grow",
        &grown(4),
        &["--shape", "far", "--memory", "256K"],
        255,
    );
    let said = run("grow", &grown(1), &["--memory", "1M"], 2);
    assert!(
        said.contains("the profile stock holds 152 KiB; --shape far holds 8.0 MiB"),
        "{said}"
    );

    // More pages than the machine has, as Zig links them: a bound, not a need.
    let module = |body: &str| {
        main_of(
            "(memory 258) (global $stack (mut i32) (i32.const 0x1000000)) (data (i32.const 0x1000010) \"A\")",
            body,
        )
    };
    let body = "(i32.store (i32.sub (global.get $stack) (i32.const 16)) (i32.const 1))
        (i32.add (i32.load8_u (i32.const 0x1000010)) (i32.load (i32.const 0xfffff0)))";
    assert_eq!(run("origin", &module(body), &[], 66), "");
    let said = run("origin", &module("(i32.load (i32.const 4096))"), &[], 125);
    for words in [
        "at address 4,096 that this machine does not hold",
        "-z,stack-size",
        "declares 16.1 MiB",
        "holds addresses 16,711,680 to 16,908,287",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
}

/// The machine holds 128 KiB of a memory of 258 pages. An access that WebAssembly allows and the
/// machine does not hold is its horizon; one that WebAssembly does not allow is a trap.
#[test]
fn the_ends_of_a_window_are_exact_for_every_width() {
    const HELD: u64 = 2 << 16;
    const ALL: u64 = 258 << 16;
    for (operator, bytes) in [
        ("i32.load8_s", 1),
        ("i32.load8_u", 1),
        ("i32.load16_s", 2),
        ("i32.load16_u", 2),
        ("i32.load", 4),
        ("i64.load8_s", 1),
        ("i64.load8_u", 1),
        ("i64.load16_s", 2),
        ("i64.load16_u", 2),
        ("i64.load32_s", 4),
        ("i64.load32_u", 4),
        ("i64.load", 8),
        ("f32.load", 4),
        ("f64.load", 8),
        ("i32.store8", 1),
        ("i32.store16", 2),
        ("i32.store", 4),
        ("i64.store8", 1),
        ("i64.store16", 2),
        ("i64.store32", 4),
        ("i64.store", 8),
        ("f32.store", 4),
        ("f64.store", 8),
    ] {
        let kind = &operator[..3];
        for (address, status) in [
            (HELD - bytes, 0),
            (HELD - bytes + 1, 125),
            (HELD, 125),
            (ALL - bytes, 125),
            (ALL - bytes + 1, 134),
            (ALL, 134),
        ] {
            let access = match operator.contains("load") {
                true => format!("(drop ({operator} (i32.const {address})))"),
                false => format!("({operator} (i32.const {address}) ({kind}.const 1))"),
            };
            let text = main_of("(memory 258 300)", &format!("{access} (i32.const 0)"));
            let said = run("window", &text, &["--quiet"], status);
            let size = match bytes {
                1 => "1 byte".to_owned(),
                bytes => format!("{bytes} bytes"),
            };
            let words = match status {
                125 => format!("horizon: an access of {size} at address"),
                134 => "trap: out of bounds memory access".to_owned(),
                _ => String::new(),
            };
            assert!(said.starts_with(&words), "{operator} {address}: {said}");
        }
    }

    // The far machine holds all of the first access that this one does not.
    let text = main_of("(memory 258)", "(i32.load (i32.const 131_070))");
    let said = run("wider-window", &text, &[], 125);
    assert!(
        said.contains("holds addresses 0 to 131,071; --shape far holds this one too"),
        "{said}"
    );
    run("wider-window", &text, &["--shape", "far"], 0);

    // A window that does not begin at 0; a sum of operand and offset that has 33 bits.
    for (operand, offset, status) in [
        (0xff_0000_u32, 0, 0),
        (0xfe_ffff, 0, 125),
        (0xfe_fffc, 0, 125),
        (0xfe_0000, 0xffff, 125),
        (8, 0, 125),
        (0x101_fffc, 0, 0),
        (0x101_fffd, 0, 134),
        (0xffff_fffc, 8, 134),
        (0xfff0_0000, 0xff_0000, 134),
    ] {
        let text = main_of(
            "(memory 258) (global $stack (mut i32) (i32.const 0x1000000)) (data (i32.const 0x1000010) \"A\")",
            &format!("(drop (i32.load offset={offset} (i32.const {operand}))) (i32.const 0)"),
        );
        let said = run("origin-window", &text, &["--quiet"], status);
        let address = u64::from(operand) + offset;
        assert!(
            status == 0
                || said
                    .replace(',', "")
                    .contains(&format!("at address {address}")),
            "{operand:#x} {offset:#x}: {said}"
        );
    }
}

#[test]
fn a_trap_says_where() {
    let text = main_of("(memory 1) (func $store (param i32) (i32.store (local.get 0) (i32.const 1)))
        (func $again (param i32) (if (local.get 0) (then (call $again (i32.sub (local.get 0) (i32.const 1)))) (else (call $store (i32.const 70000)))) (call $store (i32.const 8)))",
        "(call $again (i32.const 3)) (i32.const 0)");
    let said = run("trap", &text, &["--json", "-"], 134);
    assert!(
        said.contains(
            "trap: out of bounds memory access at address 70,000 (out_of_bounds), after "
        ),
        "{said}"
    );
    let frames: Vec<&str> = said.lines().filter(|line| line.starts_with("  ")).collect();
    assert!(
        frames[0].starts_with("  in ") && frames[0].contains("byte 0x"),
        "{said}"
    );
    assert!(
        frames
            .iter()
            .any(|frame| frame.starts_with("  called from again (function ")
                && frame.ends_with(" times")),
        "{said}"
    );
    let json: Value = said
        .lines()
        .find_map(|line| serde_json::from_str(line).ok())
        .expect("JSON");
    assert_eq!(json["trapped"]["address"], 70_000);

    // A stack below zero.
    let text = main_of(
        "(memory 1) (global $stack (mut i32) (i32.const 16))",
        "(global.set $stack (i32.sub (global.get $stack) (i32.const 64))) (i32.store (global.get $stack) (i32.const 1)) (i32.const 0)",
    );
    let said = run("overflow", &text, &[], 134);
    assert!(
        said.contains("at address -48") && said.contains("--stack-size"),
        "{said}"
    );
}

#[test]
fn what_is_not_there_is_said_where_it_is_met() {
    let files = "(module
        (import \"wasi_snapshot_preview1\" \"path_open\"
            (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (func (export \"main\") (result i32) (i32.const 1)))";
    let said = run("files", files, &[], 1);
    assert!(
        said.contains("hint: the program can open files, and there are none here"),
        "{said}"
    );
    for (text, words) in [
        (
            "(module (memory 1 1 shared) (func (export \"main\")))",
            "threads or shared memory, and one trace is one thread; compile without -pthread",
        ),
        (
            "(module (tag $t) (func (export \"main\") (throw $t)))",
            "exceptions, which setjmp and C++ need too; compile with -fno-exceptions",
        ),
        (
            "(module (memory i64 1) (func (export \"main\")))",
            "64-bit memory; compile for wasm32",
        ),
        (
            "(component (core module (func (export \"main\"))))",
            "this is a component, and components are not supported; compile to a core module",
        ),
    ] {
        let said = run("later", text, &[], 2);
        assert!(said.contains(words), "{said}");
    }
    let folder = folder("truncated");
    let module = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../programs/fib.wasm"
    ));
    let module = module.expect("the program is there");
    let program = file(&folder, "half.wasm", &module[..module.len() / 2]);
    let said = ended(&weightware(&["run", &program]), 2);
    assert!(
        said.contains("the file is truncated; build it or copy it again"),
        "{said}"
    );
}

#[test]
fn info_says_before_a_run_what_it_needs() {
    let folder = folder("info");
    let small = file(
        &folder,
        "small.wat",
        main_of(&format!("{GETCHAR} (memory 1)"), "(call $getchar)"),
    );
    let done = weightware_with(&["info", &small], b"four");
    ended(&done, 0);
    let text = stdout(&done);
    for words in [
        "prompt ",
        "memory    64 KiB",
        "reads stdin: 4 bytes",
        "env.getchar",
        "* stock   fits",
        "  far     fits",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let large = file(
        &folder,
        "large.wat",
        main_of(
            "(memory 4) (data (i32.const 180_000) \"x\")",
            "(i32.const 0)",
        ),
    );
    let done = weightware(&["info", &large, "--profile", "stock"]);
    ended(&done, 125);
    assert!(
        stdout(&done).ends_with("--shape far runs it\n"),
        "{}",
        stdout(&done)
    );
    let done = weightware(&["info", &large, "--json"]);
    ended(&done, 0);
    let json: Value = serde_json::from_str(&stdout(&done)).expect("JSON");
    assert_eq!(json["profile"], "far");
    assert_eq!(json["profiles"][0]["fits"], false);
}

#[test]
fn info_counts_the_weights() {
    let folder = folder("info-weights");
    let program = file(&folder, "end.wat", main_of("", "(i32.const 0)"));
    let count = weightware::Computer::default().model().weights.count();
    let json = stdout(&weightware(&["info", &program, "--json"]));
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let expected = serde_json::json!({
        "count": count.weights,
        "nonzero": count.nonzero,
        "distinct": count.distinct,
        "dense_bytes": count.dense_bytes,
        "sparse_bytes": count.sparse_bytes,
    });
    assert_eq!(json["weights"], expected);

    let text = stdout(&weightware(&["info", &program]));
    let line = text.lines().find(|line| line.starts_with("weights "));
    let line = line.expect("a line of weights").replace(',', "");
    let numbers: Vec<u64> = line
        .split_whitespace()
        .filter_map(|word| word.trim_end_matches(';').parse().ok())
        .collect();
    let expected = [
        count.weights,
        count.nonzero,
        count.distinct,
        count.dense_bytes,
        count.sparse_bytes,
    ];
    assert_eq!(numbers, expected, "{line}");
}
