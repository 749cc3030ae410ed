//! Stock softmax at sampled positions of a long run, without keeping its keys.
//!
//! The run is decoded twice by hulls: the first pass records the queries at those positions, the
//! second shows them every key. The values that softmax returns go through the layers, up to the
//! logits.

use std::f64::consts::FRAC_1_SQRT_2;

use weightware::{Computer, Engine, Model, Program, TokenId, certify};
use weightware_model::{Matrix, position_embedding};
use weightware_runtime::HeadActivation;

use crate::far::best;

/// The results of stock softmax at a position, for each place where a library scales.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampled {
    /// The position.
    pub position: u64,
    /// Heads that attend to one token: the weights of all others are exactly 0, and the token has
    /// the greatest exact score.
    pub one_hot: usize,
    /// Heads for which the keys of several tokens have the greatest exact score; they average
    /// those.
    pub tied: usize,
    /// Heads that average over all tokens, and the greatest error of their sums.
    pub averages: (usize, f64),
    /// Heads whose query is an index without a key, so that their values do not matter.
    pub missed: usize,
    /// Heads that do none of these.
    pub wrong: Vec<(usize, usize)>,
    /// The next token of the run.
    pub said: Option<TokenId>,
    /// For each scaling the token of the greatest logit, and its lead.
    pub predicted: [Option<(TokenId, f64)>; 3],
    /// The greatest distance between a query that results from softmax and the query of the run.
    pub off: f64,
}

impl Sampled {
    /// Whether softmax attends as certified, and predicts the token of the run. If a lookup finds
    /// no key, its value and the queries that result from it do not matter.
    #[must_use]
    pub fn is_right(&self) -> bool {
        let said = |predicted: &Option<(TokenId, f64)>| predicted.map(|(token, _)| token);
        let agree = self.predicted.iter().all(|one| said(one) == self.said);
        self.wrong.is_empty() && agree && (self.off < 1e-6 || self.missed > 0)
    }

    /// The least lead.
    #[must_use]
    pub fn lead(&self) -> f64 {
        let leads = self.predicted.iter().flatten().map(|(_, lead)| *lead);
        leads.fold(f64::INFINITY, f64::min)
    }
}

/// The score of a query and a key.
type Score = fn([f64; 2], [f64; 2]) -> f64;

/// The places where libraries multiply by `1 / sqrt(2)`: the query, the scores, or query and keys
/// by its root.
const SCALINGS: [Score; 3] = [
    |query, key| dot(query.map(|q| q * FRAC_1_SQRT_2), key),
    |query, key| dot(query, key) * FRAC_1_SQRT_2,
    |query, key| {
        let root = FRAC_1_SQRT_2.sqrt();
        dot(query.map(|q| q * root), key.map(|k| k * root))
    },
];

fn dot(query: [f64; 2], key: [f64; 2]) -> f64 {
    query[0] * key[0] + query[1] * key[1]
}

/// Softmax over the keys so far: greatest score, the sum of the weights and of the weighted values.
#[derive(Debug, Clone, Copy)]
struct Softmax {
    top: f64,
    total: f64,
    sums: [f64; 2],
}

impl Softmax {
    const NOTHING: Self = Self {
        top: f64::NEG_INFINITY,
        total: 0.0,
        sums: [0.0; 2],
    };

    fn answer(&self) -> [f64; 2] {
        self.sums.map(|sum| sum / self.total)
    }

    fn show(&mut self, score: f64, value: [f64; 2]) {
        // The weight of a score this far below the top is exactly 0.
        if score < self.top - 800.0 {
            return;
        }
        if score > self.top {
            let faded = (self.top - score).exp();
            self.top = score;
            self.total *= faded;
            self.sums = self.sums.map(|sum| sum * faded);
        }
        let weight = (score - self.top).exp();
        self.total += weight;
        for (sum, value) in self.sums.iter_mut().zip(value) {
            *sum += weight * value;
        }
    }
}

/// The query of one head, and all keys so far.
#[derive(Debug, Clone)]
struct Seen {
    query: [f64; 2],
    averages: bool,
    /// Whether keys have indices, and whether the queried index has a live key.
    indexed: bool,
    found: bool,
    softmax: [Softmax; 3],
    /// The greatest exact score, as a sum of two floats, and the sum of the values of the keys that
    /// have it.
    exact: (f64, f64),
    best: [f64; 2],
    ties: u64,
    /// Exact sums of values, as integers.
    values: [i128; 2],
    count: u64,
}

/// The rounded product and its rounding error.
fn product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// The rounded sum and its rounding error.
fn sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

impl Seen {
    fn new(query: [f64; 2], averages: bool, indexed: bool) -> Self {
        Self {
            query,
            averages,
            indexed,
            found: false,
            softmax: [Softmax::NOTHING; 3],
            exact: (f64::NEG_INFINITY, 0.0),
            best: [0.0; 2],
            ties: 0,
            values: [0; 2],
            count: 0,
        }
    }

    fn show(&mut self, key: [f64; 2], value: [f64; 2]) {
        let [x, y] = self.query;
        let half = key[0] / 2.0;
        self.found |= half == x / y && key[1] + half * half >= -0.5;
        for (softmax, score) in self.softmax.iter_mut().zip(SCALINGS) {
            softmax.show(score(self.query, key), value);
        }
        // Two products and the sum of their rounded parts, each with its error.
        let ((a, a_off), (b, b_off)) = (product(x, key[0]), product(y, key[1]));
        let (high, off) = sum(a, b);
        let exact = sum(high, off + (a_off + b_off));
        if exact > self.exact {
            (self.exact, self.best, self.ties) = (exact, value, 1);
        } else if exact == self.exact {
            self.ties += 1;
            self.best = [self.best[0] + value[0], self.best[1] + value[1]];
        }
        for (sum, value) in self.values.iter_mut().zip(value) {
            *sum += value as i128;
        }
        self.count += 1;
    }

    fn judge(&self, head: (usize, usize), sampled: &mut Sampled) {
        let ties = self.ties as f64;
        let close =
            |sum: f64, best: f64| (sum / ties - best / ties).abs() <= 1e-9 * (best / ties).abs();
        if self.averages {
            let count = self.count as f64;
            sampled.averages.0 += 1;
            for Softmax { total, sums, .. } in self.softmax {
                for (sum, exact) in sums.into_iter().zip(self.values) {
                    let off = (sum / total * count - exact as f64).abs();
                    sampled.averages.1 = sampled.averages.1.max(off);
                }
            }
        } else if self.ties == 1
            && self
                .softmax
                .iter()
                .all(|softmax| softmax.total == 1.0 && softmax.sums == self.best)
        {
            sampled.one_hot += 1;
        } else if self.indexed && !self.found {
            sampled.missed += 1;
        } else if self.ties > 1
            && self.softmax.iter().all(|softmax| {
                softmax.total == ties
                    && (0..2).all(|part| close(softmax.sums[part], self.best[part]))
            })
        {
            sampled.tied += 1;
        } else {
            sampled.wrong.push(head);
        }
    }
}

/// The results of stock softmax at positions after the prompt of a program. Positions beyond its
/// end are left out.
///
/// # Errors
/// If the program cannot be run.
pub fn at_positions(
    computer: &Computer,
    program: &Program,
    positions: &[u64],
) -> Result<Vec<Sampled>, String> {
    let certificate = certify(computer.model());
    let seen = |head: &HeadActivation| {
        let mut heads = certificate.heads.iter();
        let certified = heads.find(|one| (one.layer, one.head) == (head.layer, head.head));
        let averages = certified.is_some_and(|head| head.averages());
        let indexed = certified.is_some_and(|head| head.index_box.is_some());
        Seen::new(head.query, averages, indexed)
    };
    let prompt = computer.prompt(program);
    let mut asked: Vec<Asked> = vec![];
    walk(
        computer,
        &prompt,
        positions,
        |position, tokens, attended| {
            if positions.contains(&position) {
                asked.push(Asked {
                    position,
                    tokens,
                    heads: attended.to_vec(),
                });
            }
        },
    )?;
    let mut seen: Vec<Vec<Seen>> = asked
        .iter()
        .map(|asked| asked.heads.iter().map(seen).collect())
        .collect();
    walk(computer, &prompt, positions, |position, _, attended| {
        let open = asked
            .iter()
            .zip(&mut seen)
            .filter(|(asked, _)| position <= asked.position);
        for (_, heads) in open {
            for (seen, head) in heads.iter_mut().zip(attended) {
                seen.show(head.key, head.value);
            }
        }
    })?;
    let judged = asked.iter().zip(&seen).map(|(asked, seen)| {
        let mut sampled = Sampled {
            position: asked.position,
            said: asked.tokens[1],
            ..Sampled::default()
        };
        for (head, seen) in asked.heads.iter().zip(seen) {
            seen.judge((head.layer, head.head), &mut sampled);
        }
        for scaling in 0..SCALINGS.len() {
            let answers = seen.iter().map(|seen| seen.softmax[scaling].answer());
            let answers: Vec<[f64; 2]> = answers.collect();
            let (logits, off) = asked.forward(computer.model(), &answers);
            sampled.predicted[scaling] = best(&logits);
            // NaN counts as an infinite distance.
            sampled.off = if off >= 0.0 {
                sampled.off.max(off)
            } else {
                f64::INFINITY
            };
        }
        sampled
    });
    Ok(judged.collect())
}

/// The queries of a run at a position.
#[derive(Debug)]
struct Asked {
    position: u64,
    /// The token at the position, and the next one.
    tokens: [Option<TokenId>; 2],
    heads: Vec<HeadActivation>,
}

impl Asked {
    /// The logits if the heads return these values, and the distance of the queries that result.
    fn forward(&self, model: &Model, answers: &[[f64; 2]]) -> (Vec<f64>, f64) {
        let d_model = model.config.shape.d_model;
        let token = self.tokens[0].map_or(0, |token| token.0 as usize);
        let mut x = model.weights.tok.row(token).to_vec();
        let features = position_embedding(&model.config, self.position);
        add(&mut x, &features);
        let mut off = 0.0_f64;
        for (number, layer) in model.weights.layers.iter().enumerate() {
            let asked = times(&layer.in_proj, &x);
            let mut given = vec![0.0; d_model];
            let heads = self.heads.iter().zip(answers);
            for (head, answer) in heads.filter(|(head, _)| head.layer == number) {
                let at = 2 * head.head;
                let greatest = head.query[0].abs().max(head.query[1].abs());
                for (asked, query) in asked[at..].iter().zip(head.query) {
                    let this = (asked - query).abs() / greatest.max(1.0);
                    off = if this <= off { off } else { this };
                }
                given[at..at + 2].copy_from_slice(answer);
            }
            add(&mut x, &times(&layer.out_proj, &given));
            let hidden = times(&layer.ff_in, &x);
            let (gates, values) = hidden.split_at(hidden.len() / 2);
            let hidden = gates.iter().zip(values);
            let hidden: Vec<f64> = hidden.map(|(gate, value)| gate.max(0.0) * value).collect();
            add(&mut x, &times(&layer.ff_out, &hidden));
        }
        (times(&model.weights.head, &x), off)
    }
}

fn times(matrix: &Matrix, x: &[f64]) -> Vec<f64> {
    (0..matrix.rows)
        .map(|row| matrix.row(row).iter().zip(x).map(|(w, x)| w * x).sum())
        .collect()
}

fn add(x: &mut [f64], y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

/// Decodes up to the last of the positions, and shows the activations of the heads at every one;
/// after the prompt also the token at the position and the next one.
fn walk(
    computer: &Computer,
    prompt: &[TokenId],
    positions: &[u64],
    mut show: impl FnMut(u64, [Option<TokenId>; 2], &[HeadActivation]),
) -> Result<(), String> {
    let last = positions.iter().copied().max().unwrap_or(0);
    let mut decoder = weightware::Decoder::new(computer.model(), Engine::Hull)
        .map_err(|error| error.to_string())?;
    let mut attended = vec![];
    for (&token, position) in prompt.iter().zip(0..) {
        decoder.prefill(&[token]).map_err(|stop| stop.to_string())?;
        attended.clear();
        attended.extend(decoder.head_activations());
        show(position, [Some(token), None], &attended);
    }
    let mut position = prompt.len() as u64 - 1;
    // A token goes through the layers when the next one is requested.
    let mut token = decoder.generate(None).next();
    while token.is_some() && position < last {
        let next = decoder.generate(None).next();
        position += 1;
        if next.is_some() || decoder.finish_reason().is_some() {
            attended.clear();
            attended.extend(decoder.head_activations());
            show(position, [token, next], &attended);
        }
        token = next;
    }
    Ok(())
}
