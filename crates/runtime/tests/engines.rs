//! Engines against each other and against the definition.

mod common;

use common::{copier, dense, ids, random};
use proptest::prelude::*;
use weightware_model::{Model, TokenId};
use weightware_runtime::{Decoder, Engine, FinishReason, PrefillError};

/// The logits before each token, as bits.
fn logits(
    model: &Model,
    engine: Engine,
    prompt: &[TokenId],
    limit: usize,
) -> (Vec<Vec<u64>>, Option<FinishReason>) {
    let mut decoder = Decoder::new(model, engine).unwrap();
    let bits = |decoder: &Decoder| decoder.logits().iter().map(|l| l.to_bits()).collect();
    if let Err(stop) = decoder.prefill(prompt) {
        let PrefillError::Horizon { .. } = stop else {
            panic!("{stop}")
        };
        return (vec![], decoder.finish_reason());
    }
    let mut all = vec![bits(&decoder)];
    for _ in 0..limit {
        if decoder.generate(Some(1)).next().is_none() {
            break;
        }
        // An empty prompt processes the pending token.
        if decoder.prefill(&[]).is_err() {
            break;
        }
        all.push(bits(&decoder));
    }
    (all, decoder.finish_reason())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn hull_gives_the_bits_of_the_oracle(
        layers in 1usize..4,
        heads in 1usize..6,
        size in 1i64..4,
        seed: u64,
        prompt in prop::collection::vec(0u32..7, 1..40),
    ) {
        let model = random(layers, heads, 7, size, seed);
        let prompt = ids(&prompt);
        let (oracle, finish) = logits(&model, Engine::Hardmax, &prompt, 60);
        let (hull, hull_finish) = logits(&model, Engine::Hull, &prompt, 60);
        prop_assert_eq!(oracle, hull);
        prop_assert_eq!(finish, hull_finish);
    }

    #[test]
    fn softmax_is_the_definition(
        layers in 1usize..3,
        heads in 1usize..5,
        seed: u64,
        prompt in prop::collection::vec(0u32..5, 1..12),
    ) {
        let model = random(layers, heads, 5, 1, seed);
        let mut decoder = Decoder::new(&model, Engine::Softmax).unwrap();
        let prompt = ids(&prompt);
        for (token, expected) in prompt.iter().zip(dense(&model, &prompt)) {
            decoder.prefill(&[*token]).unwrap();
            for (a, b) in decoder.logits().into_iter().zip(expected) {
                prop_assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{} {}", a, b);
            }
        }
    }

    #[test]
    fn a_prompt_may_come_in_parts(seed: u64, prompt in prop::collection::vec(0u32..5, 2..20), cut in 1usize..19) {
        let model = random(2, 3, 5, 2, seed);
        let prompt = ids(&prompt);
        let cut = cut.min(prompt.len());
        for engine in Engine::available() {
            let mut whole = Decoder::new(&model, engine).unwrap();
            let mut parts = Decoder::new(&model, engine).unwrap();
            let done = whole.prefill(&prompt);
            prop_assert_eq!(done, parts.prefill(&prompt[..cut]).and_then(|()| parts.prefill(&prompt[cut..])));
            if done.is_ok() {
                prop_assert_eq!(whole.logits(), parts.logits());
                // A decoder that was reset decodes the same tokens.
                parts.reset();
                parts.prefill(&prompt).unwrap();
                let once: Vec<_> = whole.generate(Some(20)).collect();
                let again: Vec<_> = parts.generate(Some(20)).collect();
                prop_assert_eq!(once, again);
            }
        }
    }
}

#[test]
fn most_random_models_are_decoded_to_the_end() {
    let full = (0..200)
        .filter(|&seed| {
            let model = random(2, 4, 7, 2, seed);
            logits(&model, Engine::Hull, &ids(&[1, 2, 3, 4, 5, 6]), 60)
                .0
                .len()
                == 61
        })
        .count();
    assert!(full > 180, "{full} of 200");
}

#[test]
fn engines_agree_on_a_saturated_model() {
    let model = copier(20, 5);
    let prompt = ids(&[3, 19, 0, 7, 7]);
    for engine in Engine::available() {
        let mut decoder = Decoder::new(&model, engine).unwrap();
        decoder.prefill(&prompt).unwrap();
        let tokens: Vec<_> = decoder.generate(Some(400)).collect();
        let expected: Vec<_> = prompt.iter().copied().cycle().take(400).collect();
        assert_eq!(tokens, expected, "{engine:?}");
        assert_eq!(decoder.finish_reason(), Some(FinishReason::MaxTokens));
        let stats = decoder.stats();
        assert_eq!((stats.tokens, stats.live_heads), (404, 1));
        // The plan keeps ids instead of keys and values.
        let streams = if engine.is_planned() { 0 } else { 1 };
        assert_eq!((stats.key_streams, stats.value_streams), (streams, streams));
    }
}

#[test]
fn tells_what_the_live_heads_asked_and_offered() {
    let model = copier(20, 5);
    let computes_all = |engine: &Engine| !engine.is_planned();
    for engine in Engine::available().filter(computes_all) {
        let mut decoder = Decoder::new(&model, engine).unwrap();
        assert_eq!(decoder.head_activations().count(), 0);
        for (t, token) in ids(&[3, 19, 0, 7]).into_iter().enumerate() {
            decoder.prefill(&[token]).unwrap();
            let all: Vec<_> = decoder.head_activations().collect();
            let [only] = all[..] else {
                panic!("one head is live, not {}", all.len())
            };
            let position = t as f64;
            assert_eq!((only.layer, only.head), (0, 0));
            assert_eq!(only.key, [2.0 * position, -position * position]);
            assert_eq!(only.query[0] / only.query[1], position - 4.0);
            assert_eq!(only.value, [f64::from(token.0), 0.0]);
        }
        decoder.reset();
        assert_eq!(decoder.head_activations().count(), 0);
    }
}
