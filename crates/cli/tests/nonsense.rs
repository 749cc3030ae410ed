//! Nonsense: more than two hundred inputs, each refused in a line that helps, none with a panic.

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
        &["run", &sum, "--profile", "enormous"],
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
        &["run", "--resume", "-"],
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

/// No output overwrites a file that is read.
#[test]
fn outputs_over_inputs() {
    let folder = folder("overwritten");
    let sum = file(&folder, "sum.tok", SUM);
    let source = file(&folder, "main.c", "int main(void) { return 0; }");
    let detour = string(&folder.join("..").join("overwritten").join("sum.tok"));
    let saved = string(&folder.join("sum.run"));
    ended(&weightware(&["run", &sum, "--save", &saved]), 0);
    for (args, option) in [
        (&["run", &sum, "--save", &sum][..], "--save"),
        (&["run", &sum, "--save", &detour], "--save"),
        (&["trace", &sum, "--json", &sum], "--json"),
        (&["run", &source, "-o", &source], "-o"),
        (&["run", "--resume", &saved, "--json", &saved], "--json"),
    ] {
        let said = ended(&weightware(args), 2);
        assert!(
            said.starts_with(&format!("error: {option} would overwrite ")),
            "{said}"
        );
    }
    assert_eq!(std::fs::read(&sum).expect("it is there"), SUM.as_bytes());
    ended(&weightware(&["run", "--resume", &saved]), 0);
}

#[test]
fn resumed_runs() {
    let folder = folder("nonsense-resumed");
    let sum = file(&folder, "sum.tok", SUM);
    let saved = string(&folder.join("sum.run"));
    ended(&weightware(&["run", &sum, "--save", &saved]), 0);
    // The options of a program are part of a saved run already.
    for option in [
        &["--env", "A=b"][..],
        &["--invoke", "main"],
        &["--memory", "64K"],
        &["--input-hex", "00"],
        &["--stack-size", "1M"],
        &["-O3"],
        &["--", "a"],
    ] {
        let said = ended(
            &weightware(&[&["run", "--resume", &saved], option].concat()),
            2,
        );
        assert!(said.contains("leave out "), "{said}");
    }
    let text = std::fs::read_to_string(&saved).expect("it is text");
    for damaged in [
        Vec::new(),
        text.repeat(2).into_bytes(),
        text.replace('\n', "\r\n").into_bytes(),
        text.replace('\n', "").into_bytes(),
        text.replacen("03", "04", 1).into_bytes(),
        text.as_bytes()[..text.len() / 2].to_vec(),
        text.as_bytes()[1..].to_vec(),
        b"\xff\xfe\0".to_vec(),
        SUM.into(),
    ] {
        let path = file(&folder, "damaged.run", damaged);
        let said = ended(&weightware(&["run", "--resume", &path]), 2);
        assert!(said.contains("--save FILE"), "{said}");
    }
}

#[test]
fn damaged_models() {
    let folder = folder("nonsense-models");
    let sum = file(&folder, "sum.tok", SUM);
    let model = folder.join("model");
    ended(&weightware(&["weights", "--out", &string(&model)]), 0);
    for name in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "generation_config.json",
    ] {
        let path = model.join(name);
        let kept = std::fs::read(&path).expect("it is written");
        for damaged in [
            &b""[..],
            b"{}",
            b"[[[[",
            &[0; 64],
            &[0xff; 64],
            &kept[..kept.len() / 2],
            &kept[..kept.len() - 20],
            &kept[kept.len() / 2..],
        ] {
            std::fs::write(&path, damaged).expect("it is written");
            let args = ["run", &sum, "--model", &string(&model)];
            assert!(is_refused(&args, b""), "{name}: {} bytes", damaged.len());
        }
        std::fs::remove_file(&path).expect("it was there");
        assert!(is_refused(&["run", &sum, "--model", &string(&model)], b""));
        std::fs::create_dir(&path).expect("its place is free");
        assert!(is_refused(&["certify", "--model", &string(&model)], b""));
        std::fs::remove_dir(&path).expect("it was made");
        std::fs::write(&path, kept).expect("it is written");
    }
}

#[test]
fn files_of_other_kinds() {
    let folder = folder("nonsense-files");
    let gigantic = "(module (memory 70000) (func (export \"main\")))";
    for (name, bytes) in [
        ("empty.wasm", &b""[..]),
        ("empty.wat", b""),
        ("gzip.wasm", b"\x1f\x8b\x08\0\0\0\0\0"),
        ("zip.wasm", b"PK\x03\x04\0\0\0\0"),
        ("page.wasm", b"<!DOCTYPE html><html></html>"),
        ("elf", b"\x7fELF\x02\x01\x01\0"),
        ("magic.wasm", b"\0asm"),
        ("version.wasm", b"\0asm\x02\0\0\0"),
        ("nothing.wasm", b"\0asm\x01\0\0\0"),
        ("component.wat", b"(component)"),
        ("latin.wat", b"(module (func (export \"m\xe9\")))"),
        ("wide.wat", b"\xff\xfe(\0m\0o\0d\0"),
        ("nul.tok", b"{ i32.const 03\0 00 00 00 }"),
        ("unclosed.wat", b"(module (func (export \"main\")"),
        ("operator.wat", b"(module (func (export \"main\") (i32.ad)))"),
        (
            "type.wat",
            b"(module (func (export \"main\") (result i32)))",
        ),
        (
            "import.wat",
            b"(module (import \"x\" \"y\" (func)) (func (export \"main\") (call 0)))",
        ),
        (
            "signature.wat",
            b"(module (import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i32))) (func (export \"_start\") (call 0 (i32.const 1))))",
        ),
        ("entry.wat", b"(module (func (export \"other\")))"),
        (
            "simd.wat",
            b"(module (func (export \"main\") (drop (v128.const i32x4 0 0 0 0))))",
        ),
        (
            "table.wat",
            b"(module (table 10000000 funcref) (func (export \"main\")))",
        ),
        ("memory.wat", gigantic.as_bytes()),
        (
            "data.wat",
            b"(module (memory 65536) (data (i32.const 4294967290) \"abc\") (func (export \"main\")))",
        ),
    ] {
        let path = file(&folder, name, bytes);
        for command in ["run", "info", "tokens", "certify"] {
            assert!(is_refused(&[command, &path], b""), "{command} {name}");
        }
    }
    let place = string(&folder.join("folder.wasm"));
    std::fs::create_dir(&place).expect("it is made");
    assert!(is_refused(&["run", &place], b""));
}

/// Arguments of bytes that are no text; a file may have such a name.
#[cfg(unix)]
#[test]
fn names_that_are_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = folder("nonsense-names");
    let name = OsStr::from_bytes(b"n\xff.tok");
    let path = folder.join(name);
    let written = std::fs::write(&path, SUM).is_ok();
    for (args, status) in [
        (&[OsStr::new("run"), path.as_os_str()][..], 0),
        (&[OsStr::new("run"), OsStr::from_bytes(b"\xff")], 2),
        (&[OsStr::from_bytes(b"\xff")], 2),
        (
            &[
                OsStr::new("run"),
                path.as_os_str(),
                OsStr::from_bytes(b"\xff"),
            ],
            2,
        ),
    ] {
        let status = if written { status } else { 2 };
        let done = command(&[]).args(args).output().expect("it starts");
        ended(&done, status);
    }
}
