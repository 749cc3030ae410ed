//! Models with programs and library modules in their weights.

use std::fs;
use std::path::Path;

use crate::common::*;

/// Outputs its data, then its input.
const GREET: &str = r#"(module
    (import "env" "getchar" (func $getchar (result i32)))
    (import "env" "putchar" (func $putchar (param i32)))
    (memory 1)
    (data (i32.const 100) "hi \00")
    (func (export "main") (local $at i32) (local $byte i32)
        (local.set $at (i32.const 100))
        (loop $next
            (call $putchar (i32.load8_u (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.load8_u (local.get $at))))
        (loop $more
            (local.set $byte (call $getchar))
            (if (i32.ne (local.get $byte) (i32.const -1))
                (then (call $putchar (local.get $byte)) (br $more))))))"#;

/// A command is refused, and says these words.
fn refused(args: &[&str], words: &[&str]) {
    let said = ended(&weightware(args), 2);
    for word in words {
        assert!(said.contains(word), "{word} in {said}");
    }
}

/// A program and a model that has it in its weights.
fn compiled(folder: &Path, name: &str, text: &str) -> (String, String) {
    let program = file(folder, name, text);
    let model = string(&folder.join("model"));
    let said = ended(&weightware(&["compile", &program, "--out", &model]), 0);
    for words in ["instructions and ", "in the weights", "prompt: "] {
        assert!(said.contains(words), "{words} in {said}");
    }
    (program, model)
}

#[test]
fn a_compiled_program_reads_its_input() {
    let folder = folder("specialised");
    let (program, model) = compiled(&folder, "greet.wat", GREET);
    for input in ["", "bob", "a longer line\nand another\n"] {
        for args in [
            &["run", "--model", &model, "--check"][..],
            &["run", &program, "--model", &model, "--check"],
            &["run", &program],
        ] {
            let done = weightware_with(args, input.as_bytes());
            assert_eq!(ended(&done, 0), "", "{args:?}");
            assert_eq!(stdout(&done), format!("hi {input}"), "{args:?}");
        }
    }

    // Without input, the prompt in the folder is whole.
    let prompt = format!("@{model}/prompt.txt");
    let done = weightware(&["generate", "--model", &model, "--prompt", &prompt]);
    assert_eq!(ended(&done, 0), "");
    let generated = stdout(&done);
    let out = generated
        .split_whitespace()
        .filter(|token| token.starts_with("out("));
    assert_eq!(out.collect::<Vec<_>>(), ["out(68)", "out(69)", "out(20)"]);
    let traced = stdout(&weightware(&["trace", "--model", &model]));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    let [generated, traced]: [Vec<String>; 2] = [&generated, &traced].map(|text| words(text));
    assert_eq!(generated, traced);
    // No instruction of the program is in it.
    let prompt = fs::read_to_string(folder.join("model/prompt.txt")).expect("it is written");
    let whole = stdout(&weightware(&["tokens", &program, "--full"]));
    assert!(prompt.split_whitespace().count() < whole.split_whitespace().count());
    assert!(prompt.contains(" { } "), "{prompt}");
}

/// The printed prompt is the one of `run`: the same tokens follow it.
#[test]
fn prompts_for_machines_with_a_library_are_printed() {
    let folder = folder("library-prompts");
    let model = string(&folder.join("model"));
    let made = weightware(&["weights", "--rom", "software,sorting", "--out", &model]);
    ended(&made, 0);
    let sorted = file(&folder, "sorted.wat", SORTED);
    let greet = file(&folder, "greet.wat", GREET);
    let with_model = ["--model", &model];
    // The machine of a program that imports has the modules that it imports from.
    for (program, machine, status) in [
        (&sorted, &with_model[..], 5),
        (&sorted, &[], 5),
        (&greet, &with_model, 0),
    ] {
        let prompt = weightware(&[&["tokens", program, "--full"], machine].concat());
        ended(&prompt, 0);
        let prompt = file(&folder, "prompt.txt", stdout(&prompt));
        let prompt = format!("@{prompt}");
        let done = weightware(&["generate", "--model", &model, "--prompt", &prompt]);
        assert_eq!(ended(&done, 0), "", "{program}");
        let traced = weightware(&["trace", program, "--model", &model]);
        ended(&traced, status);
        let words =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        assert_eq!(words(&stdout(&done)), words(&stdout(&traced)), "{program}");
    }
}

#[test]
fn a_compiled_model_runs_its_program_alone() {
    let folder = folder("specialised-refused");
    let (program, model) = compiled(&folder, "greet.wat", GREET);
    let other = file(&folder, "other.wat", GREET.replace("hi ", "ho "));
    let another = ["another program in its weights", "weightware compile FILE"];
    refused(&["run", &other, "--model", &model], &another);
    let sum = file(&folder, "sum.txt", SUM);
    refused(&["run", &sum, "--model", &model], &another);
    refused(
        &["grow", &model, "--add", "sorting"],
        &["has a program in its weights", "--rom none"],
    );

    let long = vec![b'x'; 200_000];
    let said = ended(&weightware_with(&["run", "--model", &model], &long), 2);
    assert!(
        said.contains("the input is too long by ") && said.contains("--shape far"),
        "{said}"
    );
    // The longest input that fits does, and no longer one.
    let by: usize = said
        .split_whitespace()
        .find_map(|word| word.parse().ok())
        .expect("a number of bytes");
    let fits = vec![b'x'; long.len() - by];
    let args = ["run", "--model", &model, "--max-tokens", "100"];
    ended(&weightware_with(&args, &fits), 124);
    ended(&weightware_with(&args, &long[..=fits.len()]), 2);

    // The files beside the model.
    let place = |name: &str| folder.join("model").join(name);
    let stored = fs::read_to_string(place("program.json")).expect("it is written");
    file(
        &folder.join("model"),
        "program.json",
        stored.replace("program.wasm", "../greet.wat"),
    );
    refused(&["run", "--model", &model], &["no file of the folder"]);
    file(&folder.join("model"), "program.json", "{");
    refused(&["run", "--model", &model], &["program.json", "compile"]);
    fs::remove_file(place("program.json")).expect("it is there");
    for args in [
        &["run", "--model", &model][..],
        &["run", &program, "--model", &model],
    ] {
        refused(args, &["program.json", "`weightware compile` writes it"]);
    }
    file(&folder.join("model"), "program.json", &stored);
    fs::remove_file(place("program.wasm")).expect("it is there");
    refused(
        &["run", "--model", &model],
        &["program.wasm", "`weightware compile` writes it"],
    );
    // Another program in its place.
    ended(&weightware(&["run", &program, "--model", &model]), 0);
    fs::copy(&other, place("program.wasm")).expect("it is copied");
    refused(&["run", "--model", &model], &another);
}

#[test]
fn models_without_a_program_need_one() {
    let folder = folder("specialised-none");
    let model = string(&folder.join("model"));
    for args in [
        &["weights", "--out", &model][..],
        &["weights", "--rom", "none", "--out", &model],
    ] {
        ended(&weightware(args), 0);
        refused(&["run", "--model", &model], &["no program", "name a FILE"]);
    }
}

#[test]
fn a_compiled_program_calls_a_module() {
    let folder = folder("specialised-module");
    let (program, model) = compiled(&folder, "sorted.wat", SORTED);
    for args in [
        &["run", "--model", &model, "--check"][..],
        &["run", &program, "--model", &model, "--check"],
    ] {
        assert_eq!(ended(&weightware(args), 5), "");
    }
}

#[test]
fn models_have_the_modules_that_are_asked_for() {
    let folder = folder("rom");
    let program = file(&folder, "sorted.wat", SORTED);
    // A machine with the modules that the program imports.
    assert_eq!(ended(&weightware(&["run", &program, "--check"]), 5), "");

    let model = string(&folder.join("model"));
    let weights = |list: &str| weightware(&["weights", "--rom", list, "--out", &model]);
    let said = ended(&weights("sorting,software"), 0);
    assert!(said.contains("software, sorting in its weights"), "{said}");
    let run = ["run", &program, "--model", &model, "--check"];
    assert_eq!(ended(&weightware(&run), 5), "");
    let library = folder.join("model/library.json");
    let list = fs::read_to_string(&library).expect("it is written");
    file(
        &folder.join("model"),
        "library.json",
        list.replace("\"software\"", "\"crypto\"")
            .replace("1048576", "1048577"),
    );
    refused(&run, &["library.json", "no code at 1048577", "`crypto`"]);
    fs::remove_file(&library).expect("it is there");
    refused(&run, &["library.json", "weights --rom LIST --out DIR"]);

    // Without the module, by one with room for it and by one without.
    ended(&weights("none"), 0);
    let missing = ["`sorting.sort_i32`", "weightware grow"];
    refused(&run, &missing);
    ended(&weightware(&["weights", "--out", &model]), 0);
    refused(&run, &missing);

    refused(
        &["weights", "--rom", "none,sorting", "--out", &model],
        &["--rom", "leave it out"],
    );
    refused(
        &["weights", "--rom", "nonsense", "--out", &model],
        &["nonsense", "possible values: software, crypto"],
    );
}

#[test]
fn modules_are_listed() {
    let done = weightware(&["modules"]);
    assert_eq!(ended(&done, 0), "");
    let text = stdout(&done);
    let names: Vec<&str> = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let all = [
        "software", "crypto", "dsp", "graph", "math", "sorting", "strings",
    ];
    assert_eq!(names, all);

    let done = weightware(&["modules", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), all.len());
    for (row, name) in rows.iter().zip(all) {
        assert_eq!(row["name"], name);
        for figure in ["functions", "instructions", "neurons", "nonzero_weights"] {
            assert!(
                row[figure].as_u64().expect("a number") > 0,
                "{name} {figure}"
            );
        }
    }

    let text = stdout(&weightware(&["modules", "sorting"]));
    for words in [
        "#include <sorting/sorting.h>",
        "void sorting_sort_i32(int32_t *items, uint32_t count);",
        "Sorts in place, ascending.",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let text = stdout(&weightware(&["modules", "math"]));
    assert!(text.contains("    Traps: "), "{text}");
    refused(
        &["modules", "nonsense"],
        &["no library module `nonsense`", "software, crypto, dsp"],
    );
    refused(&["modules", "software"], &["no functions to import"]);

    let folder = folder("headers");
    let headers = string(&folder.join("include"));
    ended(&weightware(&["modules", "--headers", &headers]), 0);
    for path in ["module.h", "sorting/sorting.h", "math/math.h"] {
        assert!(folder.join("include").join(path).exists(), "{path}");
    }
    assert!(!folder.join("include/sorting/sorting.c").exists());
}

#[test]
fn growth_is_refused() {
    let folder = folder("grow");
    let model = string(&folder.join("model"));
    refused(&["grow", &model, "--add", "sorting"], &["config.json"]);
    ended(&weightware(&["weights", "--out", &model]), 0);
    refused(
        &["grow", &model, "--add", "sorting"],
        &[
            "no room for code",
            "weightware weights --rom none --out DIR",
        ],
    );

    ended(
        &weightware(&["weights", "--rom", "none", "--out", &model]),
        0,
    );
    refused(&["grow", &model], &["--add"]);
    refused(&["grow", &model, "--add", "nonsense"], &["possible values"]);
    let grow = ["grow", &model, "--add", "sorting"];
    let said = ended(&weightware(&grow), 0);
    assert!(
        said.contains("sorting: 31 functions") && said.contains("as before, bit for bit"),
        "{said}"
    );
    let weights = fs::read(folder.join("model/model.safetensors")).expect("it is written");
    refused(&grow, &["`sorting` already", "leave it out"]);

    let module = |name: &str, text: &str| file(&folder, name, text);
    let twice = module("sorting.wat", r#"(module (func (export "f")))"#);
    let low = module(
        "low.wat",
        r#"(module (memory 1) (data (i32.const 16) "abc"))"#,
    );
    let named = module(
        "env.wat",
        r#"(module (func (export "putchar") (param i32)))"#,
    );
    let state = module(
        "state.wat",
        r#"(module (global (mut i64) (i64.const 0)) (func (export "f")))"#,
    );
    let broken = module("broken.wat", "(module");
    let empty = string(&folder.join("empty"));
    fs::create_dir(&empty).expect("it is made");
    let missing = string(&folder.join("missing.wasm"));
    for (path, words) in [
        (&twice, &["sorting.wat", "already", "another name"][..]),
        (&low, &["low.wat", "constants at 0x10", "-Wl,--global-base"]),
        (&named, &["env.wat", "`env`", "another name"]),
        (&state, &["state.wat", "mutable globals", "the caller owns"]),
        (&broken, &["broken.wat", "cannot be parsed"]),
        (&empty, &["empty", "no C file"]),
        (&missing, &["missing.wasm"]),
    ] {
        refused(&["grow", &model, "--module", path], words);
    }
    // Nothing was written.
    assert!(weights == fs::read(folder.join("model/model.safetensors")).expect("it is there"));
}

/// Constants of modules that are added one after another lie beside one another, zeros at their
/// ends included.
#[test]
fn constants_of_modules_do_not_overlap() {
    let folder = folder("grow-constants");
    let model = string(&folder.join("model"));
    ended(
        &weightware(&["weights", "--rom", "none", "--out", &model]),
        0,
    );
    let module = |name: &str, address: u32| {
        let text = format!(
            r#"(module (memory 256) (data (i32.const {address}) "\01\00\00\00\00\00\00\00")
                (func (export "get") (param i32) (result i32)
                    (i32.load8_u (i32.add (local.get 0) (i32.const {address})))))"#
        );
        file(&folder, name, text)
    };
    let first = module("first.wat", 0xa0_0000);
    ended(&weightware(&["grow", &model, "--module", &first]), 0);
    let among = module("second.wat", 0xa0_0007);
    refused(
        &["grow", &model, "--module", &among],
        &["second.wat", "those of `first`"],
    );
    let beside = module("second.wat", 0xa0_0008);
    ended(&weightware(&["grow", &model, "--module", &beside]), 0);
    // Reads all bytes of the first module, and the first of the second, which is past them.
    let program = file(
        &folder,
        "sum.wat",
        r#"(module
            (import "first" "get" (func $first (param i32) (result i32)))
            (import "second" "get" (func $second (param i32) (result i32)))
            (func (export "main") (result i32) (local $at i32) (local $sum i32)
                (loop $next
                    (local.set $sum (i32.add (local.get $sum) (call $first (local.get $at))))
                    (local.set $at (i32.add (local.get $at) (i32.const 1)))
                    (br_if $next (i32.lt_u (local.get $at) (i32.const 8))))
                (i32.add (i32.mul (local.get $sum) (i32.const 10)) (call $second (i32.const 0)))))"#,
    );
    let done = weightware(&["run", &program, "--model", &model, "--check"]);
    assert_eq!(ended(&done, 11), "");
}

/// The steps of "A module of your own" in the README of weightware-modules. With clang, where it
/// compiles for wasm32.
#[test]
fn a_module_of_ones_own() {
    let folder = folder("grow-own");
    let model = string(&folder.join("model"));
    let own = folder.join("statistics");
    fs::create_dir(&own).expect("it is made");
    file(&own, "statistics.h", STATISTICS_H);
    file(&own, "statistics.c", STATISTICS_C);
    let main = file(&folder, "main.c", STATISTICS_MAIN);
    let (own, include) = (string(&own), string(&folder));

    ended(
        &weightware(&["weights", "--rom", "none", "--out", &model]),
        0,
    );
    let done = weightware(&["grow", &model, "--module", &own]);
    let said = stderr(&done);
    if status(&done) == Some(2) && (said.contains("C library") || said.contains("needs clang")) {
        return;
    }
    assert!(
        ended(&done, 0).contains("statistics: 3 functions, "),
        "{said}"
    );
    let program = string(&folder.join("main.wasm"));
    let run = [
        "run", &main, "-I", &include, "-o", &program, "--model", &model, "--check",
    ];
    let done = weightware(&run);
    assert_eq!(ended(&done, 0), "");
    assert_eq!(stdout(&done), STATISTICS_SAID);

    let trace = ["trace", &program, "--model", &model];
    let done = weightware(&trace);
    assert_eq!(ended(&done, 0), "");
    let before = stdout(&done);
    let said = ended(&weightware(&["grow", &model, "--add", "sorting"]), 0);
    assert!(said.contains("sorting: 31 functions"), "{said}");
    let done = weightware(&trace);
    assert_eq!(ended(&done, 0), "");
    assert!(
        before == stdout(&done),
        "the trace of the first program changed"
    );
    let sorted = file(&folder, "sorted.wat", SORTED);
    let done = weightware(&["run", &sorted, "--model", &model, "--check"]);
    assert_eq!(ended(&done, 5), "");
    refused(
        &["grow", &model, "--module", &own],
        &["`statistics` already", "another name"],
    );

    // With operators in the weights the program is shorter, and does the same.
    ended(&weightware(&["grow", &model, "--add", "software"]), 0);
    let done = weightware(&["run", &program, "--model", &model, "--check"]);
    assert_eq!(ended(&done, 0), "");
    assert_eq!(stdout(&done), STATISTICS_SAID);
}

/// By hand: 9 + 1 + 8 + 2 + 5 = 25; 16 + 16 + 9 + 9 + 0 = 50. Then the same items, negated.
const STATISTICS_SAID: &str = "5 10 5\n-5 10 -5\n-2147483648 0 -2147483648\n";

const STATISTICS_H: &str = r#"
#ifndef STATISTICS_H
#define STATISTICS_H

#include <module.h>

/* The mean, rounded towards 0; 0 of no items. */
WEIGHTWARE_FUNCTION("statistics", mean)
int32_t statistics_mean(const int32_t *items, uint32_t count);

/* The mean of the squares of the differences from the mean, rounded down; 0 of no items. */
WEIGHTWARE_FUNCTION("statistics", variance)
uint64_t statistics_variance(const int32_t *items, uint32_t count);

/* Sorts the items, and returns that of rank count / 2, counted from 0; 0 of no items. */
WEIGHTWARE_FUNCTION("statistics", median)
int32_t statistics_median(int32_t *items, uint32_t count);

#endif
"#;

const STATISTICS_C: &str = r#"
#include "statistics.h"

int32_t statistics_mean(const int32_t *items, uint32_t count) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += items[i];
    return count == 0 ? 0 : (int32_t)(sum / (int64_t)count);
}

uint64_t statistics_variance(const int32_t *items, uint32_t count) {
    int64_t mean = statistics_mean(items, count);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t difference = items[i] - mean;
        sum += (uint64_t)(difference * difference);
    }
    return count == 0 ? 0 : sum / count;
}

int32_t statistics_median(int32_t *items, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        int32_t item = items[i];
        uint32_t at = i;
        for (; at > 0 && items[at - 1] > item; at--) items[at] = items[at - 1];
        items[at] = item;
    }
    return count == 0 ? 0 : items[count / 2];
}
"#;

const STATISTICS_MAIN: &str = r#"
#include <statistics/statistics.h>

__attribute__((import_module("env"), import_name("putchar"))) void put(int byte);

static void print(int64_t value) {
    char digits[20];
    int count = 0;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do digits[count++] = '0' + rest % 10;
    while ((rest /= 10) > 0);
    if (value < 0) put('-');
    while (count > 0) put(digits[--count]);
}

static void describe(int32_t *items, uint32_t count) {
    print(statistics_mean(items, count));
    put(' ');
    print((int64_t)statistics_variance(items, count));
    put(' ');
    print(statistics_median(items, count));
    put('\n');
}

int main(void) {
    int32_t items[] = {9, 1, 8, 2, 5}, least[] = {INT32_MIN, INT32_MIN};
    describe(items, 5);
    for (int i = 0; i < 5; i++) items[i] = -items[i];
    describe(items, 5);
    describe(least, 2);
    return 0;
}
"#;
