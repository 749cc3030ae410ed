//! Folders written and read back, and folders that must be refused.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use weightware_model::{
    Attention, Config, KeyBound, LayerWeights, Matrix, Model, PositionFeature, Shape, TokenId,
    Tokenizer, Weights, position_embedding,
};

fn matrix(rows: usize, cols: usize, mut number: impl FnMut() -> f64) -> Matrix {
    Matrix {
        rows,
        cols,
        entries: (0..rows * cols).map(|_| number()).collect(),
    }
}

fn model(shape: Shape, mut number: impl FnMut() -> f64) -> Model {
    let Shape {
        layers,
        d_model: d,
        d_ffn: f,
        vocab,
        heads,
    } = shape;
    let coefficients = [number(), number(), number()];
    Model {
        config: Config {
            shape,
            attention: Attention::Hardmax,
            position_features: vec![PositionFeature {
                slot: d - 1,
                coefficients,
            }],
            profile: Some("stock".to_owned()),
            modules: Some(vec!["core".to_owned(), "bits".to_owned()]),
            context: Some(1000),
            last_position: u64::MAX,
            key_bounds: vec![KeyBound {
                layer: layers - 1,
                head: heads - 1,
                max_abs_x: number(),
                max_lift: number(),
            }],
        },
        weights: Weights {
            tok: matrix(vocab, d, &mut number),
            layers: (0..layers)
                .map(|_| LayerWeights {
                    in_proj: matrix(3 * d, d, &mut number),
                    out_proj: matrix(d, d, &mut number),
                    ff_in: matrix(2 * f, d, &mut number),
                    ff_out: matrix(d, f, &mut number),
                })
                .collect(),
            head: matrix(vocab, d, &mut number),
        },
        tokenizer: Tokenizer::new((0..vocab).map(|i| format!("t{i}\"é\\")).collect()),
        end_tokens: vec![TokenId(vocab as u32 - 1)],
    }
}

fn small() -> Model {
    let mut i = 0.0;
    let shape = Shape {
        layers: 2,
        d_model: 4,
        heads: 2,
        d_ffn: 3,
        vocab: 5,
    };
    model(shape, || {
        i += 0.25;
        i
    })
}

/// The model with other numbers of neurons in its layers.
fn uneven(mut model: Model, neurons: &[usize], mut number: impl FnMut() -> f64) -> Model {
    let d = model.config.shape.d_model;
    for (layer, &f) in model.weights.layers.iter_mut().zip(neurons) {
        layer.ff_in = matrix(2 * f, d, &mut number);
        layer.ff_out = matrix(d, f, &mut number);
    }
    let layers = model.weights.layers.iter().map(LayerWeights::neurons);
    model.config.shape.d_ffn = layers.max().unwrap();
    model
}

fn bits(model: &Model) -> Vec<u64> {
    let weights = &model.weights;
    let mut all = vec![&weights.tok, &weights.head];
    for layer in &weights.layers {
        all.extend([&layer.in_proj, &layer.out_proj, &layer.ff_in, &layer.ff_out]);
    }
    all.iter()
        .flat_map(|m| m.entries.iter().map(|w| w.to_bits()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn round_trip(
        layers in 1usize..4,
        heads in 1usize..5,
        neurons in prop::collection::vec(1usize..6, 3),
        vocab in 1usize..9,
        numbers in prop::collection::vec(
            prop_oneof![any::<f64>().prop_filter("finite", |x| x.is_finite()), Just(0.0), Just(-0.0), Just(5e-324)],
            1..50,
        ),
    ) {
        let neurons = &neurons[..layers];
        let shape = Shape { layers, d_model: 2 * heads, heads, d_ffn: 1, vocab };
        let mut numbers = numbers.into_iter().cycle();
        let mut number = || numbers.next().unwrap_or(0.0);
        let model = uneven(model(shape, &mut number), neurons, &mut number);
        let dir = tempfile::tempdir().unwrap();
        model.save(dir.path()).unwrap();
        let back = Model::load(dir.path()).unwrap();
        prop_assert_eq!(&back, &model);
        prop_assert_eq!(bits(&back), bits(&model));

        // Equal layers are one number, as in folders of models that have only such layers.
        let text = fs::read_to_string(dir.path().join("config.json")).unwrap();
        let config: serde_json::Value = serde_json::from_str(&text).unwrap();
        let stated = match neurons.iter().all(|&own| own == neurons[0]) {
            true => serde_json::json!(neurons[0]),
            false => serde_json::json!(neurons),
        };
        prop_assert_eq!(&config["d_ffn"], &stated);

        // A model always gives the same bytes.
        let twin = tempfile::tempdir().unwrap();
        back.save(twin.path()).unwrap();
        for entry in fs::read_dir(dir.path()).unwrap() {
            let name = entry.unwrap().file_name();
            prop_assert_eq!(fs::read(dir.path().join(&name)).unwrap(), fs::read(twin.path().join(&name)).unwrap());
        }
    }

    #[test]
    fn damaged_files_do_not_panic(
        file in 0usize..4,
        at in any::<prop::sample::Index>(),
        byte: u8,
        cut: bool,
        even: bool,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let model = if even { small() } else { small_uneven() };
        model.save(dir.path()).unwrap();
        let path = dir.path().join(FILES[file]);
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        fs::write(&path, bytes).unwrap();
        if let Ok(model) = Model::load(dir.path()) {
            model.validate().unwrap();
        }
    }
}

const FILES: [&str; 4] = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "generation_config.json",
];

/// A model whose layers have 3 and 2 neurons.
fn small_uneven() -> Model {
    uneven(small(), &[3, 2], || 0.5)
}

/// Replaces `from` by `to` in one file of a good folder; the error must name that file, or
/// `blamed`, and contain `says`.
#[track_caller]
fn refuses(file: &str, from: &str, to: &str, blamed: &str, says: &str) {
    refuses_of(&small(), file, from, to, blamed, says);
}

/// Edits a file of another model's folder, as [`refuses`] does for the default one.
#[track_caller]
fn refuses_of(model: &Model, file: &str, from: &str, to: &str, blamed: &str, says: &str) {
    let dir = tempfile::tempdir().unwrap();
    model.save(dir.path()).unwrap();
    let path = dir.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let error = Model::load(dir.path()).unwrap_err();
    assert_eq!(
        error.path().and_then(Path::file_name),
        Some(blamed.as_ref()),
        "{error}"
    );
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn hostile_configs_are_refused() {
    let config = |from, to, says| refuses("config.json", from, to, "config.json", says);
    config("\"layers\": 2", "\"layers\": 0", "layers");
    config("\"layers\": 2", "\"layers\": -2", "invalid");
    config(
        "\"layers\": 2",
        "\"layers\": 18446744073709551615",
        "layers",
    );
    config("\"d_model\": 4", "\"d_model\": 6", "2 * heads");
    config("\"d_ffn\": 3", "\"d_ffn\": 9223372036854775807", "d_ffn");
    config("\"float64\"", "\"float16\"", "dtype");
    config("\"hardmax\"", "\"sparse\"", "unknown variant");
    config("\"slot\": 3", "\"slot\": 4", "d_model");
    config("\"head\": 1", "\"head\": 2", "head");
    config("0.25", "1e999", "out of range");
    config("vanilla", "chocolate", "architecture");
    refuses(
        "config.json",
        "\"layers\": 2",
        "\"layers\": 3",
        "model.safetensors",
        "attn.2.in_proj_weight",
    );
    refuses(
        "config.json",
        "\"layers\": 2",
        "\"layers\": 1",
        "config.json",
        "key_bounds",
    );
    refuses(
        "config.json",
        "\"vocab\": 5",
        "\"vocab\": 16777216",
        "tokenizer.json",
        "vocab",
    );
}

/// A list of neurons that no model has, and one that the matrices do not have.
#[test]
fn hostile_numbers_of_neurons_are_refused() {
    let list = "\"d_ffn\": [\n    3,\n    2\n  ]";
    let stated = |to: &str, blamed, says| {
        let to = format!("\"d_ffn\": {to}");
        refuses_of(&small_uneven(), "config.json", list, &to, blamed, says);
    };
    let config = "config.json";
    for (to, says) in [
        ("[]", "d_ffn has 0 numbers for 2 layers"),
        ("[3]", "d_ffn has 1 numbers for 2 layers"),
        ("[3, 2, 2]", "d_ffn has 3 numbers for 2 layers"),
        ("[0, 2]", "d_ffn[0] = 0 is not within 1 to 16777216"),
        ("[3, 0]", "d_ffn[1] = 0 is not within 1 to 16777216"),
        ("[3, 16777217]", "d_ffn[1] = 16777217 is not within"),
        (
            "[18446744073709551615, 2]",
            "d_ffn[0] = 18446744073709551615",
        ),
        ("0", "d_ffn = 0 is not within"),
        ("16777217", "d_ffn = 16777217 is not within"),
        ("[3, -2]", "a number of neurons, or a list"),
        ("[3, 2.5]", "a number of neurons, or a list"),
        ("[3, [2]]", "a number of neurons, or a list"),
        ("[3, null]", "a number of neurons, or a list"),
        ("{\"0\": 3}", "a number of neurons, or a list"),
        ("\"3\"", "a number of neurons, or a list"),
    ] {
        stated(to, config, says);
    }
    let tensors = "model.safetensors";
    for (to, says) in [
        ("[2, 3]", "\"ff_in.0.weight\" is [6, 4], must be [4, 4]"),
        ("[3, 3]", "\"ff_in.1.weight\" is [4, 4], must be [6, 4]"),
        ("3", "\"ff_in.1.weight\" is [4, 4], must be [6, 4]"),
        ("[3, 16777216]", "must be [33554432, 4]"),
    ] {
        stated(to, tensors, says);
    }
    // A list of equal numbers is as good as one number.
    let dir = tempfile::tempdir().unwrap();
    small().save(dir.path()).unwrap();
    let path = dir.path().join(config);
    let text = fs::read_to_string(&path).unwrap();
    let listed = text.replace("\"d_ffn\": 3", "\"d_ffn\": [3, 3]");
    assert_ne!(listed, text);
    fs::write(&path, listed).unwrap();
    assert_eq!(Model::load(dir.path()).unwrap(), small());
}

#[test]
fn hostile_tokenizers_are_refused() {
    let tokenizer = |from, to, says| refuses("tokenizer.json", from, to, "tokenizer.json", says);
    tokenizer("\"t1", "\"t0", "t0");
    tokenizer("\"t1", "\"t 1", "white space");
    tokenizer(": 4", ": 3", "twice");
    tokenizer(": 4", ": 4294967295", "not below 5");
    tokenizer("WordLevel", "BPE", "model.type");
    tokenizer("<unk>", "t0\\\"é\\\\", "unk_token");
    tokenizer("\"added_tokens\": []", "\"added_tokens\": [1]", "");
    let end = "generation_config.json";
    refuses(end, "4", "5", end, "end token 5");
}

#[test]
fn hostile_tensors_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    small().save(dir.path()).unwrap();
    let good = fs::read(&path).unwrap();

    let mut wild = good.clone();
    let last = wild.len() - 8;
    wild[last..].copy_from_slice(&f64::NAN.to_le_bytes());
    fs::write(&path, wild).unwrap();
    let error = Model::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("not finite"), "{error}");

    for renamed in [
        ("head.weight", "tail.weight"),
        ("\"F64\"", "\"I64\""),
        ("[5,4]", "[4,5]"),
    ] {
        let header = String::from_utf8_lossy(&good[..1000]).into_owned();
        let at = header.find(renamed.0).unwrap();
        let mut bytes = good.clone();
        bytes[at..at + renamed.1.len()].copy_from_slice(renamed.1.as_bytes());
        fs::write(&path, bytes).unwrap();
        let error = Model::load(dir.path()).unwrap_err();
        assert_eq!(error.path(), Some(path.as_path()), "{error}");
    }

    // The file has more layers than the config states, so tensors are superfluous.
    let mut deeper = small();
    deeper.config.shape.layers = 3;
    deeper.weights.layers.push(deeper.weights.layers[0].clone());
    let other = tempfile::tempdir().unwrap();
    deeper.save(other.path()).unwrap();
    fs::copy(other.path().join("model.safetensors"), &path).unwrap();
    let error = Model::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("does not belong"), "{error}");
}

#[test]
fn missing_files_are_named() {
    for file in FILES {
        let dir = tempfile::tempdir().unwrap();
        small().save(dir.path()).unwrap();
        fs::remove_file(dir.path().join(file)).unwrap();
        let error = Model::load(dir.path()).unwrap_err();
        assert!(error.is_io());
        assert_eq!(error.path(), Some(dir.path().join(file).as_path()));
    }
}

#[test]
fn inconsistent_models_are_not_saved() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("model");
    let spoil: [fn(&mut Model); 10] = [
        // The widest layer has 3 neurons.
        |m| m.config.shape.d_ffn = 4,
        |m| m.config.shape.d_ffn = 2,
        |m| *m = uneven(m.clone(), &[3, 0], || 0.5),
        // The two matrices of a layer disagree.
        |m| m.weights.layers[1].ff_out = Matrix::zeros(4, 2),
        |m| m.config.shape.vocab = 4,
        |m| m.weights.head.entries.truncate(3),
        |m| m.weights.layers[1].ff_in.rows = 1,
        |m| m.weights.tok.entries[2] = f64::INFINITY,
        |m| m.end_tokens.push(TokenId(5)),
        |m| {
            m.config
                .position_features
                .push(m.config.position_features[0])
        },
    ];
    for spoil in spoil {
        let mut model = small();
        spoil(&mut model);
        assert!(model.save(&target).is_err());
        assert!(!target.exists());
    }
}

#[test]
fn positions_are_polynomials() {
    let mut config = small().config;
    config.position_features[0].coefficients = [1.0, 2.0, -0.5];
    assert_eq!(position_embedding(&config, 0), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(position_embedding(&config, 10), [0.0, 0.0, 0.0, -29.0]);
}
