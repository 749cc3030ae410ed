//! Hostile folders.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use weightware_model::{
    Attention, Config, LayerWeights, Matrix, Model, Shape, TokenId, Tokenizer, Weights,
};

const FILES: [&str; 4] = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "generation_config.json",
];

fn good(dir: &Path) {
    let shape = Shape {
        layers: 1,
        d_model: 2,
        heads: 1,
        d_ffn: 1,
        vocab: 2,
    };
    let layer = LayerWeights {
        in_proj: Matrix::zeros(6, 2),
        out_proj: Matrix::zeros(2, 2),
        ff_in: Matrix::zeros(2, 2),
        ff_out: Matrix::zeros(2, 1),
    };
    let model = Model {
        config: Config {
            shape,
            attention: Attention::Hardmax,
            position_features: vec![],
            profile: None,
            modules: None,
            context: None,
            last_position: 10,
            key_bounds: vec![],
        },
        weights: Weights {
            tok: Matrix::zeros(2, 2),
            layers: vec![layer],
            head: Matrix::zeros(2, 2),
        },
        tokenizer: Tokenizer::new(vec!["a".into(), "b".into()]),
        end_tokens: vec![TokenId(1)],
    };
    model.save(dir).unwrap();
}

/// Loads a good folder with one file replaced: it must be consistent, or refused with that file's
/// name.
fn replaced(file: &str, bytes: &[u8]) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().unwrap();
    good(dir.path());
    fs::write(dir.path().join(file), bytes).unwrap();
    match Model::load(dir.path()) {
        Ok(model) => prop_assert!(model.validate().is_ok()),
        Err(error) => prop_assert!(
            error
                .path()
                .is_some_and(|path| path.starts_with(dir.path())),
            "{}",
            error
        ),
    }
    Ok(())
}

/// JSON with the keys of the files and values of wrong types.
fn json() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "layers",
        "d_model",
        "heads",
        "d_ffn",
        "vocab",
        "model",
        "type",
        "unk_token",
        "eos_token_id",
        "key_bounds",
        "position_features",
        "slot",
        "coefficients",
        "last_position",
        "max_abs_x",
        "architecture",
        "__metadata__",
        "tok.weight",
        "dtype",
        "shape",
        "data_offsets",
    ]);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("18446744073709551615".to_owned()),
        Just("-1".to_owned()),
        Just("1e308".to_owned()),
        Just("4294967296".to_owned()),
        Just("\"F64\"".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        Just("[0,18446744073709551608]".to_owned()),
        any::<u64>().prop_map(|number| number.to_string()),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let entry = (keys.clone(), inner.clone());
        prop_oneof![
            vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            vec(entry, 0..6).prop_map(|entries| {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn bytes_that_are_no_file(file in 0usize..4, bytes in vec(any::<u8>(), 0..200)) {
        replaced(FILES[file], &bytes)?;
    }

    #[test]
    fn json_of_something_else(file in 0usize..4, text in json()) {
        replaced(FILES[file], text.as_bytes())?;
    }

    #[test]
    fn headers_of_tensors(length in prop_oneof![any::<u64>(), 0u64..300], header in json(), data in vec(any::<u8>(), 0..64), honest: bool) {
        let length = if honest { header.len() as u64 } else { length };
        let bytes = [&length.to_le_bytes()[..], header.as_bytes(), &data].concat();
        replaced("model.safetensors", &bytes)?;
    }

    #[test]
    fn damaged_in_several_places(file in 0usize..4, damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let dir = tempfile::tempdir().unwrap();
        good(dir.path());
        let mut bytes = fs::read(dir.path().join(FILES[file])).unwrap();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        replaced(FILES[file], &bytes)?;
    }
}

#[test]
fn nesting_without_end() {
    for file in FILES {
        for opening in ["[", "{\"model\":", "{\"key_bounds\":["] {
            let text = opening.repeat(100_000);
            let header = [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
            replaced(file, text.as_bytes()).unwrap();
            replaced(file, &header).unwrap();
        }
    }
}

/// A small file that states a model of a thousand gigabytes is refused, without reserving memory of
/// that size.
#[test]
fn shapes_beyond_the_file() {
    let dir = tempfile::tempdir().unwrap();
    good(dir.path());
    let path = dir.path().join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"d_ffn\": 1", "\"d_ffn\": 65536"),
        ("\"layers\": 1", "\"layers\": 1024"),
        ("\"vocab\": 2", "\"vocab\": 16777216"),
        (
            "\"d_model\": 2,\n  \"heads\": 1",
            "\"d_model\": 65536,\n  \"heads\": 32768",
        ),
    ] {
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replace(from, to)).unwrap();
        let error = Model::load(dir.path()).unwrap_err();
        assert!(error.path().is_some(), "{error}");
    }
}
