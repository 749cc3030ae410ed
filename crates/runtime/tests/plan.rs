//! Equality of the plan engine and the other hard-max engines, for any model.

mod common;

use common::{balance, copier, floats, ids, machine, random, structured};
use proptest::prelude::*;
use weightware_model::{Model, TokenId};
use weightware_runtime::{Decoder, Engine, FinishReason, PrefillError, Stats};

/// Tokens, the reason of their end, and the number of processed tokens.
fn said(
    model: &Model,
    engine: Engine,
    prompt: &[TokenId],
    limit: u64,
) -> (Vec<TokenId>, Option<FinishReason>, Stats) {
    let mut decoder = Decoder::new(model, engine).unwrap();
    if let Err(stop) = decoder.prefill(prompt) {
        let PrefillError::Horizon { .. } = stop else {
            panic!("{stop}")
        };
    }
    let tokens = decoder.generate(Some(limit)).collect();
    (tokens, decoder.finish_reason(), decoder.stats())
}

/// All hard-max engines decode equal tokens, token by token and several at once.
fn agree(model: &Model, prompt: &[u32], limit: u64) -> Result<(), TestCaseError> {
    let prompt = ids(prompt);
    let (hull, finish, stats) = said(model, Engine::Hull, &prompt, limit);
    let others = Engine::available();
    for engine in others.filter(|engine| !matches!(engine, Engine::Softmax | Engine::Hull)) {
        let (other, other_finish, other_stats) = said(model, engine, &prompt, limit);
        prop_assert_eq!(&hull, &other, "{:?}", engine);
        prop_assert_eq!(finish, other_finish);
        prop_assert_eq!(stats.tokens, other_stats.tokens);
        let mut decoder = Decoder::new(model, engine).unwrap();
        let _ = decoder.prefill(&prompt);
        let mut together = Vec::new();
        for most in 1.. {
            let left = limit as usize - together.len();
            if left == 0 || decoder.finish_reason().is_some() {
                break;
            }
            let mut slice = vec![TokenId(0); left.min(most)];
            let filled = decoder.generate_into(&mut slice);
            together.extend_from_slice(&slice[..filled]);
        }
        prop_assert_eq!(&hull, &together, "{:?}", engine);
        // Tokens that are generated together do not end by a limit.
        if together.len() < limit as usize {
            prop_assert_eq!(finish, decoder.finish_reason());
            prop_assert_eq!(stats.tokens, decoder.stats().tokens);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn models_as_compilers_make_them(
        layers in 1usize..5,
        heads in 5usize..10,
        vocab in 4usize..40,
        seed: u64,
        prompt in prop::collection::vec(0u32..4, 1..30),
    ) {
        agree(&structured(layers, heads, vocab, seed), &prompt, 80)?;
    }

    #[test]
    fn machines(seed: u64, prompt in prop::collection::vec(0u32..8, 1..40)) {
        agree(&machine(seed), &prompt, 80)?;
    }

    #[test]
    fn sparse_integers(
        layers in 1usize..4,
        heads in 1usize..6,
        size in 1i64..4,
        seed: u64,
        prompt in prop::collection::vec(0u32..7, 1..40),
    ) {
        agree(&random(layers, heads, 7, size, seed), &prompt, 60)?;
    }

    #[test]
    fn floats_of_any_kind(
        layers in 1usize..4,
        heads in 1usize..6,
        seed: u64,
        prompt in prop::collection::vec(0u32..5, 1..20),
    ) {
        agree(&floats(layers, heads, 5, seed), &prompt, 50)?;
    }
}

/// The sentinel may occur again.
#[test]
fn a_first_token_comes_again() {
    let model = copier(12, 5);
    let prompt = [0, 3, 0, 0, 7];
    agree(&model, &prompt, 100).unwrap();
    for seed in 0..40 {
        let model = structured(2, 6, 6, seed);
        agree(&model, &[0, 1, 2, 0, 3, 0, 0, 5], 60).unwrap();
    }
}

/// A plan decodes the tokens, not the fallback engine.
#[test]
fn plans_hold() {
    let model = copier(20, 5);
    let (_, _, stats) = said(&model, Engine::Plan, &ids(&[3, 19, 0, 7, 7]), 1_000);
    assert!(stats.planned && stats.deoptimizations == 0, "{stats:?}");
    assert!(stats.cached_bytes < 4_096, "{stats:?}");
    let held = (0..200).filter(|&seed| {
        let model = structured(2, 6, 12, seed);
        let (_, _, stats) = said(&model, Engine::Plan, &ids(&[0, 1, 2, 3]), 60);
        stats.planned
    });
    assert!(held.count() > 150);
}

/// A plan first assumes that running sums, which mostly count, are not negative.
#[test]
fn a_sum_falls_below_zero() {
    let model = balance();
    let prompt = ids(&[0, 1, 2, 2, 2]);
    let (tokens, _, stats) = said(&model, Engine::Plan, &prompt, 3);
    assert_eq!(tokens, ids(&[0, 0, 0]));
    assert!(stats.planned && stats.deoptimizations == 1, "{stats:?}");
    assert_eq!(stats.bailouts.to_string(), "1 sum");
    let (tokens, _, stats) = said(&model, Engine::Plan, &ids(&[0, 1, 2]), 3);
    assert_eq!((tokens, stats.deoptimizations), (ids(&[0, 0, 0]), 0));
}
