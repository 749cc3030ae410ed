//! One token's pass, number by number, against the weights and against all engines.

mod common;

use common::{copier, dense, ids, random};
use proptest::prelude::*;
use weightware_model::{Matrix, Model};
use weightware_runtime::{Decoder, Engine, InspectError, TokenPass, inspect};

const WHOLE: [Engine; 3] = [Engine::Softmax, Engine::Hardmax, Engine::Hull];

fn times(matrix: &Matrix, x: &[f64]) -> Vec<f64> {
    let rows = (0..matrix.rows).map(|row| matrix.row(row));
    rows.map(|row| row.iter().zip(x).map(|(a, b)| a * b).sum())
        .collect()
}

fn near(found: &[f64], expected: &[f64]) -> bool {
    let scale = expected.iter().fold(1.0_f64, |a, b| a.max(b.abs()));
    let mut pairs = found.iter().zip(expected);
    pairs.all(|(a, b)| (a - b).abs() <= 1e-9 * scale)
}

/// The outputs of a layer's heads, by row of values.
fn answers(model: &Model, pass: &TokenPass, layer: usize) -> Vec<f64> {
    let mut answers = vec![0.0; model.config.shape.d_model];
    for head in pass.heads.iter().filter(|head| head.layer == layer) {
        answers[2 * head.head..][..2].copy_from_slice(&head.value);
    }
    answers
}

/// The residual stream after an attention and after the neurons, from the stream before and the
/// outputs of the heads.
fn layer(model: &Model, index: usize, before: &[f64], answers: &[f64]) -> [Vec<f64>; 2] {
    let weights = &model.weights.layers[index];
    let sum = |x: &[f64], y: Vec<f64>| x.iter().zip(y).map(|(a, b)| a + b).collect::<Vec<_>>();
    let attended = sum(before, times(&weights.out_proj, answers));
    let products = times(&weights.ff_in, &attended);
    let (gates, values) = products.split_at(products.len() / 2);
    let neurons: Vec<f64> = gates
        .iter()
        .zip(values)
        .map(|(gate, value)| gate.max(0.0) * value)
        .collect();
    let fed = sum(&attended, times(&weights.ff_out, &neurons));
    [attended, fed]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_answers_of_the_winners_make_the_residual_stream(
        layers in 1usize..4,
        heads in 1usize..5,
        seed: u64,
        prompt in prop::collection::vec(0u32..5, 1..30),
    ) {
        let model = random(layers, heads, 5, 1, seed);
        let prompt = ids(&prompt);
        let pass = match inspect(&model, Engine::Hull, &prompt) {
            Ok(pass) => pass,
            // Its numbers exceed the range of exact comparisons.
            Err(InspectError::Prefill(_)) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert_eq!(&inspect(&model, Engine::Hardmax, &prompt).unwrap(), &pass);
        prop_assert_eq!(pass.residual.len(), 2 * layers + 1);
        for at in 0..layers {
            let found = &pass.residual[2 * at..];
            let [attended, fed] = layer(&model, at, &found[0], &answers(&model, &pass, at));
            prop_assert!(near(&found[1], &attended), "{:?} {:?}", found[1], attended);
            prop_assert!(near(&found[2], &fed), "{:?} {:?}", found[2], fed);
        }
        prop_assert!(near(&pass.logits, &times(&model.weights.head, &pass.residual[2 * layers])));
        let mut decoder = Decoder::new(&model, Engine::Hull).unwrap();
        decoder.prefill(&prompt).unwrap();
        prop_assert_eq!(pass.next, decoder.generate(Some(1)).next());
    }
}

#[test]
fn the_softmax_engine_records_the_stock_forward_pass() {
    let model = random(2, 3, 5, 1, 7);
    let prompt = ids(&[1, 4, 0, 2, 2, 3]);
    let pass = inspect(&model, Engine::Softmax, &prompt).unwrap();
    assert!(near(&pass.logits, dense(&model, &prompt).last().unwrap()));
}

#[test]
fn a_lookup_names_the_token_that_answers() {
    let model = copier(20, 5);
    let prompt = ids(&[3, 19, 0, 7, 7, 11, 12]);
    for engine in WHOLE {
        let pass = inspect(&model, engine, &prompt).unwrap();
        let [head] = pass.heads[..] else {
            panic!("one head is live");
        };
        // At position 6 the token of 4 positions ago.
        assert_eq!((head.first, head.last, head.winners.get()), (2, 2, 1));
        assert_eq!(head.query[0] / head.query[1], 2.0);
        assert_eq!((head.key[0], head.value[0]), (4.0, 0.0));
        assert_eq!((pass.position, pass.next), (6, Some(prompt[2])));
    }
}

#[test]
fn equal_keys_all_answer() {
    let mut model = copier(20, 5);
    // Without keys every token scores 0.
    let d = model.config.shape.d_model;
    for row in d..d + 2 {
        model.weights.layers[0].in_proj.row_mut(row).fill(0.0);
    }
    let pass = inspect(&model, Engine::Hull, &ids(&[3, 19, 0, 7])).unwrap();
    let head = pass.heads[0];
    assert_eq!((head.first, head.last, head.winners.get()), (0, 3, 4));
    assert_eq!(head.value[0], 29.0 / 4.0);
}

#[test]
fn recording_follows_a_token_that_was_generated() {
    let model = copier(20, 3);
    let prompt = ids(&[5, 6, 7]);
    let mut decoder = Decoder::new(&model, Engine::Hull).unwrap();
    decoder.prefill(&prompt).unwrap();
    // The layers have not processed the token when the next one is given.
    assert_eq!(decoder.generate(Some(1)).next(), Some(prompt[0]));
    let recorded = decoder.prefill_recorded(prompt[1]).unwrap();
    let all = ids(&[5, 6, 7, 5, 6]);
    assert_eq!(
        recorded,
        inspect(&model, Engine::Hull, &all).unwrap().residual
    );
}

#[test]
fn what_cannot_be_inspected_is_refused() {
    let model = copier(20, 5);
    for engine in Engine::available().filter(|engine| engine.is_planned()) {
        let error = inspect(&model, engine, &ids(&[1])).unwrap_err();
        assert!(matches!(error, InspectError::Planned(_)), "{error}");
    }
    let empty = inspect(&model, Engine::Hull, &[]).unwrap_err();
    assert!(matches!(empty, InspectError::Empty), "{empty}");
    let unknown = inspect(&model, Engine::Hull, &ids(&[20])).unwrap_err();
    assert!(matches!(unknown, InspectError::Prefill(_)), "{unknown}");
    let mut soft = copier(20, 5);
    soft.config.attention = weightware_model::Attention::Softmax;
    let refused = inspect(&soft, Engine::Hull, &ids(&[1])).unwrap_err();
    assert!(matches!(refused, InspectError::Engine(_)), "{refused}");
}
