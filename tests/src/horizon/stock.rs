//! Stock softmax at sampled positions of a long run, without keeping its keys: the run is decoded twice by hulls, once to learn
//! the queries, once to show them every key.

use std::f64::consts::FRAC_1_SQRT_2;

use weightware::{Computer, Engine, Program, certify};
use weightware_runtime::Attended;

/// What stock softmax makes of a position, wherever a library multiplies by `1 / sqrt(2)`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampled {
    /// The position.
    pub position: u64,
    /// Heads that attend to one token: the weights of all others are exactly 0, and the token is that of the greatest exact
    /// score.
    pub one_hot: usize,
    /// Heads of which keys of several tokens have the greatest exact score: they average those.
    pub tied: usize,
    /// Heads that average over all tokens, by how much their sum is off at most.
    pub averages: (usize, f64),
    /// Others that ask for an index under which there is no key: what they answer does not matter.
    pub missed: usize,
    /// Heads that do none of these.
    pub wrong: Vec<(usize, usize)>,
}

/// The score of a query and a key.
type Score = fn([f64; 2], [f64; 2]) -> f64;

/// Where libraries multiply by `1 / sqrt(2)`: query, scores, query and keys by the root of it.
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

    fn show(&mut self, score: f64, value: [f64; 2]) {
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

/// One head's query, and all keys so far.
#[derive(Debug, Clone)]
struct Seen {
    query: [f64; 2],
    averages: bool,
    /// Whether keys have indices, and whether there is a live one under the index asked for.
    indexed: bool,
    found: bool,
    softmax: [Softmax; 3],
    /// Greatest score as the numbers are, as a sum of two floats, and the values of the keys that have it.
    exact: (f64, f64),
    best: [f64; 2],
    ties: u64,
    /// Exact sums of values, as integers.
    values: [i128; 2],
    count: u64,
}

/// The product and what rounding took from it.
fn product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// The sum and what rounding took from it.
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

/// What stock softmax attends to at positions behind the prompt of a program; those beyond its end are left out.
///
/// # Errors
/// If the program cannot be run.
pub fn at_positions(
    computer: &Computer,
    program: &Program,
    positions: &[u64],
) -> Result<Vec<Sampled>, String> {
    let certificate = certify(computer.model());
    let seen = |head: &Attended| {
        let mut heads = certificate.heads.iter();
        let certified = heads.find(|one| (one.layer, one.head) == (head.layer, head.head));
        let averages = certified.is_some_and(|head| head.averages());
        let indexed = certified.is_some_and(|head| head.index_box.is_some());
        Seen::new(head.query, averages, indexed)
    };
    let prompt = computer.prompt(program);
    let mut asked: Vec<(u64, Vec<Attended>)> = vec![];
    walk(computer, &prompt, positions, |position, attended| {
        if positions.contains(&position) {
            asked.push((position, attended.to_vec()));
        }
    })?;
    let mut seen: Vec<Vec<Seen>> = asked
        .iter()
        .map(|(_, heads)| heads.iter().map(seen).collect())
        .collect();
    walk(computer, &prompt, positions, |position, attended| {
        let open = asked
            .iter()
            .zip(&mut seen)
            .filter(|((last, _), _)| position <= *last);
        for (_, heads) in open {
            for (seen, head) in heads.iter_mut().zip(attended) {
                seen.show(head.key, head.value);
            }
        }
    })?;
    let judged = asked.iter().zip(&seen).map(|((position, heads), seen)| {
        let mut sampled = Sampled {
            position: *position,
            ..Sampled::default()
        };
        for (head, seen) in heads.iter().zip(seen) {
            seen.judge((head.layer, head.head), &mut sampled);
        }
        sampled
    });
    Ok(judged.collect())
}

/// Decodes up to the last of the positions, and shows what heads ask and offer at every one.
fn walk(
    computer: &Computer,
    prompt: &[weightware::TokenId],
    positions: &[u64],
    mut show: impl FnMut(u64, &[Attended]),
) -> Result<(), String> {
    let last = positions.iter().copied().max().unwrap_or(0);
    let mut decoder = weightware::Decoder::new(computer.model(), Engine::Hull)
        .map_err(|error| error.to_string())?;
    let mut attended = vec![];
    for (token, position) in prompt.iter().zip(0..) {
        decoder
            .prefill(&[*token])
            .map_err(|stop| stop.to_string())?;
        attended.clear();
        attended.extend(decoder.attended());
        show(position, &attended);
    }
    let mut position = prompt.len() as u64 - 1;
    // The token that is asked for goes through the layers when the next one is.
    let mut tokens = decoder.generate(None).next();
    while tokens.is_some() && position < last {
        tokens = decoder.generate(None).next();
        position += 1;
        if tokens.is_some() || decoder.finish().is_some() {
            attended.clear();
            attended.extend(decoder.attended());
            show(position, &attended);
        }
    }
    Ok(())
}
