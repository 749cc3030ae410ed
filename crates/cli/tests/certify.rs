//! `certify`.

use crate::common::{SUM, file, folder, status, weightware};

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

    // What a program does to the boxes.
    let program = file(&folder, "sum.tok", SUM);
    let output = weightware(&["certify", "--json", "--model", model, &program]);
    assert_eq!(status(&output), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["program"]["end"], "it ended itself");
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
    assert_eq!(certify(&[&takes_none, "--", "one"]), Some(2));
}

/// A run that meets its horizon names the profile that goes further, which does.
#[test]
fn the_way_beyond_a_horizon() {
    let folder = folder("beyond");
    let text = "{ i32.const 40 0d 03 00 i32.const 61 00 00 00 i32.store8 00 00 00 ff i32.const 40 0d 03 00 \
                i32.load8_u 00 00 00 ff output 00 00 00 00 }";
    let program = file(&folder, "far.tok", text);
    let output = weightware(&["run", &program, "--json", "-"]);
    let text = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert_eq!(status(&output), Some(125), "{text}");
    assert!(text.contains("--profile far goes further"), "{text}");
    assert!(text.contains("\"profile\":\"far\""), "{text}");
    for option in [["--profile", "far"], ["--shape", "far"]] {
        let output = weightware(&[&["run", &program], &option[..]].concat());
        assert_eq!((status(&output), &output.stdout[..]), (Some(0), &b"a"[..]));
    }
}
