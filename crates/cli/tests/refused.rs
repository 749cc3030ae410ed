//! Refusals and their messages.

use crate::common::*;

/// The command is refused; returns its one error.
fn refused(args: &[&str], stdin: &[u8]) -> String {
    let done = weightware_with(args, stdin);
    let said = ended(&done, 2);
    assert!(done.stdout.is_empty(), "{args:?}");
    assert!(said.starts_with("error: "), "{said}");
    said
}

#[test]
fn usage() {
    for args in [
        &["run"][..],
        &["walk", "x.wasm"],
        &["run", "x.wasm", "--engine", "diesel"],
        &["run", "x.wasm", "--max-tokens", "-1"],
        &["run", "x.wasm", "--max-tokens", "99999999999999999999"],
        &["weights"],
        &["generate", "--prompt", "a"],
    ] {
        refused(args, b"");
    }
    assert_eq!(status(&weightware(&[])), Some(2));
    for args in [&["--help"][..], &["run", "--help"], &["--version"]] {
        assert_eq!(ended(&weightware(args), 0), "");
    }
    let help = stdout(&weightware(&["run", "--help"]));
    for words in ["Examples:", "Exit codes", "124", "134", "--json tells"] {
        assert!(help.contains(words), "{words} in {help}");
    }
}

#[test]
fn programs() {
    let folder = folder("refused-programs");
    let garbage: Vec<u8> = (0..10_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let truncated = b"\0asm\x01\0\0\0\x01\xff\xff";
    for command in ["run", "trace", "tokens"] {
        let missing = string(&folder.join("missing.wasm"));
        assert!(refused(&[command, &missing], b"").contains("missing.wasm"));
        refused(&[command, &string(&folder)], b"");
        for (name, bytes) in [
            ("empty", &b""[..]),
            ("garbage", &garbage),
            ("truncated", truncated),
            ("nul", &[0; 100]),
            ("text", b"hello"),
            ("open", b"{ i32.const 03 00"),
            ("module", b"(module (func"),
            ("deep", "(".repeat(100_000).as_bytes()),
            ("words", "{ ".repeat(100_000).as_bytes()),
        ] {
            let file = file(&folder, name, bytes);
            let said = refused(&[command, &file], b"");
            assert!(said.contains(name), "{said}");
            assert!(said.len() < 3_000);
            assert!(!said.contains(['\0', '\u{1b}']));
        }
    }
    let typo = file(&folder, "typo.txt", "{\n  i32.cosnt 03 00 00 00\n}");
    let said = refused(&["run", &typo], b"");
    for words in ["typo.txt: ", "line 2, column 3", "write `i32.const`"] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let escape = refused(&["run", "-"], b"{ \x1b[31m }");
    assert!(!escape.contains('\u{1b}'));
}

#[test]
fn arguments_and_input() {
    let folder = folder("refused-input");
    let sum = file(&folder, "sum.txt", SUM);
    // A program that takes no arguments ignores them.
    for args in [&["a", "b"][..], &["--", "-a"], &["--"]] {
        ended(&weightware(&[&["run", &sum], args].concat()), 0);
    }
    assert!(refused(&["run", "-"], ECHO.as_bytes()).contains("stdin holds the program itself"));
}

#[test]
fn models() {
    let folder = folder("refused-models");
    let sum = file(&folder, "sum.txt", SUM);
    let missing = string(&folder.join("nowhere"));
    let said = refused(&["run", &sum, "--model", &missing], b"");
    assert!(
        said.contains("nowhere")
            && said.contains("weightware weights --out")
            && said.matches("No such file").count() == 1,
        "{said}"
    );
    refused(&["run", &sum, "--model", &sum], b"");
    refused(&["generate", "--model", &missing, "--prompt", "a"], b"");
}

#[test]
fn reports_that_cannot_be_written() {
    let folder = folder("unwritable");
    let sum = file(&folder, "sum.txt", SUM);
    let inside_file = format!("{sum}/x");
    // The file is opened before the run: nothing is decoded in vain.
    let done = weightware(&["trace", &sum, "--json", &inside_file]);
    assert!(ended(&done, 1).contains("--json"));
    assert_eq!(stdout(&done), "");
    let done = weightware(&["weights", "--out", &sum]);
    assert!(ended(&done, 1).starts_with("error: --out"));
}
