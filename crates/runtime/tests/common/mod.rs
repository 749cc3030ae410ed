//! Models for tests.
#![allow(dead_code, unused_imports)]

mod machine;
mod structured;
pub(crate) mod tables;

pub(crate) use machine::machine;
pub(crate) use structured::structured;

use weightware_model::{
    Attention, Config, LayerWeights, Matrix, Model, PositionFeature, Shape, TokenId, Tokenizer,
    Weights,
};

/// The model of zero weights.
pub(crate) fn zero(layers: usize, d_model: usize, d_ffn: usize, vocab: usize) -> Model {
    let shape = Shape {
        layers,
        d_model,
        heads: d_model / 2,
        d_ffn,
        vocab,
    };
    let layer = LayerWeights {
        in_proj: Matrix::zeros(3 * d_model, d_model),
        out_proj: Matrix::zeros(d_model, d_model),
        ff_in: Matrix::zeros(2 * d_ffn, d_model),
        ff_out: Matrix::zeros(d_model, d_ffn),
    };
    Model {
        config: Config {
            shape,
            attention: Attention::Hardmax,
            position_features: vec![],
            profile: None,
            modules: None,
            context: None,
            last_position: 10_000_000,
            key_bounds: vec![],
        },
        weights: Weights {
            tok: Matrix::zeros(vocab, d_model),
            layers: vec![layer; layers],
            head: Matrix::zeros(vocab, d_model),
        },
        tokenizer: Tokenizer::new((0..vocab).map(|i| format!("t{i}")).collect()),
        end_tokens: vec![],
    }
}

/// A machine that repeats the last `period` tokens for ever: head 0 fetches the token of `period -
/// 1` positions ago, by the parabola keys `(2j, -j^2)` and the query `(t + 1 - period, 1)`, and the
/// unembedding rounds to the nearest token.
pub(crate) fn copier(vocab: usize, period: usize) -> Model {
    const SHARP: f64 = 64.0;
    let [one, t, tt, token, fetched] = [0, 1, 2, 3, 4];
    let d = 6;
    let mut model = zero(1, d, 1, vocab);
    let feature = |slot, coefficients| PositionFeature { slot, coefficients };
    model.config.position_features = vec![
        feature(one, [1.0, 0.0, 0.0]),
        feature(t, [0.0, 1.0, 0.0]),
        feature(tt, [0.0, 0.0, 1.0]),
    ];
    for id in 0..vocab {
        let b = id as f64;
        model.weights.tok.row_mut(id)[token] = b;
        model.weights.head.row_mut(id)[fetched] = 2.0 * b;
        model.weights.head.row_mut(id)[one] = -b * b;
    }
    let layer = &mut model.weights.layers[0];
    layer.in_proj.row_mut(0)[t] = SHARP;
    layer.in_proj.row_mut(0)[one] = SHARP * (1.0 - period as f64);
    layer.in_proj.row_mut(1)[one] = SHARP;
    layer.in_proj.row_mut(d)[t] = 2.0;
    layer.in_proj.row_mut(d + 1)[tt] = -1.0;
    layer.in_proj.row_mut(2 * d)[token] = 1.0;
    layer.out_proj.row_mut(fetched)[0] = 1.0;
    model
}

/// A machine that counts: token 1 adds one to a running sum, token 2 subtracts one. It generates
/// token 0, for which a gate tests whether the sum is positive.
pub(crate) fn balance() -> Model {
    let [one, t, delta, average, total, positive] = [0, 1, 2, 3, 4, 5];
    let d = 6;
    let mut model = zero(2, d, 1, 3);
    model.config.position_features = vec![PositionFeature {
        slot: t,
        coefficients: [0.0, 1.0, 0.0],
    }];
    for (id, change) in [(0, 0.0), (1, 1.0), (2, -1.0)] {
        model.weights.tok.row_mut(id)[one] = 1.0;
        model.weights.tok.row_mut(id)[delta] = change;
    }
    let [sum, step] = &mut model.weights.layers[..] else {
        unreachable!("a model of two layers was made above");
    };
    sum.in_proj.row_mut(2 * d)[delta] = 1.0;
    sum.out_proj.row_mut(average)[0] = 1.0;
    sum.ff_in.row_mut(0)[t] = 1.0;
    sum.ff_in.row_mut(0)[one] = 1.0;
    sum.ff_in.row_mut(1)[average] = 1.0;
    sum.ff_out.row_mut(total)[0] = 1.0;
    step.ff_in.row_mut(0)[total] = 1.0;
    step.ff_in.row_mut(1)[one] = 1.0;
    step.ff_out.row_mut(positive)[0] = 1.0;
    // Token 0, unless the gate were open for a negative sum.
    model.weights.head.row_mut(0)[one] = 1.0;
    model.weights.head.row_mut(1)[positive] = -1.0;
    model
}

/// Small pseudo-random numbers (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i as u64 + 1) as usize);
        }
        order
    }
}

/// A model of sparse random integers within `-size..=size`.
pub(crate) fn random(layers: usize, heads: usize, vocab: usize, size: i64, seed: u64) -> Model {
    let d = 2 * heads;
    let mut model = zero(layers, d, 3, vocab);
    let mut random = Random(seed);
    let mut fill = |matrix: &mut Matrix, one_in: u64| {
        for w in &mut matrix.entries {
            if random.below(one_in) == 0 {
                *w = random.below(2 * size as u64 + 1) as f64 - size as f64;
            }
        }
    };
    fill(&mut model.weights.tok, 2);
    fill(&mut model.weights.head, 2);
    for layer in &mut model.weights.layers {
        fill(&mut layer.in_proj, 4);
        fill(&mut layer.out_proj, 4);
        fill(&mut layer.ff_in, 5);
        fill(&mut layer.ff_out, 5);
    }
    let polynomials = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]];
    for coefficients in polynomials {
        let slot = random.below(d as u64) as usize;
        if model
            .config
            .position_features
            .iter()
            .all(|f| f.slot != slot)
        {
            model
                .config
                .position_features
                .push(PositionFeature { slot, coefficients });
        }
    }
    model
}

/// Tokens from ids.
pub(crate) fn ids(ids: &[u32]) -> Vec<TokenId> {
    ids.iter().map(|&id| TokenId(id)).collect()
}

/// The definition of the network: every matrix dense, stock softmax, the logits after every token.
pub(crate) fn dense(model: &Model, tokens: &[TokenId]) -> Vec<Vec<f64>> {
    let shape = &model.config.shape;
    let product = |m: &Matrix, x: &[f64]| -> Vec<f64> {
        (0..m.rows)
            .map(|r| m.row(r).iter().zip(x).map(|(w, x)| w * x).sum())
            .collect()
    };
    let mut xs: Vec<Vec<f64>> = (0..)
        .zip(tokens)
        .map(|(t, token)| {
            let position = weightware_model::position_embedding(&model.config, t);
            let row = model.weights.tok.row(token.0 as usize);
            row.iter().zip(position).map(|(a, b)| a + b).collect()
        })
        .collect();
    for layer in &model.weights.layers {
        let d = shape.d_model;
        let qkv: Vec<Vec<f64>> = xs.iter().map(|x| product(&layer.in_proj, x)).collect();
        for (t, x) in xs.iter_mut().enumerate() {
            let mut heads = vec![0.0; d];
            for h in 0..shape.heads {
                let q = &qkv[t][2 * h..][..2];
                let scores: Vec<f64> = qkv[..=t]
                    .iter()
                    .map(|row| (q[0] * row[d + 2 * h] + q[1] * row[d + 2 * h + 1]) / 2f64.sqrt())
                    .collect();
                let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
                let total: f64 = weights.iter().sum();
                for j in 0..2 {
                    let sum: f64 = weights
                        .iter()
                        .zip(&qkv)
                        .map(|(w, row)| w * row[2 * d + 2 * h + j])
                        .sum();
                    heads[2 * h + j] = sum / total;
                }
            }
            for (x, a) in x.iter_mut().zip(product(&layer.out_proj, &heads)) {
                *x += a;
            }
            let gated = product(&layer.ff_in, x);
            let (gates, values) = gated.split_at(gated.len() / 2);
            let products: Vec<f64> = gates
                .iter()
                .zip(values)
                .map(|(g, v)| g.max(0.0) * v)
                .collect();
            for (x, a) in x.iter_mut().zip(product(&layer.ff_out, &products)) {
                *x += a;
            }
        }
    }
    xs.iter().map(|x| product(&model.weights.head, x)).collect()
}

/// A model of random floats.
pub(crate) fn floats(layers: usize, heads: usize, vocab: usize, seed: u64) -> Model {
    let mut model = random(layers, heads, vocab, 2, seed);
    let mut random = Random(seed ^ 0x5eed);
    let mut jitter = |matrix: &mut Matrix| {
        for w in matrix.entries.iter_mut().filter(|w| **w != 0.0) {
            *w *= random.below(1 << 20) as f64 / f64::from(1 << 19);
        }
    };
    jitter(&mut model.weights.tok);
    jitter(&mut model.weights.head);
    for layer in &mut model.weights.layers {
        jitter(&mut layer.in_proj);
        jitter(&mut layer.out_proj);
        jitter(&mut layer.ff_in);
        jitter(&mut layer.ff_out);
    }
    model
}
