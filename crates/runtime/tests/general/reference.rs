//! The forward pass of a general model, written number by number in f64: slow, and evidently right.

use weightware_model::TokenId;
use weightware_model::general::{
    Activation, Config, Linear, Model, Norm, NormWeights, Positions, Spread,
};

fn apply(map: &Linear, x: &[f64]) -> Vec<f64> {
    let row = |r: usize| -> f64 { map.weight.row(r).iter().zip(x).map(|(w, x)| w * x).sum() };
    let bias = |r: usize| map.bias.as_ref().map_or(0.0, |bias| bias[r]);
    (0..map.weight.rows).map(|r| row(r) + bias(r)).collect()
}

fn normalise(norm: Option<Norm>, weights: &Option<NormWeights>, x: &[f64]) -> Vec<f64> {
    let (Some(norm), Some(weights)) = (norm, weights) else {
        return x.to_vec();
    };
    let n = x.len() as f64;
    let (mean, epsilon) = match norm {
        Norm::Layer { epsilon } => (x.iter().sum::<f64>() / n, epsilon),
        Norm::Rms { epsilon } => (0.0, epsilon),
    };
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let root = (variance + epsilon).sqrt();
    let shift = |i: usize| weights.shift.as_ref().map_or(0.0, |shift| shift[i]);
    let of = |i: usize| (x[i] - mean) / root * weights.scale[i] + shift(i);
    (0..x.len()).map(of).collect()
}

fn add_position(model: &Model, t: usize, x: &mut [f64]) {
    let config = &model.config;
    match &config.positions {
        Positions::None | Positions::Rotary(_) => {}
        Positions::Learned { .. } => {
            let rows = model.weights.positions.as_ref().unwrap();
            for (x, p) in x.iter_mut().zip(rows.row(t)) {
                *x += p;
            }
        }
        Positions::Sinusoidal { base } => {
            for (slot, x) in x.iter_mut().enumerate() {
                let exponent = -((slot / 2 * 2) as f64) / config.d_model as f64;
                let angle = t as f64 * base.powf(exponent);
                *x += if slot % 2 == 0 {
                    angle.sin()
                } else {
                    angle.cos()
                };
            }
        }
        Positions::Polynomial(features) => {
            for feature in features {
                let [a, b, c] = feature.coefficients;
                let t = t as f64;
                x[feature.slot] += a + b * t + c * t * t;
            }
        }
    }
}

fn turned(config: &Config, head: usize, t: usize, x: &[f64]) -> Vec<f64> {
    let Positions::Rotary(rotary) = config.positions else {
        return x.to_vec();
    };
    let mut y = x.to_vec();
    let pairs = x.len() / 2;
    for p in 0..pairs {
        let exponent = match rotary.spread {
            Spread::Pairs => p as f64 / pairs as f64,
            Spread::Heads => (head * pairs + p) as f64 / (config.heads * pairs) as f64,
        };
        let angle = t as f64 / rotary.base.powf(exponent);
        y[2 * p] = x[2 * p] * angle.cos() - x[2 * p + 1] * angle.sin();
        y[2 * p + 1] = x[2 * p] * angle.sin() + x[2 * p + 1] * angle.cos();
    }
    y
}

/// Softmax over the `k` keys of the greatest scores.
fn attend(q: &[f64], keys: &[Vec<f64>], values: &[Vec<f64>], scale: f64, k: usize) -> Vec<f64> {
    let dot = |k: &Vec<f64>| scale * q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>();
    let scores: Vec<f64> = keys.iter().map(dot).collect();
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Among equal scores the key of lesser coordinates is better, then the earlier one.
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| {
        let by_key = || keys[a].partial_cmp(&keys[b]).unwrap();
        scores[b].total_cmp(&scores[a]).then_with(by_key)
    });
    let best = &order[..k.min(order.len())];
    let weight = |(j, s): (usize, &f64)| {
        if best.contains(&j) {
            (s - most).exp()
        } else {
            0.0
        }
    };
    let weights: Vec<f64> = scores.iter().enumerate().map(weight).collect();
    let sum: f64 = weights.iter().sum();
    let of = |d: usize| {
        let terms = weights.iter().zip(values).map(|(w, v)| w * v[d]);
        terms.sum::<f64>() / sum
    };
    (0..q.len()).map(of).collect()
}

fn activate(activation: Activation, hidden: &[f64]) -> Vec<f64> {
    let silu = |x: f64| x / (1.0 + (-x).exp());
    let half = hidden.len() / 2;
    let gated = |gate: &dyn Fn(f64) -> f64| -> Vec<f64> {
        (0..half)
            .map(|i| gate(hidden[i]) * hidden[half + i])
            .collect()
    };
    match activation {
        Activation::Relu => hidden.iter().map(|x| x.max(0.0)).collect(),
        Activation::Gelu => hidden
            .iter()
            .map(|x| x / 2.0 * (1.0 + libm::erf(x / 2.0_f64.sqrt())))
            .collect(),
        Activation::GatedRelu => gated(&|x| x.max(0.0)),
        Activation::SwiGlu => gated(&silu),
    }
}

/// The logits after each token, if heads attend to their best `k` keys alone.
pub(crate) fn logits(model: &Model, tokens: &[TokenId], k: usize) -> Vec<Vec<f64>> {
    let (config, weights) = (&model.config, &model.weights);
    let (heads, dim) = (config.heads, config.head_dim);
    let mut xs: Vec<Vec<f64>> = Vec::new();
    for (t, token) in tokens.iter().enumerate() {
        let mut x = weights.tok.row(token.0 as usize).to_vec();
        add_position(model, t, &mut x);
        xs.push(x);
    }
    for layer in &weights.layers {
        let mut keys = vec![Vec::new(); heads];
        let mut values = vec![Vec::new(); heads];
        for (t, x) in xs.iter_mut().enumerate() {
            let qkv = apply(&layer.in_proj, &normalise(config.norm, &layer.norm1, x));
            let part = |third: usize, h: usize| &qkv[(third * heads + h) * dim..][..dim];
            let mut outputs: Vec<Vec<f64>> = Vec::new();
            for h in 0..heads {
                keys[h].push(turned(config, h, t, part(1, h)));
                values[h].push(part(2, h).to_vec());
                let factor = layer.temperature.as_ref().map_or(1.0, |factors| factors[h]);
                let q = turned(config, h, t, part(0, h));
                outputs.push(attend(
                    &q,
                    &keys[h],
                    &values[h],
                    config.score_scale * factor,
                    k,
                ));
            }
            if config.head_product {
                for h in (1..heads).step_by(2) {
                    let first = outputs[h - 1].clone();
                    for (b, a) in outputs[h].iter_mut().zip(first) {
                        *b *= a;
                    }
                }
            }
            let delta = apply(&layer.out_proj, &outputs.concat());
            for (x, delta) in x.iter_mut().zip(delta) {
                *x += delta;
            }
            let hidden = apply(&layer.ff_in, &normalise(config.norm, &layer.norm2, x));
            let delta = apply(&layer.ff_out, &activate(config.activation, &hidden));
            for (x, delta) in x.iter_mut().zip(delta) {
                *x += delta;
            }
        }
    }
    let head = Linear {
        weight: weights.unembedding().clone(),
        bias: None,
    };
    let normalised = xs.iter().map(|x| normalise(config.norm, &weights.norm, x));
    normalised.map(|x| apply(&head, &x)).collect()
}
