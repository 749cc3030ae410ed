//! Stock softmax at sampled positions of a long run, without keeping its keys: the run is decoded twice by hulls, once to learn
//! the queries, once to show them every key.

use weightware::{Computer, Engine, Program, certify};
use weightware_runtime::Attended;

/// What stock softmax makes of a position.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampled {
    /// The position.
    pub position: u64,
    /// Heads that attend to one token: the weights of all others are exactly 0, and the token is that of the greatest exact
    /// score.
    pub one_hot: usize,
    /// Heads that average, by how much their sum over all tokens is off at most.
    pub averages: (usize, f64),
    /// Heads that do neither.
    pub wrong: Vec<(usize, usize)>,
}

/// One head's query, and all keys so far.
#[derive(Debug, Clone)]
struct Seen {
    query: [f64; 2],
    averages: bool,
    /// Greatest score in f64, the sum of the weights and of the weighted values.
    top: f64,
    total: f64,
    sums: [f64; 2],
    /// Greatest score as the numbers are, as a sum of two floats, and its value.
    exact: (f64, f64),
    best: [f64; 2],
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
    fn new(query: [f64; 2], averages: bool) -> Self {
        Self {
            query,
            averages,
            top: f64::NEG_INFINITY,
            total: 0.0,
            sums: [0.0; 2],
            exact: (f64::NEG_INFINITY, 0.0),
            best: [0.0; 2],
            values: [0; 2],
            count: 0,
        }
    }

    fn show(&mut self, key: [f64; 2], value: [f64; 2]) {
        let [x, y] = self.query;
        let scale = std::f64::consts::FRAC_1_SQRT_2;
        let score = (x * scale) * key[0] + (y * scale) * key[1];
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
        // Two products and the sum of their rounded parts, each with its error.
        let ((a, a_off), (b, b_off)) = (product(x, key[0]), product(y, key[1]));
        let (high, off) = sum(a, b);
        let exact = sum(high, off + (a_off + b_off));
        if exact > self.exact {
            (self.exact, self.best) = (exact, value);
        }
        for (sum, value) in self.values.iter_mut().zip(value) {
            *sum += value as i128;
        }
        self.count += 1;
    }

    fn judge(&self, head: (usize, usize), sampled: &mut Sampled) {
        if self.averages {
            let count = self.count as f64;
            let off = |part: usize| {
                (self.sums[part] / self.total * count - self.values[part] as f64).abs()
            };
            sampled.averages.0 += 1;
            sampled.averages.1 = sampled.averages.1.max(off(0)).max(off(1));
        } else if self.total == 1.0 && self.sums == self.best {
            sampled.one_hot += 1;
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
    let averaging: Vec<_> = certify(computer.model())
        .heads
        .iter()
        .filter(|head| head.averages())
        .map(|head| (head.layer, head.head))
        .collect();
    let prompt = computer.prompt(program);
    let mut asked: Vec<(u64, Vec<Attended>)> = vec![];
    walk(computer, &prompt, positions, |position, attended| {
        if positions.contains(&position) {
            asked.push((position, attended.to_vec()));
        }
    })?;
    let mut seen: Vec<Vec<Seen>> = asked
        .iter()
        .map(|(_, heads)| {
            let heads = heads.iter();
            heads
                .map(|head| Seen::new(head.query, averaging.contains(&(head.layer, head.head))))
                .collect()
        })
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
