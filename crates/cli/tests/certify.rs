//! `certify`.

mod common;

use common::{SUM, file, folder, status, weightware};

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
        "stated: position 16777215",
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
    // Two operands, counted from the least depth.
    assert!(
        deepest.clone().any(|index| index == -8190.0),
        "{:?}",
        deepest.collect::<Vec<_>>()
    );

    // A box four times as wide is stated, not proved.
    let config = format!("{model}/config.json");
    let text = std::fs::read_to_string(&config).expect("there");
    std::fs::write(&config, text.replace("163840.0", "655360.0")).expect("written");
    let output = weightware(&["certify", "--model", model]);
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    assert_eq!(status(&output), Some(1), "{text}");
    assert!(text.contains("NOT PROVED: layer"), "{text}");
}
