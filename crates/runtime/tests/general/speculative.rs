//! Speculative decoding loses nothing: greedy tokens are the verifier's, sampled ones have its
//! distribution.

use proptest::prelude::*;
use weightware_model::TokenId;
use weightware_model::general::{Config, Model};
use weightware_runtime::general::{
    Decoder, Draft, Engine, ExecutorDraft, ModelDraft, Sampler, Speculative,
};

use crate::common;
use crate::models::{model, small};

fn alone(model: &Model, prompt: &[TokenId], count: usize) -> Vec<TokenId> {
    let mut decoder = Decoder::new(model, Engine::Softmax).unwrap();
    let sequence = decoder.begin();
    let mut tokens = prompt.to_vec();
    let mut logits = decoder.read(sequence, prompt).unwrap();
    for _ in 0..count {
        let next = Sampler::greedy().draw(logits.last());
        logits = decoder.read(sequence, &[next]).unwrap();
        tokens.push(next);
    }
    tokens
}

fn speculate<D: Draft>(
    draft: D,
    verifier: &Model,
    block: usize,
    sampler: Sampler,
    prompt: &[TokenId],
    count: usize,
) -> Speculative<D> {
    let verifier = Decoder::new(verifier, Engine::Softmax).unwrap();
    let mut speculative = Speculative::new(draft, verifier, block, sampler).unwrap();
    speculative.prefill(prompt).unwrap();
    while speculative.tokens().len() < prompt.len() + count {
        let new = speculative.step().unwrap();
        assert!((1..=block + 1).contains(&new.len()));
    }
    speculative
}

fn own(model: &Model) -> ModelDraft {
    ModelDraft::new(Decoder::new(model, Engine::Softmax).unwrap())
}

proptest! {
    #[test]
    fn greedy_tokens_are_the_verifiers(
        seeds in prop::array::uniform2(any::<u64>()),
        block in 0..6usize,
        prompt in prop::collection::vec((0..5u32).prop_map(TokenId), 1..5),
    ) {
        let [verifier, other] = seeds.map(|seed| model(small(), seed));
        let must = alone(&verifier, &prompt, 40);
        for draft in [&verifier, &other] {
            let is = speculate(own(draft), &verifier, block, Sampler::greedy(), &prompt, 40);
            prop_assert_eq!(&is.tokens()[..must.len()], &must[..]);
            if draft == &verifier {
                prop_assert_eq!(is.acceptance().rate(), if block > 0 { 1.0 } else { 0.0 });
                prop_assert_eq!(is.acceptance().length(), block as f64 + 1.0);
            }
        }
    }
}

/// The verifier's distribution of the three tokens after a prompt, by each sequence's index.
fn distribution(model: &Model, prompt: &[TokenId], sampler: &Sampler) -> Vec<f64> {
    let vocab = model.config.vocab as u32;
    let mut all = vec![(prompt.to_vec(), 1.0)];
    for _ in 0..3 {
        let mut longer = Vec::new();
        for (tokens, probability) in all {
            let mut decoder = Decoder::new(model, Engine::Softmax).unwrap();
            let sequence = decoder.begin();
            let logits = decoder.read(sequence, &tokens).unwrap();
            let next = sampler.probabilities(logits.last());
            for token in (0..vocab).map(TokenId) {
                let p = probability * next[token.0 as usize];
                longer.push(([&tokens[..], &[token]].concat(), p));
            }
        }
        all = longer;
    }
    all.into_iter()
        .map(|(_, probability)| probability)
        .collect()
}

/// A chi-squared test of 20,000 triples against the exact distribution, for drafts that are good,
/// bad, and certain of one token.
#[test]
fn sampled_tokens_have_the_verifiers_distribution() {
    struct Stubborn;
    impl Draft for Stubborn {
        fn vocab(&self) -> usize {
            3
        }

        fn propose(
            &mut self,
            _: &[TokenId],
            _: usize,
            count: usize,
            _: &mut Sampler,
        ) -> Result<Vec<weightware_runtime::general::Proposal>, weightware_runtime::general::Error>
        {
            let proposal = weightware_runtime::general::Proposal {
                token: TokenId(1),
                probabilities: None,
            };
            Ok(vec![proposal; count])
        }
    }
    let config = Config {
        vocab: 3,
        ..small()
    };
    let [verifier, other] = [3, 4].map(|seed| model(config.clone(), seed));
    let prompt = [TokenId(2), TokenId(0)];
    let sampler = Sampler::new(0.8, 11).with_top_p(0.95);
    let must = distribution(&verifier, &prompt, &sampler);

    fn check<D: Draft>(
        name: &str,
        draft: impl Fn() -> D,
        verifier: &Model,
        must: &[f64],
        prompt: &[TokenId],
    ) {
        const TRIPLES: usize = 20_000;
        let mut counts = vec![0.0; must.len()];
        let decoder = || Decoder::new(verifier, Engine::Softmax).unwrap();
        for seed in 0..TRIPLES as u64 {
            let sampler = Sampler::new(0.8, seed).with_top_p(0.95);
            let mut speculative = Speculative::new(draft(), decoder(), 2, sampler).unwrap();
            speculative.prefill(prompt).unwrap();
            while speculative.tokens().len() < prompt.len() + 3 {
                speculative.step().unwrap();
            }
            let triple = &speculative.tokens()[prompt.len()..][..3];
            let index = triple
                .iter()
                .fold(0, |index, token| 3 * index + token.0 as usize);
            counts[index] += 1.0;
        }
        let (mut chi_squared, mut cells) = (0.0, 0.0_f64);
        for (&count, &p) in counts.iter().zip(must) {
            if p == 0.0 {
                assert_eq!(count, 0.0, "{name}: an impossible triple");
                continue;
            }
            let expected = p * TRIPLES as f64;
            chi_squared += (count - expected) * (count - expected) / expected;
            cells += 1.0;
        }
        // Mean and deviation of the distribution for cells - 1 degrees of freedom; four deviations.
        let limit = cells - 1.0 + 4.0 * (2.0 * (cells - 1.0)).sqrt();
        assert!(
            cells > 5.0 && chi_squared < limit,
            "{name}: {chi_squared} of {limit}"
        );
    }
    check("its own", || own(&verifier), &verifier, &must, &prompt);
    check("another's", || own(&other), &verifier, &must, &prompt);
    check("stubborn", || Stubborn, &verifier, &must, &prompt);
}

/// An executor drafts for the stock softmax of its own weights: all is accepted. With another
/// verifier, whose tokens it does not foresee, the verifier's tokens win.
#[test]
fn an_executor_drafts() {
    let plain = common::copier(9, 3);
    let prompt = common::ids(&[2, 5, 8]);
    let draft = || {
        let decoder = weightware_runtime::Decoder::new(&plain, weightware_runtime::Engine::Plan);
        ExecutorDraft::new(decoder.unwrap(), 9)
    };
    let verifier = Model::from(&plain);
    let is = speculate(draft(), &verifier, 7, Sampler::greedy(), &prompt, 100);
    assert_eq!(is.tokens()[..103], alone(&verifier, &prompt, 100));
    assert_eq!(is.acceptance().rate(), 1.0);
    assert_eq!(is.acceptance().length(), 8.0);

    let verifier = Model::from(&common::copier(9, 2));
    let is = speculate(draft(), &verifier, 7, Sampler::greedy(), &prompt, 100);
    assert_eq!(is.tokens()[..103], alone(&verifier, &prompt, 100));
    assert!(is.acceptance().rate() < 1.0);
}

#[test]
fn vocabularies_must_agree() {
    let [a, b] = [3, 4].map(|vocab| model(Config { vocab, ..small() }, 1));
    let verifier = Decoder::new(&b, Engine::Softmax).unwrap();
    let error = Speculative::new(own(&a), verifier, 2, Sampler::greedy()).unwrap_err();
    assert!(error.to_string().contains("3 and 4"), "{error}");
    let verifier = Decoder::new(&a, Engine::Softmax).unwrap();
    let mut speculative = Speculative::new(own(&a), verifier, 2, Sampler::greedy()).unwrap();
    assert!(speculative.step().is_err());
}
