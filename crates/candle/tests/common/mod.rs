//! Random models: written as a folder, and run by plain loops over scalars.

use std::{collections::HashMap, fs, path::Path};

use candle_core::{Device, Tensor};

pub(crate) const D_MODEL: usize = 8;
pub(crate) const HEADS: usize = 4;
pub(crate) const D_FFN: usize = 6;
pub(crate) const VOCAB: u32 = 11;

/// The weights that the scalar loops give to keys.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Attention {
    Softmax,
    Hardmax,
}

/// A row-major matrix, `[out, in]`.
#[derive(Clone)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) entries: Vec<f64>,
}

pub(crate) struct Model {
    pub(crate) matrices: HashMap<String, Matrix>,
    pub(crate) layers: usize,
    pub(crate) features: Vec<(usize, [f64; 3])>,
    pub(crate) end_tokens: Vec<u32>,
}

/// A pseudorandom generator: xorshift.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        for (left, shift) in [(true, 13), (false, 7), (true, 17)] {
            self.0 ^= if left {
                self.0 << shift
            } else {
                self.0 >> shift
            };
        }
        self.0
    }

    pub(crate) fn tokens(&mut self, count: usize) -> Vec<u32> {
        (0..count)
            .map(|_| (self.next() >> 20) as u32 % VOCAB)
            .collect()
    }

    fn matrix(&mut self, rows: usize, cols: usize) -> Matrix {
        let entries =
            (0..rows * cols).map(|_| (self.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0);
        Matrix {
            rows,
            cols,
            entries: entries.collect(),
        }
    }
}

impl Model {
    pub(crate) fn random(seed: u64, layers: usize) -> Self {
        let random = &mut Random(seed);
        let vocab = VOCAB as usize;
        let mut matrices = HashMap::new();
        let mut put = |name: String, rows, cols| matrices.insert(name, random.matrix(rows, cols));
        put("tok.weight".into(), vocab, D_MODEL);
        for i in 0..layers {
            put(format!("attn.{i}.in_proj_weight"), 3 * D_MODEL, D_MODEL);
            put(format!("attn.{i}.out_proj.weight"), D_MODEL, D_MODEL);
            put(format!("ff_in.{i}.weight"), 2 * D_FFN, D_MODEL);
            put(format!("ff_out.{i}.weight"), D_MODEL, D_FFN);
        }
        put("head.weight".into(), vocab, D_MODEL);
        let features = vec![(1, [0.5, 0.01, 0.0]), (6, [0.0, -0.02, 0.0001])];
        Self {
            matrices,
            layers,
            features,
            end_tokens: vec![],
        }
    }

    /// Multiplies every query by `factor`: softmax at such a low temperature is hard-max.
    pub(crate) fn sharpen(&mut self, factor: f64) {
        for layer in 0..self.layers {
            let in_proj = self
                .matrices
                .get_mut(&format!("attn.{layer}.in_proj_weight"))
                .expect("every layer has one");
            in_proj.entries[..D_MODEL * D_MODEL]
                .iter_mut()
                .for_each(|entry| *entry *= factor);
        }
    }

    pub(crate) fn write(&self, dir: &Path) {
        let tensor =
            |m: &Matrix| Tensor::from_slice(&m.entries, (m.rows, m.cols), &Device::Cpu).unwrap();
        let tensors: HashMap<_, _> = self
            .matrices
            .iter()
            .map(|(name, matrix)| (name, tensor(matrix)))
            .collect();
        candle_core::safetensors::save(&tensors, dir.join("model.safetensors")).unwrap();
        let feature = |(slot, coefficients): &(usize, [f64; 3])| {
            format!(r#"{{"slot": {slot}, "coefficients": {coefficients:?}}}"#)
        };
        let features = self
            .features
            .iter()
            .map(feature)
            .collect::<Vec<_>>()
            .join(", ");
        let config = format!(
            r#"{{"architecture": "vanilla-transformer-2d-heads", "layers": {},
                 "d_model": {D_MODEL}, "heads": {HEADS}, "d_ffn": {D_FFN}, "vocab": {VOCAB},
                 "attention": "softmax", "position_features": [{features}], "last_position": 4999, "key_bounds": []}}"#,
            self.layers
        );
        fs::write(dir.join("config.json"), config).unwrap();
        fs::write(
            dir.join("generation_config.json"),
            format!(r#"{{"eos_token_id": {:?}}}"#, self.end_tokens),
        )
        .unwrap();
    }

    /// Logits at every position.
    pub(crate) fn logits(&self, tokens: &[u32], attention: Attention) -> Vec<Vec<f64>> {
        let embed = |(t, &token): (usize, &u32)| {
            let mut x = self.matrices["tok.weight"].row(token as usize).to_vec();
            let t = t as f64;
            self.features
                .iter()
                .for_each(|&(slot, [a, b, c])| x[slot] += a + b * t + c * t * t);
            x
        };
        let mut stream: Vec<_> = tokens.iter().enumerate().map(embed).collect();
        for i in 0..self.layers {
            let matrix = |name: String| &self.matrices[&name];
            let qkv = matrix(format!("attn.{i}.in_proj_weight")).times_all(&stream);
            let attended: Vec<_> = (0..tokens.len())
                .map(|t| attend(&qkv[..=t], attention))
                .collect();
            add(
                &mut stream,
                &matrix(format!("attn.{i}.out_proj.weight")).times_all(&attended),
            );
            let mut hidden = matrix(format!("ff_in.{i}.weight")).times_all(&stream);
            for row in &mut hidden {
                *row = (0..D_FFN)
                    .map(|n| row[n].max(0.0) * row[n + D_FFN])
                    .collect();
            }
            add(
                &mut stream,
                &matrix(format!("ff_out.{i}.weight")).times_all(&hidden),
            );
        }
        self.matrices["head.weight"].times_all(&stream)
    }
}

impl Matrix {
    fn row(&self, row: usize) -> &[f64] {
        &self.entries[row * self.cols..][..self.cols]
    }

    fn times_all(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let times = |x: &Vec<f64>| (0..self.rows).map(|row| dot(self.row(row), x)).collect();
        inputs.iter().map(times).collect()
    }
}

/// The attention of the last row to all rows, head by head.
fn attend(qkv: &[Vec<f64>], attention: Attention) -> Vec<f64> {
    let mut output = vec![0.0; D_MODEL];
    for head in 0..HEADS {
        let part = |t: usize, third: usize| &qkv[t][third * D_MODEL + 2 * head..][..2];
        let query = part(qkv.len() - 1, 0);
        let scores: Vec<_> = (0..qkv.len())
            .map(|t| dot(query, part(t, 1)) / 2_f64.sqrt())
            .collect();
        let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weigh = |&score: &f64| match attention {
            Attention::Softmax => (score - greatest).exp(),
            Attention::Hardmax => f64::from(u8::from(score == greatest)),
        };
        let weights: Vec<_> = scores.iter().map(weigh).collect();
        let total: f64 = weights.iter().sum();
        for (t, weight) in weights.iter().enumerate() {
            (0..2).for_each(|n| output[2 * head + n] += weight / total * part(t, 2)[n]);
        }
    }
    output
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(stream: &mut [Vec<f64>], terms: &[Vec<f64>]) {
    stream
        .iter_mut()
        .flatten()
        .zip(terms.iter().flatten())
        .for_each(|(x, term)| *x += term);
}
