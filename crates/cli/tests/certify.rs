//! `certify`.

use crate::common::*;

/// Writes to address 200,000 and reads it again.
const FAR: &str = "{ i32.const 40 0d 03 00 i32.const 61 00 00 00 i32.store8 00 00 00 ff i32.const 40 0d 03 00 \
                   i32.load8_u 00 00 00 ff output 00 00 00 00 }";

#[test]
fn a_folder_and_a_program() {
    let folder = folder("certify");
    let model = folder.join("model");
    let model = model.to_str().expect("text");
    assert_eq!(status(&weightware(&["weights", "--out", model])), Some(0));

    let output = weightware(&["certify", "--model", model]);
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    assert_eq!(status(&output), Some(0), "{text}");
    for line in [
        "exact hard-max: position",
        "first to fail: layer",
        "stated: position 22000000",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("NOT PROVED"), "{text}");

    // A program's use of the boxes.
    let program = file(&folder, "sum.tok", SUM);
    let output = weightware(&["certify", "--json", "--model", model, &program]);
    assert_eq!(status(&output), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["program"]["end"], "it halted");
    assert_eq!(json["program"]["outcome"], "halt");
    let reach = json["program"]["reach"].as_array().expect("an array");
    let deepest = reach.iter().filter_map(|head| head["index"][1].as_f64());
    assert_eq!(
        json["program"]["stock_position"]["both"],
        json["program"]["position"]
    );
    // Two operands, counted from the least depth.
    assert!(
        deepest.clone().any(|index| index == -8190.0),
        "{:?}",
        deepest.collect::<Vec<_>>()
    );

    // A box four times as wide is stated, not proved.
    let config = format!("{model}/config.json");
    let text = std::fs::read_to_string(&config).expect("there");
    std::fs::write(&config, text.replace("155648.0", "622592.0")).expect("written");
    let output = weightware(&["certify", "--model", model]);
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    assert_eq!(status(&output), Some(1), "{text}");
    assert!(text.contains("NOT PROVED: layer"), "{text}");
}

#[test]
fn profiles_and_shapes() {
    let folder = folder("profiles");
    for (option, name, layers) in [
        (["--profile", "stock"], "stock", 7),
        (["--profile", "long"], "long", 7),
        (["--shape", "far"], "far", 8),
    ] {
        let model = folder.join(name);
        let model = model.to_str().expect("text");
        let output = weightware(&[&["weights", "--out", model], &option[..]].concat());
        assert_eq!(status(&output), Some(0));
        let config = std::fs::read_to_string(format!("{model}/config.json")).expect("there");
        let config: serde_json::Value = serde_json::from_str(&config).expect("JSON");
        assert_eq!(
            (&config["profile"], &config["layers"]),
            (&name.into(), &layers.into())
        );
        assert_eq!(status(&weightware(&["certify", "--model", model])), Some(0));
        // A folder is what it is.
        let output = weightware(&[&["certify", "--model", model], &option[..]].concat());
        assert_eq!(status(&output), Some(2));
    }
}

#[test]
fn arguments_are_the_programs() {
    let wasm = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../programs/wasi/library.O2.wasm"
    );
    let certify = |args: &[&str]| status(&weightware(&[&["certify"], args].concat()));
    assert_eq!(certify(&["--", "one"]), Some(2));
    assert_eq!(certify(&[wasm, "--max-tokens", "20", "--", "one"]), Some(0));
    let folder = folder("arguments");
    let takes_none = file(&folder, "sum.tok", SUM);
    assert_eq!(certify(&[&takes_none, "--", "one"]), Some(0));
}

#[test]
fn how_a_program_ended_is_said() {
    let folder = folder("ended");
    for (text, end, outcome, code, trap) in [
        (SUM, "it halted", "halt", None, None),
        (
            "{ i32.const 00 00 00 00 exit 00 00 00 00 }",
            "it exited with code 0",
            "exit",
            Some(0),
            None,
        ),
        (
            "{ i32.const 07 01 00 00 exit 00 00 00 00 }",
            "it exited with code 263",
            "exit",
            Some(263),
            None,
        ),
        (
            TRAP,
            "it trapped: unreachable (unreachable)",
            "trap",
            None,
            Some("unreachable"),
        ),
        (LOOP, "stopped by --max-tokens", "budget", None, None),
        (FAR, "horizon: layer", "horizon", None, None),
    ] {
        let program = file(&folder, "program.tok", text);
        let done = weightware(&["certify", &program, "--max-tokens", "100"]);
        let table = stdout(&done);
        assert_eq!(ended(&done, 0), "");
        let line = table.lines().find(|line| line.starts_with("the program: "));
        assert!(
            line.is_some_and(|line| line.contains(&format!("; {end}"))),
            "{table}"
        );
        let done = weightware(&["certify", &program, "--max-tokens", "100", "--json"]);
        let json: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
        let told = &json["program"];
        assert!(
            told["end"]
                .as_str()
                .is_some_and(|said| said.starts_with(end)),
            "{told}"
        );
        assert_eq!(
            (
                told["outcome"].as_str(),
                told["code"].as_u64(),
                told["trap"].as_str()
            ),
            (Some(outcome), code, trap)
        );
    }
}

/// A run that meets its horizon names the profile that goes further, which does.
#[test]
fn the_way_beyond_a_horizon() {
    let folder = folder("beyond");
    let program = file(&folder, "far.tok", FAR);
    let output = weightware(&["run", &program, "--json", "-"]);
    let text = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert_eq!(status(&output), Some(125), "{text}");
    assert!(text.contains("; --shape far holds 8.0 MiB"), "{text}");
    assert!(text.contains("\"profile\":\"far\""), "{text}");
    for option in [["--profile", "far"], ["--shape", "far"]] {
        let output = weightware(&[&["run", &program], &option[..]].concat());
        assert_eq!((status(&output), &output.stdout[..]), (Some(0), &b"a"[..]));
    }
}
