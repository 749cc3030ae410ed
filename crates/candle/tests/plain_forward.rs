//! The candle forward pass against plain loops over scalars, and its errors.
#![allow(unreachable_pub)]

mod common;

use common::{Attention, Matrix, Model, Random, VOCAB};
use weightware_candle::{Error, GeneralForward, PlainForward};

fn load(model: &Model) -> Result<PlainForward, Error> {
    let dir = tempfile::tempdir().unwrap();
    model.write(dir.path());
    PlainForward::load(dir.path())
}

/// Compares every token, and every margin to `1e-9`.
fn assert_agrees(model: &Model, tokens: &[u32], attention: Attention) {
    let predictions = load(model).unwrap().predict_all(tokens).unwrap();
    let logits = model.logits(tokens, attention);
    assert_eq!(predictions.len(), tokens.len());
    for (position, (prediction, logits)) in predictions.iter().zip(&logits).enumerate() {
        let mut order: Vec<_> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        assert_eq!(prediction.token as usize, order[0], "position {position}");
        let margin = logits[order[0]] - logits[order[1]];
        let tolerance = 1e-9 * (1.0 + logits[order[0]].abs());
        assert!(
            (prediction.margin - margin).abs() < tolerance,
            "position {position}: {prediction:?}, {margin}"
        );
    }
}

#[test]
fn agrees_with_scalar_loops() {
    for (seed, layers, length) in [(1, 0, 5), (2, 1, 1), (3, 1, 128), (4, 1, 129), (5, 2, 300)] {
        let model = Model::random(seed, layers);
        assert_agrees(
            &model,
            &Random(seed + 100).tokens(length),
            Attention::Softmax,
        );
    }
}

#[test]
fn plain_executors_are_general_models() {
    for seed in 1..4 {
        let (model, dir) = (Model::random(seed, 2), tempfile::tempdir().unwrap());
        model.write(dir.path());
        let tokens = Random(seed + 100).tokens(130);
        let plain = PlainForward::load(dir.path()).unwrap();
        let general = GeneralForward::load(dir.path()).unwrap();
        let predictions = general.predict_all(&tokens).unwrap();
        assert_eq!(predictions, plain.predict_all(&tokens).unwrap());
        let must = model.logits(&tokens, Attention::Softmax).concat();
        for (is, must) in general.logits(&tokens).unwrap().concat().iter().zip(must) {
            assert!(
                (is - must).abs() < 1e-9 * (1.0 + must.abs()),
                "{is}, not {must}"
            );
        }
    }
}

#[test]
fn equal_keys_share_evenly_at_the_lowest_temperature() {
    let mut model = Model::random(6, 1);
    model.features.clear(); // so that equal tokens have equal keys
    model.sharpen(2_f64.powi(90));
    assert_agrees(&model, &Random(106).tokens(300), Attention::Hardmax);
}

#[test]
fn greedy_repeats_the_argmax_and_stops_at_an_end_token() {
    let mut model = Model::random(7, 2);
    let prompt = Random(107).tokens(4);
    let free = load(&model).unwrap().greedy(&prompt, 20).unwrap();
    assert_eq!(free.len(), 20);

    let whole = [prompt.as_slice(), &free].concat();
    let said = load(&model).unwrap().argmax_all(&whole).unwrap();
    assert_eq!(said[prompt.len() - 1..whole.len() - 1], free);

    model.end_tokens = vec![free[9]];
    let first = free.iter().position(|&token| token == free[9]).unwrap();
    let ended = load(&model).unwrap();
    assert_eq!(ended.greedy(&prompt, 20).unwrap(), free[..=first]);
    assert_eq!(ended.end_tokens(), [free[9]]);
}

#[test]
fn refuses_bad_folders() {
    let refused = |change: &dyn Fn(&mut Model)| {
        let mut model = Model::random(8, 1);
        change(&mut model);
        let error = load(&model).unwrap_err();
        assert!(error.path().is_some(), "{error}");
        error.to_string()
    };
    let tensor = || Matrix {
        rows: 1,
        cols: 1,
        entries: vec![0.0],
    };
    let missing = refused(&|model| drop(model.matrices.remove("ff_out.0.weight")));
    assert!(
        missing.contains("tensor ff_out.0.weight is missing"),
        "{missing}"
    );
    let extra = refused(&|model| drop(model.matrices.insert("bias".into(), tensor())));
    assert!(extra.contains("tensor bias has no place"), "{extra}");
    let shape = refused(&|model| drop(model.matrices.insert("head.weight".into(), tensor())));
    assert!(
        shape.contains("tensor head.weight is F64 [1, 1], not F64 (11, 8)"),
        "{shape}"
    );
    let slot = refused(&|model| model.features.push((8, [0.0; 3])));
    assert!(slot.contains("slot 8, but d_model is 8"), "{slot}");
    let absent = PlainForward::load(std::path::Path::new("no such folder")).unwrap_err();
    assert!(absent.path().unwrap().ends_with("config.json"), "{absent}");
}

#[test]
fn refuses_bad_tokens_and_bad_numbers() {
    let mut model = Model::random(9, 1);
    let plain = load(&model).unwrap();
    assert!(plain.argmax_all(&[]).unwrap().is_empty());
    assert!(plain.greedy(&[], 1).is_err());
    assert_eq!(
        plain.argmax_all(&[0, VOCAB]).unwrap_err().position(),
        Some(1)
    );

    model.features.push((0, [0.0, f64::MAX, f64::MAX]));
    let error = load(&model).unwrap().argmax_all(&[0, 1, 2]).unwrap_err();
    assert!(error.position().is_some(), "{error}");
}
