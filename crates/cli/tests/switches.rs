//! Switches that people know from other engines.

use std::fs;

use crate::common::{self, *};

const ADD: &str = r#"(module
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "pair") (param i64 f64) (result i64 f32 f64)
        (i64.mul (local.get 0) (i64.const -3)) (f32.const 0.25) (f64.add (local.get 1) (f64.const 0.5)))
    (func (export "nothing") (param f32)))"#;

#[test]
fn exports_are_invoked_with_numbers() {
    let folder = folder("invoke");
    let program = file(&folder, "add.wat", ADD);
    let invoke = |args: &[&str]| weightware(&[&["run", &program, "--invoke"], args].concat());
    for (args, text) in [
        (&["add", "3", "5"][..], "8\n"),
        (&["add", "0x10", "--", "-20"], "-4\n"),
        (&["add", "4294967295", "2"], "1\n"),
        (&["pair", "7", "1.25"], "-21\n0.25\n1.75\n"),
        (&["nothing", "inf"], ""),
    ] {
        let done = invoke(args);
        assert_eq!(ended(&done, 0), "", "{args:?}");
        assert_eq!(stdout(&done), text, "{args:?}");
    }
    for (args, words) in [
        (
            &["add", "3"][..],
            "`add` takes 2 arguments (i32, i32), and there are 1",
        ),
        (
            &["add", "3", "five"],
            "argument 2 of `add` must be an i32, and `five` is not",
        ),
        (&["add", "3", "4294967296"], "argument 2"),
        (
            &["sub", "3"],
            "the exported functions are `add`, `pair`, `nothing`",
        ),
    ] {
        let said = ended(&invoke(args), 2);
        assert!(said.contains(words), "{said}");
    }
    // Every engine shows the same results.
    for engine in ["hull", "hardmax"] {
        assert_eq!(
            stdout(&invoke(&["pair", "7", "1.25", "--engine", engine])),
            "-21\n0.25\n1.75\n"
        );
    }
}

#[test]
fn input_and_output_in_hexadecimal() {
    let folder = folder("hex");
    let echo = file(&folder, "echo.wat", ECHO);
    let done = weightware(&["run", &echo, "--input-hex", "00 ff:0a", "--output-hex"]);
    assert_eq!(ended(&done, 0), "");
    assert_eq!(stdout(&done), "00ff0a\n");
    let done = weightware(&["run", &echo, "--input-hex", "0"]);
    assert!(ended(&done, 2).contains("a byte has two hexadecimal digits"));
    // A program on stdin takes its input from the option.
    let done = weightware_with(&["run", "-", "--input-hex", "6869"], ECHO.as_bytes());
    ended(&done, 0);
    assert_eq!(stdout(&done), "hi");
}

#[test]
fn counts_that_were_meant_otherwise() {
    let folder = folder("counts");
    let sum = file(&folder, "sum.txt", SUM);
    for (count, words) in [
        ("1e6", "write the number with its digits: 1000000"),
        (
            "-5",
            "a count is not negative; for no limit leave the option out",
        ),
        ("ten", "no whole number"),
    ] {
        let said = ended(&weightware(&["run", &sum, "--max-tokens", count]), 2);
        assert!(said.contains(words), "{said}");
    }
    ended(&weightware(&["run", &sum, "--max-tokens", "1_000"]), 0);
}

#[test]
fn a_model_without_a_module_refuses_its_instructions() {
    let folder = folder("modules");
    let model = string(&folder.join("core"));
    ended(
        &weightware(&["weights", "--out", &model, "--modules", "core,traps"]),
        0,
    );
    let config = folder.join("core/config.json");
    let text = fs::read_to_string(&config).expect("it is written");
    assert!(
        text.contains("\"modules\": [\n    \"core\",\n    \"traps\"\n  ]"),
        "{text}"
    );

    let sum = file(&folder, "sum.txt", SUM);
    ended(&weightware(&["run", &sum, "--model", &model]), 0);
    let xor = file(
        &folder,
        "xor.wat",
        "(module (memory 1) (func $mix (export \"main\") (result i32)
            (i32.xor (i32.load8_u (i32.const 9)) (i32.const 3))))",
    );
    for command in [
        &["run"][..],
        &["trace"],
        &["info"],
        &["certify"],
        &["explain", "--token", "0"],
    ] {
        let args = [&command[..1], &[&xor, "--model", &model], &command[1..]].concat();
        let said = ended(&weightware(&args), 2);
        for words in [
            "`i32.xor`, needs the module `bits`",
            "in mix (function 0, byte 0x",
        ] {
            assert!(said.contains(words), "{words} in {said}");
        }
    }
    // A program that has all its instructions runs without the handler's.
    let loops = "(module (func (export \"main\") (result i32) (local $i i32)
        (loop $on (br_if $on (i32.lt_u
            (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9))))
        (local.get $i)))";
    let loops = file(&folder, "loops.wat", loops);
    ended(
        &weightware(&["run", &loops, "--model", &model, "--check"]),
        9,
    );
    let needs = stdout(&weightware(&["info", &loops, "--model", &model]));
    assert!(
        needs.contains("contexts  one: the model lacks instructions of the handler"),
        "{needs}"
    );
    // Nobody can tell what a folder without the list executes right.
    fs::write(&config, text.replace("\"modules\"", "\"models\"")).expect("it is written");
    let said = ended(&weightware(&["run", &sum, "--model", &model]), 2);
    assert!(said.contains("no list `modules`"), "{said}");
    fs::write(&config, text.replace("\"traps\"", "\"warps\"")).expect("it is written");
    let said = ended(&weightware(&["run", &sum, "--model", &model]), 2);
    assert!(said.contains("there is no module \"warps\""), "{said}");
}

#[test]
fn files_that_are_none() {
    let folder = folder("no-files");
    let missing = string(&folder.join("missing.wasm"));
    let said = ended(&weightware(&["run", &missing]), 2);
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
    let said = ended(&weightware(&["run", "--resume", &missing]), 2);
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
    // The text's own name, not `<anon>`.
    let text = file(&folder, "broken.wat", "(module (func (i32.cosnt 1)))");
    let said = ended(&weightware(&["run", &text]), 2);
    assert!(
        said.contains("broken.wat:1:16") && !said.contains("<anon>"),
        "{said}"
    );
    // A C file's options are not a module's.
    let sum = file(&folder, "sum.txt", SUM);
    let said = ended(&weightware(&["run", &sum, "-O3"]), 2);
    assert!(said.contains("-O is for C and C++"), "{said}");
    let source = file(&folder, "main.c", "int main(void) { return 0; }");
    let mut command = command(&["run", &source]);
    let done = command
        .env("CLANG", "/nowhere/clang")
        .output()
        .expect("it starts");
    let said = ended(&done, 2);
    assert!(said.contains("$CLANG is /nowhere/clang"), "{said}");
    #[cfg(unix)]
    {
        let mut command = common::command(&["run", &source]);
        let done = command.env("CLANG", "true").output().expect("it starts");
        let said = ended(&done, 2);
        assert!(said.contains("wrote no module"), "{said}");
    }
    // A file in the place of a command.
    let said = ended(&weightware(&[&sum]), 2);
    assert!(said.contains("`weightware run "), "{said}");
    let empty = file(&folder, "empty.wasm", "");
    assert!(ended(&weightware(&["run", &empty]), 2).contains("this is empty"));
}

#[test]
fn the_version_names_the_weights() {
    let done = weightware(&["--version"]);
    ended(&done, 0);
    let text = stdout(&done);
    let digest = text.split_whitespace().nth(4).expect("a digest");
    assert!(
        text.starts_with("weightware ") && digest.len() == 64,
        "{text}"
    );
    // It is the file's own digest.
    let folder = folder("version");
    let model = string(&folder.join("model"));
    ended(&weightware(&["weights", "--out", &model]), 0);
    let bytes = fs::read(folder.join("model/model.safetensors")).expect("it is written");
    assert_eq!(sha256(&bytes), digest);
}

#[test]
fn shells_and_manuals() {
    for shell in ["bash", "zsh", "fish"] {
        let done = weightware(&["completions", shell]);
        ended(&done, 0);
        assert!(stdout(&done).contains("max-tokens"));
    }
    let folder = folder("man");
    ended(&weightware(&["man", "--out", &string(&folder)]), 0);
    for page in ["weightware.1", "weightware-run.1"] {
        assert!(folder.join(page).exists(), "{page}");
    }
}

/// With clang, where there is one with a C library for WASI.
#[test]
fn c_files_arguments_and_environment() {
    let folder = folder("c");
    let main = file(
        &folder,
        "main.c",
        r#"
        #include <stdio.h>
        #include <stdlib.h>
        int twice(int);
        int main(int argc, char **argv) {
            printf("%d %d %s", argc, twice(N), getenv("WORD"));
            for (int i = 1; i < argc; i++) printf(" %s", argv[i]);
            return 0;
        }"#,
    );
    let other = file(&folder, "other.c", "int twice(int n) { return 2 * n; }");
    let out = string(&folder.join("main.wasm"));
    let args = [
        "run", &main, &other, "a", "-DN=21", "-O1", "-Wall", "--env", "WORD=hi", "-o", &out, "--",
        "-b",
    ];
    let done = weightware(&args);
    if status(&done) == Some(2) && String::from_utf8_lossy(&done.stderr).contains("C library") {
        return;
    }
    assert_eq!(ended(&done, 0), "");
    assert_eq!(stdout(&done), "3 42 hi a -b");
    let done = weightware(&["run", &out, "a", "--env", "WORD=hi", "--", "-b"]);
    assert_eq!(stdout(&done), "3 42 hi a -b");

    let deep = file(&folder, "deep.c", "
        volatile int sink;
        static int deep(int n) { volatile char room[512]; room[n % 512] = n; return deep(n + 1) + room[0]; }
        int main(void) { return deep(sink); }");
    let said = ended(&weightware(&["run", &deep]), 134);
    for words in [
        "at address -",
        "--stack-size",
        "deep.c:3:",
        "called from deep",
        "deep.c:4:",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }

    // Parts of C's library that are not there.
    for (name, text, words) in [
        (
            "jump.c",
            "#include <setjmp.h>\njmp_buf b; int main(void) { return setjmp(b); }",
            "setjmp and longjmp need exceptions, which WebAssembly 1.0 does not have: return errors",
        ),
        (
            "threads.c",
            "#include <pthread.h>\nint main(void) { pthread_t t; return pthread_create(&t, 0, 0, 0); }",
            "there are no threads: one trace is one thread",
        ),
    ] {
        let source = file(&folder, name, text);
        let said = ended(&weightware(&["run", &source]), 2);
        assert!(said.contains(words), "{said}");
    }
}
