//! The candle forward pass of general folders: models small enough for a pencil, random models of
//! every kind against plain loops over scalars, and errors.
#![allow(unreachable_pub)]

mod general;

use general::{CONTEXT, Folder, VOCAB, configs, reference, tokens};
use serde_json::{Value, json};
use weightware_candle::{Error, GeneralForward};

fn load(folder: &Folder) -> Result<GeneralForward, Error> {
    let dir = tempfile::tempdir().unwrap();
    folder.write(dir.path());
    GeneralForward::load(dir.path())
}

fn assert_near(is: &[Vec<f64>], must: &[Vec<f64>], tolerance: f64, about: &dyn std::fmt::Display) {
    assert_eq!(is.len(), must.len(), "{about}");
    for (t, (is, must)) in is.iter().zip(must).enumerate() {
        assert_eq!(is.len(), must.len(), "{about}");
        for (is, must) in is.iter().zip(must) {
            let difference = (is - must).abs() / must.abs().max(1.0);
            assert!(
                difference < tolerance,
                "position {t}: {is}, not {must}\n{about}"
            );
        }
    }
}

/// A model of one layer whose weights are 0, except the unembedding, which is the identity, and the
/// embedding; the test sets the rest.
fn small(keys: Value, embedding: [[f64; 2]; 2]) -> Folder {
    let mut config = json!({
        "architecture": "transformer", "layers": 1, "d_model": 2, "heads": 1, "head_dim": 2,
        "d_ffn": 1, "vocab": 2, "dtype": "float64", "norm": "none", "activation": "relu",
        "bias": false, "positions": {"kind": "none"}, "tied_embeddings": false,
    });
    for (key, value) in keys.as_object().unwrap() {
        config[key] = value.clone();
    }
    let mut folder = Folder::random(config, 0);
    for tensor in folder.tensors.values_mut() {
        tensor.entries.fill(0.0);
    }
    folder.set("tok.weight", embedding.as_flattened());
    folder.set("head.weight", &[1.0, 0.0, 0.0, 1.0]);
    folder
}

fn assert_logits(folder: &Folder, tokens: &[u32], must: &[[f64; 2]]) {
    let is = load(folder).unwrap().logits(tokens).unwrap();
    let must: Vec<Vec<f64>> = must.iter().map(|row| row.to_vec()).collect();
    assert_near(&is, &must, 1e-15, &folder.config);
}

#[test]
fn norms_by_hand() {
    // The mean of squares of (1, 7) is 25, its mean 4, its variance 9.
    let mut rms = small(
        json!({"norm": "rms", "norm_epsilon": 11.0}),
        [[1.0, 7.0]; 2],
    );
    rms.set("norm.weight", &[6.0, 12.0]);
    assert_logits(&rms, &[0], &[[1.0, 14.0]]);
    let mut layer = small(
        json!({"norm": "layer", "norm_epsilon": 7.0}),
        [[1.0, 7.0]; 2],
    );
    layer.set("norm.weight", &[4.0, 8.0]);
    layer.set("norm.bias", &[0.5, -0.5]);
    assert_logits(&layer, &[0], &[[-2.5, 5.5]]);
}

#[test]
fn activations_by_hand() {
    // The neuron reads x0 (and, if it is gated, x1 as its value) and writes to slot 1.
    let logits = |activation: &str, rows: &[f64]| {
        let mut folder = small(json!({"activation": activation}), [[1.0, 3.0], [-1.0, 3.0]]);
        folder.set("ff_in.0.weight", rows);
        folder.set("ff_out.0.weight", &[0.0, 1.0]);
        let rows = load(&folder).unwrap().logits(&[0, 1]).unwrap();
        [rows[0][1] - 3.0, rows[1][1] - 3.0]
    };
    let assert_is = |is: [f64; 2], must: [f64; 2]| {
        let near = |i: usize| (is[i] - must[i]).abs() < 1e-14;
        assert!(near(0) && near(1), "{is:?}, not {must:?}");
    };
    assert_is(logits("relu", &[1.0, 0.0]), [1.0, 0.0]);
    let phi = 0.841_344_746_068_542_9; // the normal distribution function at 1
    assert_is(logits("gelu", &[1.0, 0.0]), [phi, phi - 1.0]);
    let gate_and_value = [1.0, 0.0, 0.0, 1.0];
    assert_is(logits("gated_relu", &gate_and_value), [3.0, 0.0]);
    let sigmoid = 0.731_058_578_630_004_9; // at 1
    assert_is(
        logits("swiglu", &gate_and_value),
        [3.0 * sigmoid, 3.0 * (sigmoid - 1.0)],
    );
}

#[test]
fn attention_by_hand() {
    // Without queries all weights are equal: the head adds the mean of the embeddings so far.
    let identity = [1.0, 0.0, 0.0, 1.0];
    let mean = |keys: Value| {
        let mut folder = small(keys, [[4.0, 0.0], [0.0, 2.0]]);
        folder.set(
            "attn.0.in_proj_weight",
            &[&[0.0; 8][..], &identity].concat(),
        );
        folder.set("attn.0.out_proj.weight", &identity);
        folder
    };
    let means = [[8.0, 0.0], [2.0, 3.0], [4.0 / 3.0, 2.0 + 4.0 / 3.0]];
    assert_logits(&mean(json!({})), &[0, 1, 1], &means);

    // Head 0 has the mean a of slot 0, head 1 the mean b of slot 1: slot 0 gets a, slot 1 gets ab.
    let product = mean(json!({"heads": 2, "head_dim": 1, "head_product": true}));
    let products = [[8.0, 0.0], [2.0, 2.0 + 2.0 * 1.0]];
    assert_logits(&product, &[0, 1], &products);

    // Queries and keys are slot 0, so token 0 has the score 16 scale temperature for itself.
    let mut sharp = mean(json!({"score_scale": 0.25, "temperature": true}));
    let first = [1.0, 0.0, 0.0, 0.0];
    sharp.set("attn.0.in_proj_weight", &[first, first, identity].concat());
    sharp.set("attn.0.temperature", &[2.0_f64.ln() / 4.0]);
    let weight = 2.0 / 3.0; // token 0 scores ln 2 for itself, and 0 for token 1
    assert_logits(
        &sharp,
        &[1, 0],
        &[[0.0, 4.0], [4.0 + 4.0 * weight, 2.0 * (1.0 - weight)]],
    );
}

#[test]
fn positions_by_hand() {
    let zero = [[0.0; 2]; 2];
    let waves = |t: f64| [t.sin(), t.cos()];
    let sinusoidal = small(json!({"positions": {"kind": "sinusoidal"}}), zero);
    assert_logits(
        &sinusoidal,
        &[0, 0, 1],
        &[waves(0.0), waves(1.0), waves(2.0)],
    );
    let features = json!([{"slot": 1, "coefficients": [1.0, 2.0, 3.0]}]);
    let keys = json!({"positions": {"kind": "polynomial", "features": features}});
    assert_logits(
        &small(keys, zero),
        &[0, 0, 0],
        &[[0.0, 1.0], [0.0, 6.0], [0.0, 17.0]],
    );
    let mut learned = small(
        json!({"positions": {"kind": "learned", "context": 2}}),
        zero,
    );
    learned.set("positions.weight", &[1.0, 2.0, 3.0, 4.0]);
    assert_logits(&learned, &[1, 0], &[[1.0, 2.0], [3.0, 4.0]]);

    // Equal queries and keys (1, 0): the score of a key is the cosine of the distance.
    let mut rotary = small(
        json!({"positions": {"kind": "rotary"}, "score_scale": 1.0}),
        [[1.0, 0.0], [1.0, 1.0]],
    );
    let (first, second) = ([1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]);
    rotary.set("attn.0.in_proj_weight", &[first, first, second].concat());
    rotary.set("attn.0.out_proj.weight", &[0.0, 0.0, 1.0, 0.0]);
    let weight = 2.0_f64.cos().exp() / (2.0_f64.cos().exp() + 1.0_f64.cos().exp() + 1.0_f64.exp());
    let rows = load(&rotary).unwrap().logits(&[1, 0, 0]).unwrap();
    assert!((rows[2][1] - weight).abs() < 1e-15, "{rows:?}, {weight}");
}

#[test]
fn agrees_with_scalar_loops() {
    for dtype in ["float64", "float32"] {
        for (seed, config) in (1..).zip(configs(dtype)) {
            let folder = Folder::random(config, seed);
            let must = reference::logits(&folder, &tokens(40));
            let model = load(&folder).unwrap();
            let is = model.logits(&tokens(40)).unwrap();
            let tolerance = if dtype == "float64" { 1e-13 } else { 1e-5 };
            assert_near(&is, &must, tolerance, &folder.config);
            let wide = model.in_f64().unwrap().logits(&tokens(40)).unwrap();
            assert_near(&wide, &must, 1e-13, &folder.config);
        }
    }
}

#[test]
fn blocks_of_rows_fit_together() {
    for (seed, config) in (1..).zip(configs("float64")).step_by(5) {
        let folder = Folder::random(config, seed);
        let model = load(&folder).unwrap();
        for length in [1, 63, 64, 65, CONTEXT] {
            let must = reference::logits(&folder, &tokens(length));
            assert_near(
                &model.logits(&tokens(length)).unwrap(),
                &must,
                1e-13,
                &length,
            );
        }
    }
}

#[test]
fn greedy_repeats_the_prediction_and_stops_at_an_end_token() {
    // An unembedding that is the embedding tends to repeat its token, which would show little.
    let is_telling = |config: &&Value| config["tied_embeddings"] == false;
    let config = configs("float32").iter().rfind(is_telling).unwrap().clone();
    let mut folder = Folder::random(config, 5);
    let prompt = tokens(4);
    let free = load(&folder).unwrap().greedy(&prompt, 20).unwrap();
    assert_eq!(free.len(), 20);
    let whole = [prompt.as_slice(), &free].concat();
    let said = load(&folder).unwrap().predict_all(&whole).unwrap();
    for (prediction, token) in said[prompt.len() - 1..].iter().zip(&free) {
        assert_eq!(prediction.token, *token);
    }
    folder.end_tokens = vec![free[3]];
    let first = free.iter().position(|&token| token == free[3]).unwrap();
    let ended = load(&folder).unwrap();
    assert_eq!(ended.greedy(&prompt, 20).unwrap(), free[..=first]);
    assert_eq!(ended.end_tokens(), [free[3]]);
    assert!(ended.greedy(&[], 1).is_err());
}

#[test]
fn refuses_bad_folders() {
    let refused = |change: &dyn Fn(&mut Folder)| {
        let mut folder = Folder::random(configs("float64")[5].clone(), 8);
        change(&mut folder);
        let error = load(&folder).unwrap_err();
        assert!(error.path().is_some(), "{error}");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    };
    let key =
        |key: &'static str, value: Value| refused(&|folder| folder.config[key] = value.clone());
    let feature = |slot| json!({"slot": slot, "coefficients": [0.0, 1.0, 0.0]});
    let polynomial = |features: Value| json!({"kind": "polynomial", "features": features});
    for (error, must) in [
        (key("dropout", json!(0.1)), "unknown field `dropout`"),
        (
            key("positions", json!({"kind": "none", "scale": 2})),
            "unknown field `scale`",
        ),
        (
            key("positions", json!({"kind": "rotary", "scale": 2})),
            "unknown field `scale`",
        ),
        (
            key(
                "positions",
                polynomial(json!([{"slot": 0, "coefficients": [0, 0, 0], "cubic": 1}])),
            ),
            "unknown field `cubic`",
        ),
        (
            key("positions", polynomial(json!([feature(99)]))),
            "in slot 99",
        ),
        (
            key("positions", polynomial(json!([feature(1), feature(1)]))),
            "slot 1 has two",
        ),
        (
            key("positions", json!({"kind": "learned", "context": 0})),
            "positions.context is 0",
        ),
        (
            key("positions", json!({"kind": "rotary", "base": -1})),
            "positions.base is -1",
        ),
        (
            key("architecture", json!("encoder")),
            "architecture is neither",
        ),
        (key("norm_epsilon", json!(0.0)), "norm_epsilon is 0"),
        (key("score_scale", json!(-1.0)), "score_scale is -1"),
        (key("d_ffn", json!([1])), "d_ffn has 1 numbers for 2 layers"),
        (key("d_ffn", json!([1, 0])), "d_ffn is 0"),
        (
            key("d_ffn", json!(u64::MAX)),
            "d_ffn is 18446744073709551615",
        ),
        (key("heads", json!(0)), "heads is 0"),
        (key("dtype", json!("float16")), "unknown variant `float16`"),
        (
            refused(&|folder| drop(folder.tensors.remove("norm.weight"))),
            "tensor norm.weight is missing",
        ),
        (
            refused(&|folder| {
                let extra = folder.tensors["tok.weight"].clone();
                folder.tensors.insert("extra".into(), extra);
            }),
            "tensor extra has no place",
        ),
    ] {
        assert!(error.contains(must), "{error:?} does not say {must:?}");
    }
}

#[test]
fn refuses_tensors_of_another_format() {
    let dir = tempfile::tempdir().unwrap();
    let mut folder = Folder::random(configs("float64")[5].clone(), 8);
    folder.write(dir.path());
    folder.config["dtype"] = json!("float32");
    let config = folder.config.to_string();
    std::fs::write(dir.path().join("config.json"), config).unwrap();
    let error = GeneralForward::load(dir.path()).unwrap_err();
    assert!(
        error.to_string().contains("is F64 [7, 8], not F32"),
        "{error}"
    );
}

#[test]
fn refuses_bad_tokens_and_long_sequences() {
    let learned = Folder::random(configs("float64")[4].clone(), 9);
    let model = load(&learned).unwrap();
    assert_eq!((model.vocab(), model.longest()), (VOCAB, Some(CONTEXT)));
    assert!(model.logits(&[]).unwrap().is_empty());
    let error = model.logits(&[0, VOCAB as u32]).unwrap_err();
    assert_eq!(error.position(), Some(1));
    let error = model.logits(&tokens(CONTEXT + 1)).unwrap_err();
    assert_eq!(error.position(), Some(CONTEXT), "{error}");
}
