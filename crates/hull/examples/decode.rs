//! Decodes a random transformer whose heads are two-dimensional, with a hull and a linear cache
//! side by side.
//!
//! ```text
//! cargo run --release -p weightware-hull --example decode -- [TOKENS]
//! ```

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};
use weightware_hull::{Error, HullCache, KeyValueIndex, LinearCache, Point};

const LAYERS: usize = 3;
const HEADS: usize = 8;
const D: usize = 2 * HEADS;
const VOCAB: usize = 64;

type Stream = [f64; D];
type Matrix = Vec<Stream>;

/// Random weights: x += W_o · attention(W_q x, W_k x, W_v x); x += W_2 · (relu(W_g x) · W_1 x).
struct Model {
    embedding: Matrix,
    layers: Vec<[Matrix; 7]>,
}

impl Model {
    fn random(mut seed: u64) -> Self {
        let mut number = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed as i64 as f64 / 2f64.powi(63)
        };
        let mut matrix = |rows: usize| -> Matrix {
            (0..rows).map(|_| [0.0; D].map(|_: f64| number())).collect()
        };
        Self {
            embedding: matrix(VOCAB),
            layers: (0..LAYERS).map(|_| [0; 7].map(|_| matrix(D))).collect(),
        }
    }
}

fn multiply(matrix: &Matrix, x: &Stream) -> Stream {
    let mut product = [0.0; D];
    for (out, row) in product.iter_mut().zip(matrix) {
        *out = row.iter().zip(x).map(|(w, x)| w * x).sum();
    }
    product
}

/// The residual stream scaled to a root mean square of 1, so that it neither grows nor fades.
fn normalised(x: &Stream) -> Stream {
    let size = (x.iter().map(|v| v * v).sum::<f64>() / D as f64)
        .sqrt()
        .max(1e-9);
    x.map(|v| v / size)
}

fn pair(x: &Stream, head: usize) -> [f64; 2] {
    [x[2 * head], x[2 * head + 1]]
}

/// One sequence, with a cache for every head.
struct Decoder<'m, C> {
    model: &'m Model,
    caches: Vec<C>,
    attention: Duration,
}

impl<'m, C: KeyValueIndex + Default> Decoder<'m, C> {
    fn new(model: &'m Model) -> Self {
        let caches = (0..LAYERS * HEADS).map(|_| C::default()).collect();
        Self {
            model,
            caches,
            attention: Duration::ZERO,
        }
    }

    /// The token after this one.
    fn step(&mut self, token: usize, position: u32) -> Result<usize, Error> {
        let mut x = self.model.embedding[token];
        // Positions enter as angles whose periods differ, so that the sequence does not repeat
        // early.
        for (i, pair) in x.chunks_exact_mut(2).enumerate() {
            let (sin, cos) = (f64::from(position) * 0.7_f64.powi(i as i32 + 1)).sin_cos();
            pair[0] += sin;
            pair[1] += cos;
        }
        for (weights, caches) in self.model.layers.iter().zip(self.caches.chunks_mut(HEADS)) {
            let [wq, wk, wv, wo, gate, up, down] = weights;
            let input = normalised(&x);
            let [q, k, v] = [wq, wk, wv].map(|w| multiply(w, &input));
            let mut answers = [0.0; D];
            let start = Instant::now();
            for (head, cache) in caches.iter_mut().enumerate() {
                cache.push(Point::from(pair(&k, head)), pair(&v, head))?;
                let answer = cache.query(Point::from(pair(&q, head)))?;
                answers[2 * head..2 * head + 2].copy_from_slice(&answer);
            }
            self.attention += start.elapsed();
            let update = multiply(wo, &answers);
            x.iter_mut().zip(update).for_each(|(x, u)| *x += u);
            let input = normalised(&x);
            let (gate, mut inner) = (multiply(gate, &input), multiply(up, &input));
            inner
                .iter_mut()
                .zip(gate)
                .for_each(|(v, g)| *v *= g.max(0.0));
            let update = multiply(down, &inner);
            x.iter_mut().zip(update).for_each(|(x, u)| *x += u);
        }
        let x = normalised(&x);
        let logit = |row: &Stream| row.iter().zip(&x).map(|(w, x)| w * x).sum::<f64>();
        let logits = self.model.embedding.iter().map(logit).enumerate();
        let best = logits.max_by(|a, b| a.1.total_cmp(&b.1));
        Ok(best.map_or(0, |(token, _)| token))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tokens: u32 = std::env::args().nth(1).map_or(Ok(8_000), |n| n.parse())?;
    let model = Model::random(0x9e37_79b9_7f4a_7c15);
    let mut hull: Decoder<HullCache> = Decoder::new(&model);
    let mut linear: Decoder<LinearCache> = Decoder::new(&model);
    let mut token = 0;
    let mut seen = [0_u32; VOCAB];
    println!(
        "attention, µs per token over the last stretch\n\n{:>8} {:>8} {:>8}",
        "tokens", "hull", "linear"
    );
    let mut report = 500;
    let mut since = 0;
    for position in 0..tokens {
        let next = hull.step(token, position)?;
        assert_eq!(
            next,
            linear.step(token, position)?,
            "at position {position}"
        );
        token = next;
        seen[token] += 1;
        if position + 1 == report || position + 1 == tokens {
            let stretch = f64::from(position + 1 - since);
            let each = |time: &mut Duration| std::mem::take(time).as_secs_f64() * 1e6 / stretch;
            let [a, b] = [&mut hull.attention, &mut linear.attention].map(each);
            println!("{:>8} {a:>8.1} {b:>8.1}", position + 1);
            (since, report) = (position + 1, report * 2);
        }
    }
    let vertices: usize = hull
        .caches
        .iter()
        .map(|cache| cache.hull().vertices())
        .sum();
    println!(
        "\nThe same {tokens} tokens, {} different ones. Of {} keys, {vertices} can still win.",
        seen.iter().filter(|&&n| n > 0).count(),
        tokens as usize * LAYERS * HEADS,
    );
    Ok(())
}
