//! Nonsense: more than a hundred inputs, each refused in a line that helps, none with a panic.

use crate::common::*;

/// Runs the command, and checks what it says if it is refused; returns whether it is.
fn is_refused(args: &[&str], stdin: &[u8]) -> bool {
    let done = weightware_with(args, stdin);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!said.contains("panicked"), "{args:?}: {said}");
    let status = status(&done).unwrap_or_else(|| panic!("{args:?} was killed: {said}"));
    assert!(said.len() < 4_000, "{args:?}: {} bytes", said.len());
    assert!(!said.contains(['\0', '\u{1b}']), "{args:?}");
    if status != 2 {
        return false;
    }
    let line = said.lines().next().unwrap_or_default();
    assert!(
        line.starts_with("error: ") && line.len() > 20,
        "{args:?}: {said}"
    );
    true
}

#[test]
fn damaged_modules() {
    let folder = folder("damaged");
    let module = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../programs/fib.wasm"
    ))
    .expect("the program is there");
    let mut refused = 0;
    for round in 0..48 {
        let at = module.len() * round / 48;
        let bytes = match round % 3 {
            0 => module[..at].to_vec(),
            1 => [&module[..at], &[0xff; 5], &module[at..]].concat(),
            _ => {
                let mut bytes = module.clone();
                bytes[at] ^= 0x55;
                bytes
            }
        };
        let path = file(&folder, "damaged.wasm", bytes);
        refused += usize::from(is_refused(
            &["run", &path, "--max-tokens", "50000", "-q"],
            b"",
        ));
    }
    assert!(refused > 30, "{refused}");
}

#[test]
fn damaged_texts() {
    let folder = folder("damaged-texts");
    let mut refused = 0;
    for (name, text) in [("echo.wat", ECHO), ("sum.tok", SUM)] {
        for round in 1..20 {
            let cut = text.len() * round / 20;
            let path = file(&folder, name, &text[..cut]);
            refused += usize::from(is_refused(&["run", &path, "-q"], b"x"));
            let swapped = format!("{}{}", &text[cut..], &text[..cut]);
            let path = file(&folder, name, swapped);
            refused += usize::from(is_refused(&["info", &path, "-q"], b"x"));
        }
    }
    assert!(refused > 70, "{refused}");
}

#[test]
fn arguments() {
    let folder = folder("nonsense-arguments");
    let sum = file(&folder, "sum.tok", SUM);
    let echo = file(&folder, "echo.wat", ECHO);
    let empty = string(&folder);
    for args in [
        &["run", &sum, "--engine", ""][..],
        &["run", &sum, "--engine", "plan", "--engine", "hull"],
        &["run", &sum, "--profile", "huge"],
        &["run", &sum, "--profile", "far", "--shape", "default"],
        &["run", &sum, "--shape", "round"],
        &["run", &sum, "--max-tokens", ""],
        &["run", &sum, "--max-tokens", "0x10"],
        &["run", &sum, "--max-tokens", "NaN"],
        &["run", &sum, "--max-tokens", "1e300"],
        &["run", &sum, "--memory", "lots"],
        &["run", &sum, "--memory", "0"],
        &["run", &sum, "--memory", "99G"],
        &["run", &sum, "--stack-size", "64K"],
        &["run", &sum, "-DX"],
        &["run", &sum, "--env", "="],
        &["run", &sum, "--resume", &sum],
        &["run", &sum, "--model", "/nowhere"],
        &["run", &sum, "--model", &sum],
        &["run", &sum, "--model", &empty],
        &["run", &echo, "--input-hex", "xyz"],
        &["run", &echo, "--invoke", "nobody"],
        &["run", &echo, "--invoke", ""],
        &["run", &empty],
        &["run", "/nowhere/at/all.wasm"],
        &["run", ""],
        &["run", "--resume", &sum],
        &["run", "--resume", &empty],
        &["run", "--resume", "/nowhere"],
        &["trace", &sum, "--token", "1"],
        &["explain", &sum, "--token", "1000000"],
        &["explain", &sum, "--token", "-1000000"],
        &["explain", &sum, "--token", "one"],
        &["explain", &sum, "--token", "0", "--engine", "plan"],
        &["tokens"],
        &["tokens", "/nowhere"],
        &["info", "/nowhere"],
        &["certify", "/nowhere"],
        &["certify", "--model", "/nowhere"],
        &["certify", "--", "arguments"],
        &["weights"],
        &["weights", "--out", &empty, "--modules", "core,magic"],
        &["generate", "--model", "/nowhere", "--prompt", "a"],
        &["generate", "--model", &sum, "--prompt", "a"],
        &["completions", "cobol"],
        &["man"],
        &["fly"],
        &["--fly"],
        &["run", "--fly", &sum],
    ] {
        assert!(is_refused(args, b""), "{args:?}");
    }
}
