//! General models: every configuration against a forward pass written number by number, batches,
//! blocks and truncation against single tokens, plain models against their own engines.

mod models;
mod reference;
mod speculative;

use models::{configs, model};
use proptest::prelude::*;
use reference::logits;
use weightware_model::TokenId;
use weightware_model::general::{Config, Dtype, Model, Rotary, Spread};
use weightware_runtime::general::{Budget, Decoder, Engine, Wanted};

#[path = "../common/mod.rs"]
mod common;

/// The logits after each token, read at once.
fn decoded(model: &Model, engine: Engine, tokens: &[TokenId]) -> Vec<Vec<f64>> {
    let mut decoder = Decoder::new(model, engine).unwrap();
    let sequence = decoder.begin();
    let logits = decoder
        .read_batch(&[(sequence, tokens)], Wanted::All)
        .unwrap();
    logits.rows().map(<[f64]>::to_vec).collect()
}

fn tokens(vocab: usize) -> impl Strategy<Value = Vec<TokenId>> {
    prop::collection::vec((0..vocab as u32).prop_map(TokenId), 1..12)
}

proptest! {
    #[test]
    fn softmax_is_the_definition(
        (config, tokens) in configs().prop_flat_map(|config| {
            let vocab = config.vocab;
            (Just(config), tokens(vocab))
        }),
        seed: u64,
    ) {
        let model = model(config, seed);
        let must = logits(&model, &tokens, usize::MAX);
        let is = decoded(&model, Engine::Softmax, &tokens);
        let tolerance = match model.config.dtype {
            Dtype::Float64 => 1e-10,
            Dtype::Float32 => 1e-3,
        };
        for (is, must) in is.iter().flatten().zip(must.iter().flatten()) {
            prop_assert!((is - must).abs() <= tolerance * must.abs().max(1.0), "{is} {must}");
        }
    }

    /// The sparse engine attends to the best keys, and to all of them if nothing may be left out.
    #[test]
    fn sparse_attends_to_the_best_keys(
        config in configs(),
        seed: u64,
        dim in 2..4usize,
        k in 1..30usize,
    ) {
        let config = Config { head_dim: dim, dtype: Dtype::Float64, ..config };
        let model = model(config, seed);
        let vocab = model.config.vocab as u64;
        let draw = |i: u64| TokenId((seed.wrapping_mul(i * i + 1) % 1009 % vocab) as u32);
        let tokens: Vec<TokenId> = (0..20).map(draw).collect();
        for (budget, k) in [
            (Budget::Keys(k), k),
            (Budget::Keys(usize::MAX), usize::MAX),
            (Budget::MassError(0.0), usize::MAX),
        ] {
            let must = logits(&model, &tokens, k);
            let is = decoded(&model, Engine::Sparse(budget), &tokens);
            for (is, must) in is.iter().flatten().zip(must.iter().flatten()) {
                prop_assert!((is - must).abs() <= 1e-9 * must.abs().max(1.0), "{is} {must}");
            }
        }
    }

    /// Blocks, batches, forks and tokens that are taken back change no bit.
    #[test]
    fn rows_do_not_depend_on_their_block(config in configs(), seed: u64, cut in 1..100usize) {
        let model = model(config, seed);
        let vocab = model.config.vocab as u64;
        let most = model.config.longest().unwrap_or(150) as u64;
        let draw = |i: u64| TokenId((seed.wrapping_mul(i * i + 1) % 1009 % vocab) as u32);
        let tokens: Vec<TokenId> = (0..most).map(draw).collect();
        let cut = cut.min(tokens.len());
        let all = decoded(&model, Engine::Softmax, &tokens);

        let mut decoder = Decoder::new(&model, Engine::Softmax).unwrap();
        let (a, b) = (decoder.begin(), decoder.begin());
        let (start, rest) = tokens.split_at(cut);
        let wrong = &rest[..rest.len().min(1)];
        let last = decoder.read_batch(&[(a, start), (b, &tokens)], Wanted::Last).unwrap();
        prop_assert_eq!(last.row(0), &all[cut - 1][..]);
        prop_assert_eq!(last.row(1), &all[tokens.len() - 1][..]);
        let c = decoder.fork(a).unwrap();
        decoder.truncate(b, cut).unwrap();
        for sequence in [a, c, b] {
            decoder.read(sequence, wrong).unwrap();
            decoder.truncate(sequence, cut).unwrap();
            for (i, &token) in rest.iter().enumerate() {
                let logits = decoder.read(sequence, &[token]).unwrap();
                prop_assert_eq!(logits.last(), &all[cut + i][..]);
            }
            prop_assert_eq!(decoder.len(sequence), tokens.len());
        }
    }
}

/// Sequences that are long enough for hulls, under one engine after another: bounds hold.
#[test]
fn hulls_and_scans_agree_in_long_sequences() {
    let positions = weightware_model::general::Positions::Rotary(Rotary {
        base: 1000.0,
        spread: Spread::Heads,
    });
    // Enough tokens for hulls of the deepest budget below, or for trees.
    for (head_dim, count) in [(2, 24_000), (3, 40_000)] {
        let model = model(
            Config {
                head_dim,
                d_model: 8,
                heads: 4,
                positions: positions.clone(),
                dtype: Dtype::Float32,
                score_scale: 30.0,
                ..models::small()
            },
            head_dim as u64,
        );
        let tokens: Vec<TokenId> = (0..count).map(|i| TokenId(i * i / 7 % 5)).collect();
        let (before, after) = tokens.split_at(tokens.len() - 100);
        let mut decoder = Decoder::new(&model, Engine::Sparse(Budget::Keys(8))).unwrap();
        let sequence = decoder.begin();
        decoder.read(sequence, before).unwrap();
        let scanned = |decoder: &Decoder| {
            let reports = decoder.reports().iter();
            reports.map(|report| report.scans).sum::<u64>()
        };
        assert!(
            scanned(&decoder) < before.len() as u64 * 8,
            "an index answers"
        );
        let rest = [(sequence, after)];
        let mut all = Vec::new();
        for engine in [
            Engine::Sparse(Budget::MassError(1e-9)),
            Engine::Sparse(Budget::Keys(100)),
            Engine::Softmax,
            Engine::Sparse(Budget::MassError(1e-9)),
        ] {
            decoder.switch(engine).unwrap();
            all.push(decoder.read_batch(&rest, Wanted::All).unwrap());
            decoder.truncate(sequence, before.len()).unwrap();
        }
        assert_eq!(all[0], all[3]);
        for (sparse, softmax) in all[0].rows().zip(all[2].rows()) {
            for (sparse, softmax) in sparse.iter().zip(softmax) {
                assert!((sparse - softmax).abs() < 1e-4, "{sparse} {softmax}");
            }
        }
    }
}

/// A plain model is a special case: its softmax engine gives equal logits.
#[test]
fn plain_models_are_general() {
    for seed in 0..20_u64 {
        let plain = common::random(2, 3, 7, 1, seed);
        let general = Model::from(&plain);
        general.validate().unwrap();
        let vocab = plain.config.shape.vocab as u64;
        let tokens: Vec<TokenId> = (0..40).map(|i| TokenId((i * i % vocab) as u32)).collect();
        let all = decoded(&general, Engine::Softmax, &tokens);
        let mut decoder =
            weightware_runtime::Decoder::new(&plain, weightware_runtime::Engine::Softmax).unwrap();
        for (&token, row) in tokens.iter().zip(all) {
            if decoder.prefill(&[token]).is_err() {
                break;
            }
            for (is, must) in row.iter().zip(decoder.logits()) {
                assert!(
                    (is - must).abs() <= 1e-9 * must.abs().max(1.0),
                    "{is} {must}"
                );
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    let config = models::small();
    let longest = 6;
    let config = weightware_model::general::Config {
        positions: weightware_model::general::Positions::Learned { context: longest },
        ..config
    };
    let model = model(config, 1);
    let mut decoder = Decoder::new(&model, Engine::Softmax).unwrap();
    let sequence = decoder.begin();
    let tokens = vec![TokenId(0); longest];
    let error = decoder
        .read(sequence, &[TokenId(99)])
        .unwrap_err()
        .to_string();
    assert!(error.contains("99"), "{error}");
    decoder.read(sequence, &tokens).unwrap();
    let error = decoder
        .read(sequence, &[TokenId(0)])
        .unwrap_err()
        .to_string();
    assert!(error.contains("learned positions for 6"), "{error}");
    assert_eq!(decoder.len(sequence), longest);
    assert!(decoder.truncate(sequence, longest + 1).is_err());
    decoder.end(sequence);
    assert!(decoder.read(sequence, &[]).is_err());
    assert!(decoder.truncate(sequence, 0).is_err());
    assert!(decoder.fork(sequence).is_err());
    assert_eq!(decoder.len(sequence), 0);
}
