//! Model folders: written, read, and those that are not the machine's.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::*;

/// The compiled model in a folder of its own.
fn model(name: &str) -> (PathBuf, String) {
    let folder = folder(name);
    let model = string(&folder.join("model"));
    let done = weightware(&["weights", "--out", &model]);
    let said = ended(&done, 0);
    for words in [
        "model.safetensors: ",
        "7 layers, d_model 36, 18 heads",
        "not zero",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    assert!(done.stdout.is_empty());
    (folder, model)
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("the file is text");
    assert!(text.contains(from));
    fs::write(path, text.replace(from, to)).expect("the file is written");
}

#[test]
fn a_written_model_runs_programs() {
    let (folder, model) = model("written");
    let sum = file(&folder, "sum.txt", SUM);
    let done = weightware(&["trace", &sum, "--model", &model]);
    assert_eq!(ended(&done, 0), "");
    assert_eq!(stdout(&done), SUM_TRACE);
    // Written over what is there.
    ended(&weightware(&["weights", "--out", &model]), 0);
    ended(&weightware(&["trace", &sum, "--model", &model]), 0);
}

#[test]
fn generation_gives_the_trace() {
    let (folder, model) = model("generated");
    let sum = file(&folder, "sum.txt", SUM);
    let prompt = stdout(&weightware(&["tokens", &sum, "--full"]));
    let trace = SUM_TRACE.trim_end().replace('\n', " ") + "\n";
    let generate = ["generate", "--model", &model, "--prompt"];

    let at = format!("@{}", file(&folder, "prompt.txt", &prompt));
    for engine in ["hull", "linear", "hardmax"] {
        let done = weightware(&[&generate[..], &[&at, "--engine", engine]].concat());
        assert_eq!(ended(&done, 0), "");
        assert_eq!(stdout(&done), trace, "{engine}");
    }
    let done = weightware(&[&generate[..], &[&prompt]].concat());
    assert_eq!(stdout(&done), trace);
    let done = weightware_with(&[&generate[..], &["-"]].concat(), prompt.as_bytes());
    assert_eq!(stdout(&done), trace);

    let done = weightware(&[&generate[..], &[&at, "--max-tokens", "3"]].concat());
    assert!(ended(&done, 124).starts_with("budget: "));
    assert_eq!(stdout(&done), "03 00 00\n");
}

#[test]
fn input_is_part_of_the_prompt() {
    let (folder, model) = model("input-prompt");
    let echo = file(&folder, "echo.wat", ECHO);
    let prompt = weightware_with(&["tokens", &echo, "--full"], b"hi").stdout;
    let done = weightware_with(&["generate", "--model", &model, "--prompt", "-"], &prompt);
    assert_eq!(ended(&done, 0), "");
    let trace = stdout(&done);
    let out: Vec<_> = trace
        .split_whitespace()
        .filter(|token| token.starts_with("out("))
        .collect();
    assert_eq!(out, ["out(68)", "out(69)"]);
}

#[test]
fn prompts_are_refused() {
    let (folder, model) = model("prompts");
    let missing = format!("@{}", string(&folder.join("missing")));
    let binary = format!("@{}", file(&folder, "binary", [0xff, 0xfe]));
    let generate = |prompt: &str| {
        ended(
            &weightware(&["generate", "--model", &model, "--prompt", prompt]),
            2,
        )
    };
    assert!(generate("<begin> hello").contains("word 1"));
    assert!(generate(" \n ").contains("no token"));
    assert!(generate(&missing).contains("missing"));
    generate(&binary);
}

#[test]
fn a_horizon_ends_a_run() {
    let (folder, model) = model("horizon");
    let config = folder.join("model/config.json");
    let sum = file(&folder, "sum.txt", SUM);
    edit(&config, "22000000", "347");
    let json = string(&folder.join("end.json"));
    let done = weightware(&["trace", &sum, "--model", &model, "--json", &json]);
    let said = ended(&done, 125);
    assert!(
        said.starts_with("horizon: stopped before position 348"),
        "{said}"
    );
    assert_eq!(stdout(&done), "03 00 00 00 commit(+1,sts=1,bt=0)\n05 00\n");
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(json).expect("it is there")).expect("it is JSON");
    assert_eq!(json["outcome"], "horizon");
    assert_eq!(json["horizon"]["position"], 348);

    edit(&config, "347", "100");
    let done = weightware(&["run", &sum, "--model", &model]);
    assert!(ended(&done, 125).contains("the prompt of 341 tokens is too long"));
    let prompt = stdout(&weightware(&["tokens", &sum, "--full"]));
    let done = weightware_with(
        &["generate", "--model", &model, "--prompt", "-"],
        prompt.as_bytes(),
    );
    assert!(ended(&done, 125).starts_with("horizon: "));
    assert_eq!(stdout(&done), "\n");
}

#[test]
fn models_of_other_machines_are_told_apart() {
    let (folder, model) = model("other");
    let sum = file(&folder, "sum.txt", SUM);
    // Ends where the machine goes on.
    let generation = folder.join("model/generation_config.json");
    let ends = fs::read_to_string(&generation).expect("the file is text");
    let end = ends
        .split(['[', ','])
        .nth(1)
        .expect("there is an end token")
        .trim();
    let tokenizer =
        fs::read_to_string(folder.join("model/tokenizer.json")).expect("the file is text");
    let out = tokenizer
        .lines()
        .find_map(|line| line.trim().strip_prefix("\"out(08)\": "))
        .expect("there is such a token");
    edit(&generation, end, out.trim_end_matches(','));
    let done = weightware(&["trace", &sum, "--model", &model]);
    assert!(ended(&done, 1).starts_with("error: after 16 tokens the model put out `out(08)`"));

    // Needs softmax.
    edit(
        &folder.join("model/config.json"),
        "\"hardmax\"",
        "\"softmax\"",
    );
    ended(&weightware(&["trace", &sum, "--model", &model]), 2);
    let prompt = stdout(&weightware(&["tokens", &sum, "--full"]));
    let generate = ["generate", "--model", &model, "--prompt", &prompt];
    assert!(ended(&weightware(&generate), 2).contains("softmax"));
    ended(&weightware(&[&generate[..], &["--force"]].concat()), 0);
    ended(
        &weightware(&[&generate[..], &["--engine", "linear"]].concat()),
        0,
    );

    // Has other tokens.
    edit(
        &folder.join("model/tokenizer.json"),
        "\"i32.add\"",
        "\"plus\"",
    );
    let said = ended(&weightware(&["trace", &sum, "--model", &model]), 2);
    assert!(
        said.contains("i32.add") && said.contains("weightware generate"),
        "{said}"
    );

    // Is broken.
    file(&folder.join("model"), "model.safetensors", [0xff; 100]);
    let said = ended(&weightware(&["trace", &sum, "--model", &model]), 2);
    assert!(said.contains("model.safetensors"), "{said}");
}
