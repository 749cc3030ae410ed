//! Configurations of every kind, with random weights.

use proptest::prelude::*;
use weightware_model::general::{
    Activation, Config, Dtype, Model, Norm, Positions, Rotary, Spread, Weights,
};
use weightware_model::{PositionFeature, Tokenizer};

pub(crate) fn small() -> Config {
    Config {
        d_model: 4,
        heads: 2,
        head_dim: 2,
        neurons: vec![8, 8],
        vocab: 5,
        dtype: Dtype::Float64,
        norm: Some(Norm::Rms { epsilon: 1e-5 }),
        activation: Activation::Gelu,
        bias: true,
        positions: Positions::None,
        tied_embeddings: false,
        score_scale: 0.7,
        temperature: false,
        head_product: false,
        context: None,
    }
}

pub(crate) fn configs() -> impl Strategy<Value = Config> {
    let norms = prop::sample::select(vec![
        None,
        Some(Norm::Layer { epsilon: 1e-5 }),
        Some(Norm::Rms { epsilon: 1e-2 }),
    ]);
    let activations = prop::sample::select(vec![
        Activation::Relu,
        Activation::Gelu,
        Activation::GatedRelu,
        Activation::SwiGlu,
    ]);
    let feature = |slot, coefficients| PositionFeature { slot, coefficients };
    let rotary = |spread| {
        Positions::Rotary(Rotary {
            base: 100.0,
            spread,
        })
    };
    let positions = prop::sample::select(vec![
        Positions::None,
        Positions::Learned { context: 20 },
        Positions::Sinusoidal { base: 1e4 },
        rotary(Spread::Pairs),
        rotary(Spread::Heads),
        Positions::Polynomial(vec![
            feature(1, [0.1, 0.01, -0.0001]),
            feature(0, [1.0, 0.0, 0.0]),
        ]),
    ]);
    let shape = (
        2..9usize,
        1..4usize,
        2..6usize,
        prop::collection::vec(1..40usize, 1..4),
        1..9usize,
    );
    let switches = prop::array::uniform5(any::<bool>());
    (shape, norms, activations, positions, switches).prop_map(
        |((d_model, pairs, head_dim, neurons, vocab), norm, activation, positions, switches)| {
            let [wide, bias, tied_embeddings, temperature, head_product] = switches;
            Config {
                d_model,
                heads: 2 * pairs,
                head_dim,
                neurons,
                vocab,
                dtype: if wide { Dtype::Float64 } else { Dtype::Float32 },
                norm,
                activation,
                bias,
                positions,
                tied_embeddings,
                temperature,
                head_product,
                ..small()
            }
        },
    )
}

/// A model of weights between -0.5 and 0.5, drawn by a linear congruence.
pub(crate) fn model(config: Config, seed: u64) -> Model {
    let mut state = seed;
    let mut draw = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let unit = (state >> 40) as f32 / (1 << 24) as f32;
        f64::from(unit - 0.5)
    };
    let weights = Weights::assemble(&config, |tensor| {
        Ok::<_, ()>((0..tensor.len()).map(|_| draw()).collect())
    });
    let letters = ('a'..).take(config.vocab).map(String::from);
    Model {
        tokenizer: Tokenizer::characters(letters.collect()),
        end_tokens: vec![],
        weights: weights.unwrap(),
        config,
    }
}
