//! Programs that are grown into the weights of a model, and run by name.

use std::fs;
use std::path::Path;

use crate::common::*;
use crate::contexts::{LETTERS, OUTPUT, STATUS, report, tokens};

/// Outputs the text at an address, and counts in a word past it, which is zero at first.
fn says(text: &str) -> String {
    format!(
        r#"(module
        (import "env" "putchar" (func $put (param i32)))
        (memory 1)
        (data (i32.const 100) "{text}\00")
        (func (export "main") (result i32) (local $at i32)
            (local.set $at (i32.const 100))
            (loop $next
                (call $put (i32.load8_u (local.get $at)))
                (i32.store (i32.const 160) (i32.add (i32.load (i32.const 160)) (i32.const 1)))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.load8_u (local.get $at))))
            (i32.add (i32.load (i32.const 160)) (i32.load (i32.const 116)))))"#
    )
}

/// Outputs its data and its input. A zero in it traps.
const GREET: &str = r#"(module
    (import "env" "getchar" (func $getchar (result i32)))
    (import "env" "putchar" (func $putchar (param i32)))
    (memory 1)
    (data (i32.const 100) "hi ")
    (func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
    (func (export "main") (local $at i32) (local $byte i32)
        (loop $next
            (call $putchar (i32.load8_u offset=100 (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (i32.const 3))))
        (loop $more
            (local.set $byte (call $getchar))
            (call $check (local.get $byte))
            (if (i32.ne (local.get $byte) (i32.const -1))
                (then (call $putchar (local.get $byte)) (br $more))))))"#;

/// Loads beyond its memory.
const FAR: &str = r#"(module (memory 1)
    (func $far (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "main") (result i32) (call $far (i32.const 65533))))"#;

/// Copies a passive segment, grows its memory, and exits with a byte.
const PASSIVE: &str = r#"(module (memory 1)
    (data $late "\05\06\07")
    (func (export "main") (result i32)
        (drop (memory.grow (i32.const 1)))
        (memory.init $late (i32.const 70000) (i32.const 0) (i32.const 3))
        (i32.load8_u (i32.const 70001))))"#;

/// The prompt of a program without input: its jump, and the number of its handler.
const JUMP: usize = 11;

fn refused(args: &[&str], words: &[&str]) {
    let said = ended(&weightware(args), 2);
    for word in words {
        assert!(said.contains(word), "{word} in {said}");
    }
}

/// A model with room for code.
fn model(folder: &Path, more: &[&str]) -> String {
    let model = string(&folder.join("model"));
    let weights = ["weights", "--rom", "none", "--out", &model];
    ended(&weightware(&[&weights[..], more].concat()), 0);
    model
}

fn grow(model: &str, program: &str, name: &str) -> String {
    let args = ["grow", model, "--program", program, "--as", name];
    ended(&weightware(&args), 0)
}

/// The tokens of a trace, without those of lines that hold numbers of instructions.
fn without_numbers(trace: &str) -> Vec<&str> {
    let lines = trace.lines();
    lines
        .filter(|line| {
            !line.contains("bt=1") && !line.contains("call(") && !line.contains("return(")
        })
        .collect()
}

#[test]
fn programs_with_data_at_the_same_addresses_run_by_name() {
    let folder = folder("grown");
    let model = model(&folder, &[]);
    let first = file(&folder, "first.wat", says("alpha, beta, gamma, delta"));
    let second = file(&folder, "second.wat", says("one"));
    let greet = file(&folder, "greet.wat", GREET);
    let far = file(&folder, "far.wat", FAR);
    let passive = file(&folder, "passive.wat", PASSIVE);
    let sorted = file(&folder, "sorted.wat", SORTED);
    let letters = file(&folder, "letters.wat", LETTERS);

    let trace = ["trace", &second, "--model", &model];
    let before = stdout(&weightware(&trace));
    let said = grow(&model, &first, "first");
    assert!(
        said.contains("first: a program, ")
            && said.contains("--program first` runs it")
            && said.contains("as before, bit for bit"),
        "{said}"
    );
    assert_eq!(before, stdout(&weightware(&trace)));
    grow(&model, &second, "Second_1");
    assert_eq!(before, stdout(&weightware(&trace)));
    // A module after programs, and a program that imports it.
    refused(
        &["grow", &model, "--program", &sorted, "--as", "sorted"],
        &["`sorting.sort_i32`", "weightware grow"],
    );
    let both = [
        "grow",
        &model,
        "--add",
        "software,sorting",
        "--program",
        &sorted,
    ];
    ended(&weightware(&[&both[..], &["--as", "sorted"]].concat()), 0);
    for (name, program) in [
        ("greet", &greet),
        ("far", &far),
        ("passive", &passive),
        ("letters", &letters),
    ] {
        grow(&model, program, name);
    }
    assert_eq!(before, stdout(&weightware(&trace)));

    for (name, program, input) in [
        ("first", &first, ""),
        ("Second_1", &second, ""),
        ("sorted", &sorted, ""),
        ("greet", &greet, ""),
        ("greet", &greet, "bob\nand another"),
        ("greet", &greet, "a zero: \0, which traps"),
        ("far", &far, ""),
        ("passive", &passive, ""),
        ("letters", &letters, ""),
    ] {
        let named = ["run", "--model", &model, "--program", name];
        let given = ["run", program, "--model", &model];
        let wanted = weightware_with(&given, input.as_bytes());
        for more in [
            &["--check"][..],
            &["--engine", "hull", "--check"],
            &["--engine", "hardmax", "--max-tokens", "300"],
            &[
                "--engine",
                if cfg!(feature = "jit") { "jit" } else { "plan" },
            ],
        ] {
            let done = weightware_with(&[&named[..], more].concat(), input.as_bytes());
            if status(&done) == Some(124) {
                continue;
            }
            assert_eq!(status(&done), status(&wanted), "{name}: {}", stderr(&done));
            assert_eq!(stdout(&done), stdout(&wanted), "{name}");
            // Messages name functions and addresses; the number of instructions is another.
            let places = |text: &str| {
                let lines = text
                    .lines()
                    .map(|line| line.split(", after").next().map(str::to_owned));
                lines.collect::<Vec<_>>()
            };
            assert_eq!(places(&stderr(&done)), places(&stderr(&wanted)), "{name}");
        }
        // The trace ends as that of the program in the prompt.
        let named = [&["trace"], &named[1..]].concat();
        let given = [&["trace"], &given[1..]].concat();
        let [named, given] =
            [named, given].map(|args| stdout(&weightware_with(&args, input.as_bytes())));
        // Words of a program that imports hold the number of an instruction.
        if name == "sorted" {
            continue;
        }
        let [named, given] = [&named, &given].map(|trace| without_numbers(trace));
        assert!(named.ends_with(&given), "{name}");
        // The prologue stores eight bytes by three lines.
        assert!(named.len() - given.len() < 40, "{name}");
    }
    let prompt = |more: &[&str]| {
        let args = [&["tokens", "--model", &model, "--program"], more].concat();
        let done = weightware_with(&args, b"ab");
        ended(&done, 0);
        stdout(&done)
    };
    let jump = prompt(&["first"]);
    assert_eq!(jump.split_whitespace().count(), JUMP, "{jump}");
    assert!(jump.starts_with("{ br 00 00 10 00 } "), "{jump}");
    let input = prompt(&["greet"]);
    assert!(input.contains("} 02 00 00 00 61 62 loaded "), "{input}");
    let generated = weightware(&[
        "generate",
        "--model",
        &model,
        "--prompt",
        &prompt(&["first", "--full"]),
    ]);
    assert_eq!(ended(&generated, 0), "");
}

#[test]
fn grown_programs_turn() {
    let folder = folder("grown-turns");
    let model = model(&folder, &["--context", "1500"]);
    let letters = file(&folder, "letters.wat", LETTERS);
    grow(&model, &letters, "letters");
    let mut traces = vec![];
    for program in [&["--program", "letters"][..], &[&letters]] {
        let machine = ["--model", &model, "--json", "-", "--check"];
        let done = weightware(&[&["run"], program, &machine].concat());
        let said = ended(&done, STATUS);
        assert_eq!(stdout(&done), OUTPUT);
        let json = report(&said);
        assert!(json["contexts"]["count"].as_u64() > Some(5), "{json}");
        assert_eq!(json["contexts"]["why_one"], serde_json::Value::Null);
        let trace = stdout(&weightware(
            &[&["trace"], program, &["--model", &model]].concat(),
        ));
        traces.push(tokens(&trace).1.len());
    }
    assert!(traces[0] > 5 && traces[1] > 5, "{traces:?}");

    // A saved run holds the jump, and goes on without the file.
    let saved = string(&folder.join("run.txt"));
    let first = [
        "run",
        "--model",
        &model,
        "--program",
        "letters",
        "--save",
        &saved,
    ];
    let done = weightware(&[&first[..], &["--max-tokens", "4000"]].concat());
    ended(&done, 124);
    let begun = stdout(&done);
    // Its prompt names the jump alone; the checked program is that of the weights.
    let resumed = ["run", "--model", &model, "--resume", &saved, "--quiet"];
    for checked in [&[][..], &["--check"]] {
        let done = weightware(&[&resumed[..], checked].concat());
        ended(&done, STATUS);
        assert_eq!(format!("{begun}{}", stdout(&done)), OUTPUT);
    }
    refused(
        &[
            "run",
            "--model",
            &model,
            "--resume",
            &saved,
            "--program",
            "letters",
        ],
        &["--resume", "--program"],
    );
}

#[test]
fn grown_programs_are_found_by_name() {
    let folder = folder("grown-names");
    let model = model(&folder, &[]);
    refused(
        &["run", "--model", &model, "--program", "first"],
        &["no program `first`", "it has no program", "--as NAME"],
    );
    let listed = |words: &[&str]| {
        let done = weightware(&["info", "--model", &model]);
        assert_eq!(ended(&done, 0), "");
        for word in words {
            assert!(stdout(&done).contains(word), "{word} in {}", stdout(&done));
        }
    };
    listed(&["no module and no program", "weightware grow"]);
    let first = file(&folder, "first.wat", says("alpha"));
    grow(&model, &first, "first");
    let weights = fs::read(folder.join("model/model.safetensors")).expect("it is written");
    let sum = file(&folder, "sum.txt", SUM);
    let add = file(
        &folder,
        "add.wat",
        r#"(module (func (export "add") (param i32 i32) (result i32)
            (i32.add (local.get 0) (local.get 1))))"#,
    );
    let large = file(
        &folder,
        "large.wat",
        r#"(module (memory 20) (data (i32.const 1000000) "x") (func (export "main")))"#,
    );
    let long = "n".repeat(65);
    for (program, name, words) in [
        (&first, "first", &["`first` already", "another name"][..]),
        (&first, "FIRST", &["`first` already", "another name"]),
        (&first, "../first", &["no name of a program", "letters"]),
        (&first, "", &["no name of a program"]),
        (&first, "_x", &["no name of a program"]),
        (&first, "a.b", &["no name of a program"]),
        (&first, &long, &["at most 64"]),
        (&sum, "sum", &["token program", "grow a module"]),
        (&add, "add", &["add.wat", "no exported function"]),
        (
            &large,
            "large",
            &["the profile stock of the model", "--rom none --shape far"],
        ),
    ] {
        let args = ["grow", &model, "--program", program, "--as", name];
        refused(&args, words);
    }
    for (args, words) in [
        (&["grow", &model, "--program", &first][..], &["--as"][..]),
        (&["grow", &model, "--as", "x"], &["--program"]),
        (
            &["grow", &model, "--add", "sorting", "-O3"],
            &["-O is for a program"],
        ),
        (
            &["grow", &model, "--program", &first, "--as", "x", "--", "a"],
            &["input of a run", "--program NAME -- ARGS"],
        ),
        (&["run", "--program", "first"], &["--model"]),
        (
            &["run", &first, "--model", &model, "--program", "first"],
            &["cannot be used with"],
        ),
        (
            &["run", "--model", &model, "--program", "second"],
            &["no program `second`", "it has `first`;"],
        ),
        (
            &["run", "--model", &model],
            &["name a FILE to run", "--program", "`first`"],
        ),
        (
            &["run", "--model", &model, "--program", "first", "-O3"],
            &["-O is for a program that is not in the weights yet"],
        ),
        (
            &[
                "run",
                "--model",
                &model,
                "--program",
                "first",
                "--invoke",
                "f",
            ],
            &["--invoke is for a program that is not in the weights yet"],
        ),
    ] {
        refused(args, words);
    }
    // Nothing was written.
    assert!(weights == fs::read(folder.join("model/model.safetensors")).expect("it is there"));

    // A call of an export is grown with its numbers.
    let args = [
        "grow",
        &model,
        "--program",
        &add,
        "--as",
        "add",
        "--invoke",
        "add",
    ];
    ended(&weightware(&[&args[..], &["--", "3", "5"]].concat()), 0);
    let done = weightware(&["run", "--model", &model, "--program", "add", "--check"]);
    assert_eq!(
        (ended(&done, 0).as_str(), stdout(&done).as_str()),
        ("", "8\n")
    );
    listed(&["program   first: first.wat, ", "program   add: add.wat, "]);
    let done = weightware(&["info", "--model", &model, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(json["programs"][0]["name"], "first");
    let done = weightware(&["info", "--model", &model, "--program", "first"]);
    assert_eq!(ended(&done, 0), "");
    assert!(
        stdout(&done).contains("of which code 5, data and input 0"),
        "{}",
        stdout(&done)
    );
    let explain = [
        "explain",
        "--model",
        &model,
        "--program",
        "first",
        "--quiet",
        "--token",
    ];
    let done = weightware(&[&explain[..], &["40"]].concat());
    ended(&done, 0);
    assert!(stdout(&done).contains("function     "), "{}", stdout(&done));
    ended(
        &weightware(&["certify", "--model", &model, "--program", "first"]),
        0,
    );

    // Another program in place of the file, and no file.
    let kept = folder.join("model/programs/first.wasm");
    fs::write(&kept, says("omega")).expect("it is written");
    let run = ["run", "--model", &model, "--program", "first"];
    refused(&run, &["first.wasm", "another program than this file"]);
    fs::remove_file(&kept).expect("it is there");
    refused(&run, &["first.wasm", "`weightware grow` writes it"]);
    let list = folder.join("model/library.json");
    let text = fs::read_to_string(&list).expect("it is written");
    fs::write(&list, text.replace("first.wasm", "../first.wat")).expect("it is written");
    refused(&run, &["library.json", "no file of the folder"]);
}
