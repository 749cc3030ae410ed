//! The forward pass of a general folder, number by number in f64: slow, and evidently right.

use serde_json::Value;

use super::{Folder, is_on, size};

/// The logits after each token.
pub(crate) fn logits(folder: &Folder, tokens: &[u32]) -> Vec<Vec<f64>> {
    let config = &folder.config;
    let mut stream: Vec<Vec<f64>> = Vec::new();
    for (t, &token) in tokens.iter().enumerate() {
        let mut x = folder.row("tok.weight", token as usize).to_vec();
        add(&mut x, &position(folder, t));
        stream.push(x);
    }
    for i in 0..size(config, "layers") {
        let normed = stream.iter().map(|x| folder.norm(&format!("norm1.{i}"), x));
        let qkv: Vec<_> = normed
            .map(|x| folder.linear(&format!("attn.{i}.in_proj_"), &x))
            .collect();
        for t in 0..stream.len() {
            let y = heads(folder, i, &qkv[..=t]);
            add(
                &mut stream[t],
                &folder.linear(&format!("attn.{i}.out_proj."), &y),
            );
            let h = folder.norm(&format!("norm2.{i}"), &stream[t]);
            let h = activate(config, &folder.linear(&format!("ff_in.{i}."), &h));
            add(&mut stream[t], &folder.linear(&format!("ff_out.{i}."), &h));
        }
    }
    let head = match is_on(config, "tied_embeddings") {
        true => "tok.",
        false => "head.",
    };
    let last = stream.iter().map(|x| folder.norm("norm", x));
    last.map(|x| folder.linear(head, &x)).collect()
}

impl Folder {
    fn row(&self, name: &str, row: usize) -> &[f64] {
        let tensor = &self.tensors[name];
        let cols = tensor.dims[1];
        &tensor.entries[row * cols..][..cols]
    }

    fn linear(&self, prefix: &str, x: &[f64]) -> Vec<f64> {
        let weight = format!("{prefix}weight");
        let bias = self.tensors.get(&format!("{prefix}bias"));
        let of = |row: usize| dot(self.row(&weight, row), x) + bias.map_or(0.0, |b| b.entries[row]);
        (0..self.tensors[&weight].dims[0]).map(of).collect()
    }

    fn norm(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let epsilon = self.config["norm_epsilon"].as_f64().unwrap_or(1e-5);
        let average =
            |of: &dyn Fn(f64) -> f64| x.iter().map(|&x| of(x)).sum::<f64>() / x.len() as f64;
        let mean = match self.config["norm"].as_str().unwrap() {
            "none" => return x.to_vec(),
            "layer" => average(&|x| x),
            _ => 0.0,
        };
        let root = (average(&|x| (x - mean).powi(2)) + epsilon).sqrt();
        let scale = &self.tensors[&format!("{name}.weight")].entries;
        let shift = self.tensors.get(&format!("{name}.bias"));
        let of = |i: usize| (x[i] - mean) / root * scale[i] + shift.map_or(0.0, |s| s.entries[i]);
        (0..x.len()).map(of).collect()
    }
}

fn position(folder: &Folder, t: usize) -> Vec<f64> {
    let positions = &folder.config["positions"];
    let d = size(&folder.config, "d_model");
    let mut vector = vec![0.0; d];
    match positions["kind"].as_str().unwrap() {
        "learned" => vector = folder.row("positions.weight", t).to_vec(),
        "sinusoidal" => {
            for (slot, entry) in vector.iter_mut().enumerate() {
                let j = slot / 2;
                let angle = t as f64 / base(positions).powf(2.0 * j as f64 / d as f64);
                *entry = if slot == 2 * j {
                    angle.sin()
                } else {
                    angle.cos()
                };
            }
        }
        "polynomial" => {
            for feature in positions["features"].as_array().unwrap() {
                let c = |n: usize| feature["coefficients"][n].as_f64().unwrap();
                let t = t as f64;
                vector[size(feature, "slot")] = c(0) + c(1) * t + c(2) * t * t;
            }
        }
        _ => {}
    }
    vector
}

fn base(positions: &Value) -> f64 {
    positions["base"].as_f64().unwrap_or(1e4)
}

/// The outputs of all heads for the last of the tokens.
fn heads(folder: &Folder, layer: usize, qkv: &[Vec<f64>]) -> Vec<f64> {
    let config = &folder.config;
    let (count, dim) = (size(config, "heads"), size(config, "head_dim"));
    let usual = 1.0 / (dim as f64).sqrt();
    let scale = config["score_scale"].as_f64().unwrap_or(usual);
    let temperatures = folder.tensors.get(&format!("attn.{layer}.temperature"));
    let mut outputs: Vec<Vec<f64>> = Vec::new();
    for head in 0..count {
        let part = |t: usize, third: usize| &qkv[t][(third * count + head) * dim..][..dim];
        let turned = |t: usize, third: usize| turn(config, head, t, part(t, third));
        let last = qkv.len() - 1;
        let factor = scale * temperatures.map_or(1.0, |of| of.entries[head]);
        let score = |t: usize| factor * dot(&turned(last, 0), &turned(t, 1));
        let scores: Vec<f64> = (0..=last).map(score).collect();
        let total: f64 = scores.iter().map(|score| score.exp()).sum();
        let mut output = vec![0.0; dim];
        for (t, score) in scores.iter().enumerate() {
            let weight = score.exp() / total;
            let weighted: Vec<f64> = part(t, 2).iter().map(|v| weight * v).collect();
            add(&mut output, &weighted);
        }
        if is_on(config, "head_product") && head % 2 == 1 {
            let first = &outputs[head - 1];
            output.iter_mut().zip(first).for_each(|(b, a)| *b *= a);
        }
        outputs.push(output);
    }
    outputs.concat()
}

fn turn(config: &Value, head: usize, t: usize, x: &[f64]) -> Vec<f64> {
    let positions = &config["positions"];
    let mut turned = x.to_vec();
    if positions["kind"] != "rotary" {
        return turned;
    }
    let pairs = x.len() / 2;
    for p in 0..pairs {
        let exponent = if positions["spread"] == "heads" {
            (head * pairs + p) as f64 / (size(config, "heads") * pairs) as f64
        } else {
            p as f64 / pairs as f64
        };
        let (sin, cos) = (t as f64 / base(positions).powf(exponent)).sin_cos();
        turned[2 * p] = x[2 * p] * cos - x[2 * p + 1] * sin;
        turned[2 * p + 1] = x[2 * p] * sin + x[2 * p + 1] * cos;
    }
    turned
}

fn activate(config: &Value, hidden: &[f64]) -> Vec<f64> {
    let (gates, values) = hidden.split_at(hidden.len() / 2);
    let gated = |open: fn(f64) -> f64| -> Vec<f64> {
        let pairs = gates.iter().zip(values);
        pairs.map(|(&gate, value)| open(gate) * value).collect()
    };
    match config["activation"].as_str().unwrap() {
        "relu" => hidden.iter().map(|x| x.max(0.0)).collect(),
        "gelu" => hidden.iter().map(|&x| x * normal_distribution(x)).collect(),
        "gated_relu" => gated(|x| x.max(0.0)),
        _ => gated(|x| x / (1.0 + (-x).exp())),
    }
}

/// `Phi(x) = 1/2 + phi(x) (x + x^3 / 3 + x^5 / (3 * 5) + ..)`.
fn normal_distribution(x: f64) -> f64 {
    let (mut term, mut sum) = (x, 0.0);
    for n in 1..200 {
        sum += term;
        term *= x * x / f64::from(2 * n + 1);
    }
    0.5 + (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt() * sum
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(x: &mut [f64], terms: &[f64]) {
    x.iter_mut().zip(terms).for_each(|(x, term)| *x += term);
}
