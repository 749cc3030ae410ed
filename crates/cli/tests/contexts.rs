//! Programs that go on in further contexts.

use std::fs;

use serde_json::Value;

use crate::common::*;

/// Prints the letters from A to T. Between them it calls itself, with 64-bit values, and stores.
pub(crate) const LETTERS: &str = r#"(module
    (import "env" "putchar" (func $put (param i32)))
    (memory 1)
    (func $deep (param $n i32) (param $x i64) (result i64)
        (if (result i64) (i32.eqz (local.get $n))
            (then (local.get $x))
            (else (i64.add (i64.shl (local.get $x) (i64.const 3))
                (call $deep (i32.sub (local.get $n) (i32.const 1))
                    (i64.add (local.get $x) (i64.extend_i32_u (local.get $n))))))))
    (func (export "main") (result i32)
        (local $i i32) (local $h i64)
        (loop $on
            (i32.store (i32.mul (local.get $i) (i32.const 4)) (local.get $i))
            (local.set $h (i64.add (i64.mul (local.get $h) (i64.const 31))
                (call $deep (i32.const 5) (i64.extend_i32_u (local.get $i)))))
            (call $put (i32.add (i32.const 65) (local.get $i)))
            (br_if $on (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20))))
        (i32.wrap_i64 (local.get $h)))
    (func (export "pair") (param i32) (result i32 i64)
        (drop (call 2)) (local.get 0) (i64.const -7)))"#;
pub(crate) const OUTPUT: &str = "ABCDEFGHIJKLMNOPQRST";

/// The lowest 8 bits of what `main` returns.
pub(crate) const STATUS: i32 = 90;

/// Contexts in which the program turns some ten times.
pub(crate) const CONTEXT: [&str; 2] = ["--context", "1500"];

/// The JSON report on stderr.
pub(crate) fn report(said: &str) -> Value {
    let mut lines = said.lines();
    let json = lines.find_map(|line| serde_json::from_str(line).ok());
    json.expect("it is JSON")
}

fn number(json: &Value) -> u64 {
    json.as_u64().expect("it is a number")
}

/// The tokens of a trace, and where its contexts begin in it.
pub(crate) fn tokens(trace: &str) -> (Vec<&str>, Vec<usize>) {
    let (mut tokens, mut contexts) = (vec![], vec![0]);
    for line in trace.lines() {
        match line.starts_with('#') {
            true => contexts.push(tokens.len()),
            false => tokens.extend(line.split_whitespace()),
        }
    }
    (tokens, contexts)
}

/// The tokens of later contexts' prompts, as a trace has them.
fn later_prompts(trace: &str) -> impl Iterator<Item = u64> {
    let lines = trace
        .lines()
        .filter_map(|line| line.strip_prefix("# context "));
    lines.map(|line| {
        let mut numbers = line.split(' ').filter_map(|word| word.parse().ok());
        numbers.next().expect("a number")
    })
}

#[test]
fn contexts_change_nothing_that_a_program_does() {
    let folder = folder("contexts");
    let letters = file(&folder, "letters.wat", LETTERS);
    for (context, machine) in [
        ("200", &[][..]),
        ("1500", &["--engine", "hull"]),
        ("1500", &["--profile", "long"]),
        ("5000", &["--shape", "far"]),
        ("22000000", &[]),
    ] {
        let args = ["run", &letters, "--context", context, "--check"];
        let done = weightware(&[&args, machine].concat());
        assert_eq!(ended(&done, STATUS), "", "{context}");
        assert_eq!(stdout(&done), OUTPUT, "{context}");
    }
    let args = ["run", &letters, "--invoke", "pair", "3"];
    let done = weightware(&[&args, &CONTEXT[..]].concat());
    assert_eq!(ended(&done, 0), "");
    assert_eq!(stdout(&done), format!("{OUTPUT}3\n-7\n"));
}

#[test]
fn reports_count_turns_and_what_is_read_again() {
    let folder = folder("contexts-report");
    let letters = file(&folder, "letters.wat", LETTERS);
    let run = |more: &[&str]| {
        let args = ["run", &letters, "--json", "-", "--stats"];
        let done = weightware(&[&args, more].concat());
        let said = ended(&done, STATUS);
        (report(&said), said)
    };
    let (once, said) = run(&[]);
    assert!(
        said.contains("\ncontexts: 1; one is full after 3500000 tokens\n"),
        "{said}"
    );
    assert!(!said.contains("turns: "), "{said}");
    for key in ["turn_tokens", "reread_tokens"] {
        assert_eq!(once["contexts"][key], 0, "{key}");
    }

    let (json, said) = run(&CONTEXT);
    let contexts = &json["contexts"];
    let trace = stdout(&weightware(&[&["trace", &letters], &CONTEXT[..]].concat()));
    let (tokens, begins) = tokens(&trace);
    assert_eq!(number(&json["tokens"]), tokens.len() as u64);
    assert_eq!(number(&contexts["count"]), begins.len() as u64);
    assert!(begins.len() > 5, "{begins:?}");
    assert_eq!(contexts["last"], contexts["count"]);
    assert_eq!(contexts["length"], 1500);
    assert_eq!(json["prompt_tokens"], once["prompt_tokens"]);
    // Without its turns the trace has the tokens of one context.
    assert_eq!(
        number(&json["tokens"]) - number(&contexts["turn_tokens"]),
        number(&once["tokens"])
    );
    let prompts: Vec<u64> = later_prompts(&trace).collect();
    assert_eq!(
        number(&contexts["reread_tokens"]),
        prompts.iter().sum::<u64>()
    );
    let all = (number(&json["tokens"]) + number(&contexts["reread_tokens"])) as f64;
    for (share, count) in [
        ("turn_share", "turn_tokens"),
        ("reread_share", "reread_tokens"),
    ] {
        let share = contexts[share].as_f64().expect("a number");
        assert!((share * all - number(&contexts[count]) as f64).abs() < 0.5);
    }
    for words in [
        "one is full after 1500 tokens",
        &format!("program: {} tokens, ", once["tokens"]),
        &format!("turns: {} tokens, ", contexts["turn_tokens"]),
        &format!("later prompts: {} tokens in ", contexts["reread_tokens"]),
        "of the certified positions, in the longest context",
        "the saved state included",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    // The longest context, of all prompts and traces.
    let share = json["horizon_share"].as_f64().expect("a number");
    let longest = (share * 22_000_001.0).round() as u64;
    let ends = begins[1..].iter().copied().chain([tokens.len()]);
    let lengths = begins
        .iter()
        .zip(ends)
        .map(|(begin, end)| (end - begin) as u64);
    let prompts = std::iter::once(number(&json["prompt_tokens"])).chain(prompts);
    let positions = prompts.zip(lengths).map(|(prompt, length)| prompt + length);
    assert_eq!(positions.max(), Some(longest));
}

#[test]
fn a_trace_says_where_contexts_begin() {
    let folder = folder("contexts-trace");
    let letters = file(&folder, "letters.wat", LETTERS);
    let trace = stdout(&weightware(&[&["trace", &letters], &CONTEXT[..]].concat()));
    let lines: Vec<&str> = trace.lines().collect();
    let begins = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.starts_with('#'));
    for ((at, line), number) in begins.clone().zip(2..) {
        assert!(
            line.starts_with(&format!("# context {number}: prompt of ")),
            "{line}"
        );
        assert_eq!(lines[at - 1], "turned");
    }
    assert_eq!(
        begins.count(),
        lines.iter().filter(|line| **line == "turned").count()
    );
}

#[test]
fn a_token_of_a_later_context_is_explained() {
    let folder = folder("contexts-explained");
    let letters = file(&folder, "letters.wat", LETTERS);
    let trace = stdout(&weightware(&[&["trace", &letters], &CONTEXT[..]].concat()));
    let (all, contexts) = tokens(&trace);
    let third = contexts[2];
    let interrupted = all.iter().position(|token| *token == "interrupted");
    let interrupted = interrupted.expect("it is there");
    for (index, context, instruction) in [
        (interrupted, 1, Some(-3)),
        (interrupted + 1, 1, Some(-2)),
        (third - 1, 2, None),
        (third, 3, None),
        (third + 300, 3, None),
        (all.len() - 1, contexts.len(), None),
    ] {
        for number in [index.to_string(), format!("-{}", all.len() - index)] {
            let args = ["explain", &letters, "--json", "--token", &number];
            let done = weightware(&[&args, &CONTEXT[..]].concat());
            assert_eq!(ended(&done, 0), "");
            let json: Value = serde_json::from_str(&stdout(&done)).expect("it is JSON");
            assert_eq!(json["token"], all[index], "{number}");
            assert_eq!(json["index"], index);
            assert_eq!(json["context"], context, "{number}");
            // The interpreter confirms the trace.
            let executed = &json["instruction"]["index"];
            assert!(executed.is_i64(), "{json}");
            assert!(
                instruction.is_none_or(|index| *executed == index),
                "{executed}"
            );
        }
    }
    let args = ["explain", &letters, "--token", &third.to_string()];
    let text = stdout(&weightware(&[&args, &CONTEXT[..]].concat()));
    for words in ["  context      3; positions", "`turned` (saved line "] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let amid = contexts[1] - 2000;
    let args = ["explain", &letters, "--token", &amid.to_string()];
    let text = stdout(&weightware(&[&args, &CONTEXT[..]].concat()));
    assert!(
        text.lines().all(|line| line.chars().count() <= 160),
        "{text}"
    );
}

#[test]
fn contexts_that_make_no_sense() {
    let folder = folder("contexts-refused");
    let sum = file(&folder, "sum.txt", SUM);
    for (context, words) in [
        ("0", "a context has 1 token at least"),
        ("-1", "not negative"),
        ("1e3", "1000"),
        (
            "22000001",
            "the profile stock is exact up to position 22,000,000",
        ),
    ] {
        let said = ended(&weightware(&["run", &sum, "--context", context]), 2);
        assert!(said.contains(words), "{said}");
    }
    ended(
        &weightware(&[
            "run",
            &sum,
            "--context",
            "22000001",
            "--profile",
            "long",
            "--quiet",
        ]),
        0,
    );
    let said = ended(&weightware(&["run", &sum, "--context", "5"]), 0);
    assert!(
        said.contains(
            "--context has no effect: the program has one context, since a token program"
        ),
        "{said}"
    );
    let model = string(&folder.join("model"));
    ended(
        &weightware(&["weights", "--out", &model, "--context", "1500"]),
        0,
    );
    let config = fs::read_to_string(folder.join("model/config.json")).expect("it is there");
    assert!(config.contains("\"context\": 1500"), "{config}");
    let letters = file(&folder, "letters.wat", LETTERS);
    let done = weightware(&["run", &letters, "--model", &model, "--stats"]);
    assert!(ended(&done, STATUS).contains("one is full after 1500 tokens"));
    let said = ended(
        &weightware(&["run", &letters, "--model", &model, "--context", "9"]),
        2,
    );
    assert!(said.contains("a model folder is what it is"), "{said}");
}

#[test]
fn a_run_that_cannot_go_on_says_why() {
    let folder = folder("contexts-horizon");
    // A model that is exact for a few positions.
    let model = string(&folder.join("model"));
    ended(&weightware(&["weights", "--out", &model]), 0);
    let config = folder.join("model/config.json");
    let text = fs::read_to_string(&config).expect("it is there");
    fs::write(&config, text.replace("22000000", "5000")).expect("it is written");
    let endless = file(&folder, "loop.txt", LOOP);
    let said = ended(&weightware(&["run", &endless, "--model", &model]), 125);
    assert!(
        said.ends_with("; it does not go on in another context: a token program has no handler that saves its state\n"),
        "{said}"
    );
    let json = report(&ended(
        &weightware(&["run", &endless, "--model", &model, "--json", "-"]),
        125,
    ));
    assert!(json["contexts"]["why_one"].is_string(), "{json}");

    // The stores of one context.
    let stores = file(
        &folder,
        "stores.wat",
        "(module (memory 1) (func (export \"main\") (loop $on (i32.store8 (i32.const 5) (i32.const 1)) (br $on))))",
    );
    let args = ["run", &stores, "--context", "20000000"];
    let said = ended(&weightware(&args), 125);
    assert!(
        said.contains("written to memory 349,500 times")
            && said.ends_with("; --context 3500000 turns before\n"),
        "{said}"
    );
    let said = ended(
        &weightware(&["run", &stores, "--max-tokens", "6_000_000"]),
        124,
    );
    assert!(said.contains("budget"), "{said}");

    // Frames that are deeper than the memory has room.
    let deep = file(
        &folder,
        "deep.wat",
        "(module (memory 1) (func $deep (param $n i32) (result i32) (local $i i32)
            (if (i32.eqz (local.get $n)) (then
                (loop $on (br_if $on (i32.lt_u
                    (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
                (return (i32.const 5))))
            (i32.add (i32.const 1) (call $deep (i32.sub (local.get $n) (i32.const 1)))))
          (func (export \"main\") (param i32) (result i32) (call $deep (local.get 0))))",
    );
    let run = |depth: &str, more: &[&str]| {
        let args = ["run", &deep, "--invoke", "main", depth];
        weightware(&[&args, more].concat())
    };
    let done = run("1000", &["--context", "10000"]);
    ended(&done, 0);
    assert_eq!(stdout(&done), "1005\n");
    let said = ended(&run("5000", &["--context", "60000"]), 125);
    for words in [
        "the context is full, and the program's state comes to address 155,649",
        "call less deeply, or leave it more room by a smaller --memory; --shape far holds 8.0 MiB\n",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    ended(&run("5000", &[]), 0);

    // Memory that leaves no room.
    let full = file(
        &folder,
        "full.wat",
        "(module (memory 2) (func (export \"main\") (loop $on (br $on))))",
    );
    let info = |more: &[&str]| stdout(&weightware(&[&["info", &full], more].concat()));
    let text = info(&["--profile", "long"]);
    assert!(
        text.contains(
            "contexts  one: its memory leaves the machine no room for its state, and --shape far"
        ),
        "{text}"
    );
    assert!(
        info(&[])
            .contains("contexts  goes on in another one after 3,500,000 tokens; at its first jump")
    );
}

#[test]
fn info_knows_what_a_turn_takes() {
    let folder = folder("contexts-info");
    let letters = file(&folder, "letters.wat", LETTERS);
    let json = stdout(&weightware(&["info", &letters, "--json"]));
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    let turn = &json["contexts"]["turn"];
    // That is so in a run whose contexts end at their first jump.
    let args = ["trace", &letters, "--context", "1", "--max-tokens", "20000"];
    let trace = stdout(&weightware(&args));
    let (all, contexts) = tokens(&trace);
    let at = |token: &str| {
        all.iter()
            .position(|other| *other == token)
            .expect("it is there")
    };
    // The line of `interrupted` has five tokens.
    assert_eq!(
        number(&turn["saving_tokens"]),
        (at("turned") - at("interrupted") + 5) as u64
    );
    assert_eq!(
        number(&turn["restoring_tokens"]),
        (at("continued") + 1 - contexts[1]) as u64
    );
    let line = trace.lines().find(|line| line.starts_with("# context 2"));
    assert_eq!(
        line,
        Some(&*format!(
            "# context 2: prompt of {} tokens",
            turn["prompt_tokens"]
        ))
    );
}

#[test]
fn certify_covers_contexts() {
    let folder = folder("contexts-certified");
    let letters = file(&folder, "letters.wat", LETTERS);
    let done = weightware(&[&["certify", &letters, "--json"], &CONTEXT[..]].concat());
    let json: Value = serde_json::from_str(&stdout(&done)).expect("it is JSON");
    let contexts = &json["contexts"];
    assert_eq!(contexts["length"], 1500);
    assert_eq!(contexts["tokens_beside"], 22_000_001 - 1500);
    assert_eq!(contexts["stores_beside"], 349_500 - 1500 / 12);
    let program = &json["program"];
    assert!(number(&program["contexts"]) > 5);
    // All are followed to their ends, so that it is the longest.
    let args = ["run", &letters, "--json", "-"];
    let run = report(&ended(&weightware(&[&args, &CONTEXT[..]].concat()), STATUS));
    let share = run["horizon_share"].as_f64().expect("a number");
    assert_eq!(
        number(&program["position"]) + 1,
        (share * 22_000_001.0).round() as u64
    );
    assert_eq!(program["stock_position"]["both"], program["position"]);
    let text = stdout(&weightware(&["certify"]));
    for words in [
        "contexts: full after 3500000 tokens; a run of any length is covered, one context at a time",
        "assumed: ",
        "have at most 18500001 tokens, and make at most 57833 stores",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}
