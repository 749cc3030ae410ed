//! `explain`, and the names and the card of a model folder.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::*;

/// The index of the byte 08 in the trace of [`SUM`].
const EIGHT: &str = "10";

/// The explanation of a token of [`SUM`], as JSON.
fn explained(sum: &str, more: &[&str]) -> Value {
    let done = weightware(&[&["explain", sum, "--json", "--token"], more].concat());
    assert_eq!(ended(&done, 0), "");
    serde_json::from_str(&stdout(&done)).expect("it is JSON")
}

/// The last value of each name that changed, over all half-layers.
fn last_values(json: &Value) -> impl Fn(&str) -> f64 + '_ {
    |name| {
        let half_layers = json["pass"]["half_layers"].as_array().expect("a list");
        let mut changes = half_layers
            .iter()
            .flat_map(|half| half["changed"].as_array().expect("a list"));
        let last = changes.rfind(|change| change["name"] == name);
        last.expect("it changed")["value"]
            .as_f64()
            .expect("a number")
    }
}

fn head<'j>(json: &'j Value, name: &str) -> &'j Value {
    let half_layers = json["pass"]["half_layers"].as_array().expect("a list");
    let mut heads = half_layers
        .iter()
        .flat_map(|half| half["heads"].as_array().expect("a list"));
    heads.find(|head| head["name"] == name).expect("it is live")
}

/// With `BLESS=1` in the environment, writes the golden file.
#[test]
fn a_sum_is_explained() {
    let folder = folder("explained");
    let sum = file(&folder, "sum.txt", SUM);
    let done = weightware(&["explain", &sum, "--token", EIGHT]);
    assert_eq!(ended(&done, 0), "");
    let text = stdout(&done);
    let columns = text.lines().map(|line| line.chars().count()).max();
    assert!(columns <= Some(100), "{columns:?} columns");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/explain-sum.txt");
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&golden, &text).expect("the golden file is written");
    }
    let expected = fs::read_to_string(&golden).expect("the golden file is there");
    assert_eq!(text, expected, "BLESS=1 writes it anew");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/explain.md");
    let page = fs::read_to_string(&page).expect("the page is there");
    let (_, example) = page.split_once("```text\n").expect("it has an example");
    let (example, _) = example.split_once("```").expect("the example ends");
    for section in example.trim_end().split("\n\n") {
        assert!(
            text.contains(section),
            "docs/explain.md shows other text:\n{section}"
        );
    }
    // From the end it is the same token.
    assert_eq!(
        stdout(&weightware(&["explain", &sum, "--token", "-7"])),
        text
    );
}

#[test]
fn json_says_what_was_added() {
    let folder = folder("explained-json");
    let sum = file(&folder, "sum.txt", SUM);
    let json = explained(&sum, &[EIGHT]);
    assert_eq!(json["token"], "08");
    assert_eq!(json["instruction"]["opcode"], "i32.add");
    assert_eq!(json["instruction"]["index"], 2);
    assert_eq!(json["line"]["number"], 2);
    assert_eq!(json["best"][0]["token"], "08");
    let value = last_values(&json);
    assert_eq!(
        [value("a"), value("b"), value("result"), value("end")],
        [3.0, 5.0, 8.0, 0.0]
    );
    // The first byte of line 0 and of line 1 are the operands.
    for (name, line, byte) in [("a", 0, "03"), ("b", 1, "05")] {
        let head = head(&json, name);
        assert_eq!(
            (&head["first"]["token"], &head["first"]["number"]),
            (&byte.into(), &line.into())
        );
        assert_eq!(head["winners"], 1);
        assert_eq!(
            head["query_index"].as_f64(),
            head["first"]["position"].as_f64()
        );
    }
    let fetch = head(&json, "fetch.class");
    assert_eq!(
        (&fetch["first"]["part"], &fetch["first"]["token"]),
        (&"instruction".into(), &"i32.add".into())
    );
}

#[test]
fn every_token_is_explained_by_every_engine() {
    let folder = folder("explained-engines");
    let sum = file(&folder, "sum.txt", SUM);
    let trace: Vec<_> = SUM_TRACE.split_whitespace().collect();
    for (token, index) in trace.iter().zip(0..) {
        let json = explained(&sum, &[&index.to_string()]);
        assert_eq!(json["token"], *token, "token {index}");
        assert!(json["margin"].as_f64() >= Some(1.0), "token {index}");
    }
    let mut hull = explained(&sum, &[EIGHT]);
    for engine in ["softmax", "hardmax"] {
        let mut json = explained(&sum, &[EIGHT, "--engine", engine]);
        assert_eq!(json["best"][0], hull["best"][0]);
        for name in ["a", "b", "and.low"] {
            assert_eq!(self::head(&json, name), self::head(&hull, name));
        }
        if engine == "hardmax" {
            json["engine"].take();
            hull["engine"].take();
            assert_eq!(json, hull);
        }
    }
}

#[test]
fn a_call_is_explained_with_its_function() {
    let folder = folder("explained-function");
    let module = r#"(module
        (import "env" "putchar" (func $putchar (param i32)))
        (func (export "main") (call $putchar (i32.const 33))))"#;
    let module = file(&folder, "shout.wat", module);
    for profile in ["stock", "far"] {
        let json = explained(&module, &["0", "--profile", profile]);
        let layers = if profile == "far" { 8 } else { 7 };
        let half_layers = json["pass"]["half_layers"].as_array().expect("a list");
        assert_eq!(half_layers.len(), 2 * layers + 1);
        assert_eq!(json["named"], true);
        assert!(
            json["instruction"]["function"]["name"].is_string(),
            "{}",
            json["instruction"]
        );
    }
}

#[test]
fn tokens_that_are_not_there_are_refused() {
    let folder = folder("explained-refused");
    let sum = file(&folder, "sum.txt", SUM);
    let trap = file(&folder, "trap.txt", TRAP);
    let refused = |args: &[&str]| ended(&weightware(&[&["explain"], args].concat()), 2);
    for token in ["17", "-18", "9223372036854775807", "-9223372036854775808"] {
        let said = refused(&[&sum, "--token", token]);
        assert!(
            said.contains("the run has 17 tokens, and the program halted"),
            "{said}"
        );
        assert!(said.contains("from 0 to 16, or from -17 to -1"), "{said}");
    }
    assert!(
        refused(&[&trap, "--token", "1"]).contains("the run has 1 token, and the program trapped")
    );
    for engine in ["plan", "jit"] {
        let said = refused(&[&sum, "--token", "0", "--engine", engine]);
        assert!(said.contains("use hull, softmax or hardmax"), "{said}");
    }
    refused(&[&sum]);
    refused(&[&sum, "--token", "first"]);
}

/// A model folder.
fn model(name: &str) -> (std::path::PathBuf, String) {
    let folder = folder(name);
    let model = string(&folder.join("model"));
    ended(&weightware(&["weights", "--out", &model]), 0);
    (folder, model)
}

#[test]
fn nothing_that_decodes_reads_names() {
    let (folder, model) = model("names");
    let sum = file(&folder, "sum.txt", SUM);
    let names = folder.join("model/names.json");
    let explain = ["explain", &sum, "--token", EIGHT, "--model", &model];
    let compiled = stdout(&weightware(&["explain", &sum, "--token", EIGHT]));
    let done = weightware(&explain);
    assert_eq!(ended(&done, 0), "");
    assert_eq!(stdout(&done), compiled);

    let whole = fs::read_to_string(&names).expect("it is text");
    let damaged = whole
        .replacen("latest_end", "\\u001b", 1)
        .replacen("\"index\"", "7", 1);
    let other = whole.replacen("\"format\": 1", "\"format\": 2", 1);
    for text in [
        Some(&whole[..100]),
        Some(&damaged),
        Some(&other),
        Some(""),
        None,
    ] {
        match text {
            Some(text) => fs::write(&names, text).expect("it is written"),
            None => fs::remove_file(&names).expect("it is removed"),
        }
        let done = weightware(&["trace", &sum, "--model", &model]);
        assert_eq!(ended(&done, 0), "");
        assert_eq!(stdout(&done), SUM_TRACE);
        let done = weightware(&explain);
        let said = ended(&done, 0);
        assert!(
            said.starts_with("slots and heads are shown by number: "),
            "{said}"
        );
        assert!(said.contains("names.json"), "{said}");
        let text = stdout(&done);
        assert!(
            text.contains("head 0") && text.contains("slot 9 = 8"),
            "{text}"
        );
        let done = weightware(&[&explain[..], &["--quiet"]].concat());
        assert_eq!((ended(&done, 0), stdout(&done)), (String::new(), text));
    }
}

#[test]
fn a_folder_has_a_card_and_keeps_the_readme_of_others() {
    let (folder, model) = model("card");
    let card = folder.join("model/README.md");
    let text = fs::read_to_string(&card).expect("it is text");
    let config = fs::read(folder.join("model/config.json")).expect("it is there");
    let config: Value = serde_json::from_slice(&config).expect("it is JSON");
    assert!(
        text.starts_with("---\nlicense:\n- mit\n- apache-2.0\ntags:\n"),
        "{text}"
    );
    for (title, key) in [
        ("layers", "layers"),
        ("`d_model`", "d_model"),
        ("tokens in the vocabulary", "vocab"),
        ("last certified position", "last_position"),
    ] {
        let row = format!("| {title} | {}", config[key]);
        assert!(text.contains(&row), "{row} in {text}");
    }
    let boxes = config["key_bounds"].as_array().expect("a list").len();
    assert_eq!(text.matches("| 0.9").count(), boxes);

    // A card of ours is written over, whichever profile it is of.
    ended(
        &weightware(&["weights", "--out", &model, "--profile", "far"]),
        0,
    );
    let far = fs::read_to_string(&card).expect("it is text");
    assert!(far.contains("| layers | 8 |"), "{far}");
    // Others' are not.
    fs::write(&card, "# My model\n").expect("it is written");
    let said = ended(&weightware(&["weights", "--out", &model]), 0);
    assert!(said.contains("README.md: kept"), "{said}");
    assert_eq!(
        fs::read_to_string(&card).expect("it is text"),
        "# My model\n"
    );
}
