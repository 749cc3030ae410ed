//! Random programs, and a plain scalar forward pass that runs weights.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test file uses a part"
)]

mod program;

pub use program::{random_program, random_program_near};
use weightware_model::Model;

/// A reproducible stream of pseudorandom numbers (xorshift64*).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % u64::from(bound)) as u32
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    /// A word, often one at an edge of an operation.
    pub fn word(&mut self) -> u32 {
        let edges = [
            0,
            1,
            2,
            127,
            128,
            255,
            256,
            0x7fff,
            0x8000,
            0xffff,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_fffe,
            u32::MAX,
        ];
        match self.below(3) {
            0 => self.pick(&edges),
            1 => self.below(300),
            _ => self.below(u32::MAX),
        }
    }
}

/// A plain forward pass in f64, one token at a time: stock softmax attention over all keys so far.
pub struct Forward<'m> {
    model: &'m Model,
    /// The keys and values of each layer and head.
    cache: Vec<Vec<([f64; 2], [f64; 2])>>,
    position: u64,
    /// The residual stream of the latest token: the embedding, then the stream after every
    /// half-layer.
    pub half_layers: Vec<Vec<f64>>,
}

impl<'m> Forward<'m> {
    pub fn new(model: &'m Model) -> Self {
        let shape = model.config.shape;
        Self {
            model,
            cache: vec![vec![]; shape.layers * shape.heads],
            position: 0,
            half_layers: vec![],
        }
    }

    /// Processes a token and returns the residual stream after the last layer.
    pub fn push(&mut self, token: u32) -> Vec<f64> {
        let shape = self.model.config.shape;
        let mut x = self.model.weights.tok.row(token as usize).to_vec();
        for (slot, feature) in
            weightware_model::position_embedding(&self.model.config, self.position)
                .iter()
                .enumerate()
        {
            x[slot] += feature;
        }
        self.half_layers = vec![x.clone()];
        for (index, layer) in self.model.weights.layers.iter().enumerate() {
            let qkv = times(&layer.in_proj, &x);
            let mut y = vec![0.0; shape.d_model];
            for head in 0..shape.heads {
                let pair =
                    |third: usize| [0, 1].map(|part| qkv[third * shape.d_model + 2 * head + part]);
                if pair(2) == [0.0; 2]
                    && layer
                        .in_proj
                        .row(2 * shape.d_model + 2 * head)
                        .iter()
                        .all(|&w| w == 0.0)
                {
                    continue; // a head without values
                }
                let query = pair(0).map(|q| q * 0.5_f64.sqrt());
                let cache = &mut self.cache[index * shape.heads + head];
                cache.push((pair(1), pair(2)));
                let scores: Vec<f64> = cache
                    .iter()
                    .map(|(key, _)| query[0] * key[0] + query[1] * key[1])
                    .collect();
                let top = scores.iter().copied().fold(f64::MIN, f64::max);
                let weights: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
                let total: f64 = weights.iter().sum();
                for (weight, (_, value)) in weights.iter().zip(cache.iter()) {
                    y[2 * head] += weight / total * value[0];
                    y[2 * head + 1] += weight / total * value[1];
                }
            }
            add(&mut x, &times(&layer.out_proj, &y));
            self.half_layers.push(x.clone());
            let hidden = times(&layer.ff_in, &x);
            let (gates, values) = hidden.split_at(hidden.len() / 2);
            let hidden: Vec<f64> = gates
                .iter()
                .zip(values)
                .map(|(gate, value)| gate.max(0.0) * value)
                .collect();
            add(&mut x, &times(&layer.ff_out, &hidden));
            self.half_layers.push(x.clone());
        }
        self.position += 1;
        x
    }

    /// The id of the token with the greatest logit.
    pub fn argmax(&self, x: &[f64]) -> u32 {
        let logits = times(&self.model.weights.head, x);
        let best = logits
            .iter()
            .zip(0..)
            .max_by(|a, b| a.0.total_cmp(b.0).then(b.1.cmp(&a.1)));
        best.expect("a vocabulary is not empty").1
    }
}

fn times(matrix: &weightware_model::Matrix, x: &[f64]) -> Vec<f64> {
    (0..matrix.rows)
        .map(|row| matrix.row(row).iter().zip(x).map(|(w, x)| w * x).sum())
        .collect()
}

fn add(x: &mut [f64], y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}
