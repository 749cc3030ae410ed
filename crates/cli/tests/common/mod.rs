//! The binary, run.
#![allow(dead_code, reason = "every test file is a crate and uses a part")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sha2::{Digest, Sha256};

pub(crate) const SUM: &str =
    "{ i32.const 03 00 00 00 i32.const 05 00 00 00 i32.add 00 00 00 00 output 00 00 00 00 }";
pub(crate) const SUM_TRACE: &str = "\
03 00 00 00 commit(+1,sts=1,bt=0)
05 00 00 00 commit(+1,sts=1,bt=0)
08 00 00 00 commit(-1,sts=1,bt=0)
out(08)
halt
";
pub(crate) const TRAP: &str = "{ unreachable 00 00 00 00 }";
/// Jumps to itself for ever.
pub(crate) const LOOP: &str = "{ br 00 00 00 00 }";
/// Outputs `!` for ever.
pub(crate) const SHOUT: &str = "{ i32.const 21 00 00 00 output 00 00 00 00 br 00 00 00 00 }";
/// Outputs its input.
pub(crate) const ECHO: &str = r#"(module
    (import "env" "getchar" (func $getchar (result i32)))
    (import "env" "putchar" (func $putchar (param i32)))
    (func (export "main") (local i32)
        (loop $next
            (local.set 0 (call $getchar))
            (if (i32.ne (local.get 0) (i32.const -1))
                (then (call $putchar (local.get 0)) (br $next))))))"#;

pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weightware"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub(crate) fn weightware(args: &[&str]) -> Output {
    command(args).output().expect("the binary starts")
}

pub(crate) fn weightware_with(args: &[&str], stdin: &[u8]) -> Output {
    let mut child = command(args)
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // The process may end without having read everything.
    let _ = child
        .stdin
        .take()
        .expect("stdin is a pipe")
        .write_all(stdin);
    child.wait_with_output().expect("the binary ends")
}

/// A folder of this test alone, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the folder is made");
    folder
}

pub(crate) fn file(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("the file is written");
    string(&path)
}

/// A saved run with its digest.
pub(crate) fn saved_run(text: &str) -> String {
    format!("{text}# sha256 {}\n", sha256(text))
}

/// The first line of a saved run of the default machine, whose prompt has that many tokens.
pub(crate) fn first_line(prompt: usize) -> String {
    let computer = weightware::Computer::default();
    format!("weightware-run 4 {prompt} 1 {}", computer.digest())
}

pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

pub(crate) fn string(path: &Path) -> String {
    path.to_str().expect("the path is text").to_owned()
}

pub(crate) fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is text")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr is text")
}

/// The command ended with that status, without a panic; returns what it said on stderr.
pub(crate) fn ended(output: &Output, expected: i32) -> String {
    let said = stderr(output);
    assert_eq!(status(output), Some(expected), "stderr: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// Writes a line to stdout and one to stderr.
pub(crate) const STREAMS: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\04\00\00\00\14\00\00\00\04\00\00\00out\nerr\n")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
    (drop (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 32)))))"#;

/// Writes to stdout and to stderr by turns: `o1`, `e2`, and without a new line between them `o3`
/// and `e4`.
pub(crate) const TURNS: &str = "{
    i32.const 6f 00 00 00 output 00 00 00 00
    i32.const 31 00 00 00 output 00 00 00 00
    i32.const 0a 00 00 00 output 00 00 00 00
    i32.const 65 00 00 00 output.err 00 00 00 00
    i32.const 32 00 00 00 output.err 00 00 00 00
    i32.const 0a 00 00 00 output.err 00 00 00 00
    i32.const 6f 00 00 00 output 00 00 00 00
    i32.const 33 00 00 00 output 00 00 00 00
    i32.const 65 00 00 00 output.err 00 00 00 00
    i32.const 34 00 00 00 output.err 00 00 00 00
    i32.const 0a 00 00 00 output.err 00 00 00 00
}";

/// Sorts three words by an imported function, and exits with the first.
pub(crate) const SORTED: &str = r#"(module
    (import "sorting" "sort_i32" (func $sort (param i32 i32)))
    (memory 1)
    (data (i32.const 100) "\07\00\00\00\05\00\00\00\09")
    (func (export "main") (result i32)
        (call $sort (i32.const 100) (i32.const 3))
        (i32.load (i32.const 100))))"#;
