//! One head at a time: scores of one query against all keys, which are held transposed, `[D][T]`.
//! Loops run over keys.

use super::algorithm::{Algorithm, Attention, turned};
use crate::real::Real;

/// Keys that are worked on at a time; rows of scores are padded to a multiple.
const LANES: usize = 16;

/// The algorithm for any head dimension.
pub(super) struct Rows<R> {
    head: Head<R>,
    gradients: Gradients<R>,
}

impl<R: Real> Algorithm for Rows<R> {
    type Number = R;

    fn new(of: &Attention, length: usize) -> Self {
        Self {
            head: Head::new(of, length),
            gradients: Gradients::new(of, length),
        }
    }

    #[inline(always)]
    fn forward(&mut self, of: &Attention, qkv: &[R], temperature: &[R], out: &mut [R]) {
        let (dim, width) = (of.dim, of.heads * of.dim);
        let head = &mut self.head;
        for (h, &temperature) in temperature.iter().enumerate() {
            head.load(of, qkv, h, temperature);
            for i in 0..head.length {
                head.answer(dim, i, &mut out[i * width + h * dim..][..dim]);
            }
        }
    }

    #[inline(always)]
    fn backward(
        &mut self,
        of: &Attention,
        [qkv, temperature, out, grad]: [&[R]; 4],
        dqkv: &mut [R],
        dtemperature: &mut [R],
    ) {
        let (dim, width) = (of.dim, of.heads * of.dim);
        let Self { head, gradients } = self;
        for h in 0..of.heads {
            head.load(of, qkv, h, temperature[h]);
            gradients.clear();
            for i in 0..head.length {
                let columns = i * width + h * dim..i * width + (h + 1) * dim;
                gradients.add(dim, head, i, &out[columns.clone()], &grad[columns]);
            }
            gradients.store(of, dqkv, h);
            dtemperature[h] = gradients.temperature;
        }
    }
}

/// Queries, keys and values of one head, and a row of scores.
struct Head<R> {
    length: usize,
    padded: usize,
    scale: R,
    temperature: R,
    /// `[T][D]`, and all else `[D][padded]`.
    queries: Vec<R>,
    keys: Vec<R>,
    values: Vec<R>,
    scores: Vec<R>,
}

impl<R: Real> Head<R> {
    fn new(of: &Attention, length: usize) -> Self {
        let padded = length.next_multiple_of(LANES);
        Self {
            length,
            padded,
            scale: R::of(of.scale),
            temperature: R::one(),
            queries: vec![R::zero(); length * of.dim],
            keys: vec![R::zero(); padded * of.dim],
            values: vec![R::zero(); padded * of.dim],
            scores: vec![R::zero(); padded],
        }
    }

    #[inline(always)]
    fn load(&mut self, of: &Attention, qkv: &[R], h: usize, temperature: R) {
        let (dim, width, pairs) = (of.dim, of.heads * of.dim, of.dim / 2);
        self.temperature = temperature;
        for (t, row) in qkv.chunks_exact(3 * width).enumerate() {
            let q = &mut self.queries[t * dim..][..dim];
            q.copy_from_slice(&row[h * dim..][..dim]);
            for c in 0..dim {
                self.keys[c * self.padded + t] = row[width + h * dim + c];
                self.values[c * self.padded + t] = row[2 * width + h * dim + c];
            }
            if of.angles.0.is_empty() {
                continue;
            }
            let angles = &of.angles.0[(t * of.heads + h) * pairs..][..pairs];
            for (p, &(cos, sin)) in angles.iter().enumerate() {
                let (cos, sin) = (R::of(cos), R::of(sin));
                (q[2 * p], q[2 * p + 1]) = turned(q[2 * p], q[2 * p + 1], cos, sin);
                let (at, next) = (2 * p * self.padded + t, (2 * p + 1) * self.padded + t);
                (self.keys[at], self.keys[next]) = turned(self.keys[at], self.keys[next], cos, sin);
            }
        }
    }

    /// Fills the row of scores `r_ij` of query `i`; returns how many entries are whole lanes.
    #[inline(always)]
    fn score(&mut self, dim: usize, i: usize) -> usize {
        let used = (i + 1).next_multiple_of(LANES);
        let query = &self.queries[i * dim..][..dim];
        products(query, &self.keys, self.padded, &mut self.scores[..used]);
        for score in &mut self.scores[..used] {
            *score *= self.scale;
        }
        used
    }

    /// Turns temperature-scaled scores into probabilities, `row[i + 1..]` into 0.
    #[inline(always)]
    fn softmax(row: &mut [R], i: usize, temperature: R) {
        for score in row.iter_mut() {
            *score *= temperature;
        }
        for score in &mut row[i + 1..] {
            *score = R::LOWEST;
        }
        let mut lanes = [R::LOWEST; LANES];
        for scores in row.as_chunks::<LANES>().0 {
            for (lane, &score) in lanes.iter_mut().zip(scores) {
                *lane = Real::max(*lane, score);
            }
        }
        let greatest = halved(lanes, Real::max);
        for score in row.iter_mut() {
            *score = Real::exp(*score - greatest);
        }
        for score in &mut row[i + 1..] {
            *score = R::zero();
        }
        let inverse = R::one() / total(row);
        for score in row.iter_mut() {
            *score *= inverse;
        }
    }

    /// The output of query `i`.
    #[inline(always)]
    fn answer(&mut self, dim: usize, i: usize, y: &mut [R]) {
        let used = self.score(dim, i);
        Self::softmax(&mut self.scores[..used], i, self.temperature);
        for (y, values) in y.iter_mut().zip(self.values.chunks_exact(self.padded)) {
            *y = dot(&self.scores[..used], &values[..used]);
        }
    }
}

/// Gradients of one head, laid out as [`Head`] is.
struct Gradients<R> {
    queries: Vec<R>,
    keys: Vec<R>,
    values: Vec<R>,
    temperature: R,
    probabilities: Vec<R>,
    scores: Vec<R>,
}

impl<R: Real> Gradients<R> {
    fn new(of: &Attention, length: usize) -> Self {
        let padded = length.next_multiple_of(LANES);
        Self {
            queries: vec![R::zero(); length * of.dim],
            keys: vec![R::zero(); padded * of.dim],
            values: vec![R::zero(); padded * of.dim],
            temperature: R::zero(),
            probabilities: vec![R::zero(); padded],
            scores: vec![R::zero(); padded],
        }
    }

    #[inline(always)]
    fn clear(&mut self) {
        self.keys.fill(R::zero());
        self.values.fill(R::zero());
        self.temperature = R::zero();
    }

    /// Adds the gradients through query `i`, whose output is `y` and `g = dL/dy`.
    #[inline(always)]
    fn add(&mut self, dim: usize, head: &mut Head<R>, i: usize, y: &[R], g: &[R]) {
        let (padded, temperature) = (head.padded, head.temperature);
        let factor = head.scale * temperature;
        let used = head.score(dim, i);
        let p = &mut self.probabilities[..used];
        p.copy_from_slice(&head.scores[..used]);
        Head::softmax(p, i, temperature);
        let mut mean = R::zero();
        for (&y, &g) in y.iter().zip(g) {
            mean += y * g;
        }
        let ds = &mut self.scores[..used];
        products(g, &head.values, padded, ds);
        for (ds, &p) in ds.iter_mut().zip(&*p) {
            *ds = p * (*ds - mean);
        }
        self.temperature += dot(ds, &head.scores[..used]);
        for ds in ds.iter_mut() {
            *ds *= factor;
        }
        let query = &head.queries[i * dim..][..dim];
        let dquery = &mut self.queries[i * dim..][..dim];
        for c in 0..dim {
            let of = c * padded..c * padded + used;
            dquery[c] = dot(ds, &head.keys[of.clone()]);
            add_scaled(&mut self.keys[of.clone()], query[c], ds);
            add_scaled(&mut self.values[of], g[c], p);
        }
    }

    /// Turns gradients of queries and keys back and writes all into their columns.
    #[inline(always)]
    fn store(&mut self, of: &Attention, dqkv: &mut [R], h: usize) {
        let (dim, width, pairs) = (of.dim, of.heads * of.dim, of.dim / 2);
        let padded = self.scores.len();
        for (t, row) in dqkv.chunks_exact_mut(3 * width).enumerate() {
            row[h * dim..][..dim].copy_from_slice(&self.queries[t * dim..][..dim]);
            for c in 0..dim {
                row[width + h * dim + c] = self.keys[c * padded + t];
                row[2 * width + h * dim + c] = self.values[c * padded + t];
            }
            if of.angles.0.is_empty() {
                continue;
            }
            let angles = &of.angles.0[(t * of.heads + h) * pairs..][..pairs];
            for first in [h * dim, width + h * dim] {
                for (pair, &(cos, sin)) in row[first..].chunks_exact_mut(2).zip(angles) {
                    let (cos, sin) = (R::of(cos), R::of(-sin));
                    (pair[0], pair[1]) = turned(pair[0], pair[1], cos, sin);
                }
            }
        }
    }
}

/// `out[j] = sum_c weights[c] columns[c][j]`, where `columns` is `[D][padded]`.
#[inline(always)]
fn products<R: Real>(weights: &[R], columns: &[R], padded: usize, out: &mut [R]) {
    for (block, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut sums = [R::zero(); LANES];
        for (&weight, column) in weights.iter().zip(columns.chunks_exact(padded)) {
            let column = &column[block * LANES..][..LANES];
            for (sum, &entry) in sums.iter_mut().zip(column) {
                *sum += weight * entry;
            }
        }
        *out = sums;
    }
}

#[inline(always)]
fn add_scaled<R: Real>(sums: &mut [R], weight: R, row: &[R]) {
    for (sum, &entry) in sums.iter_mut().zip(row) {
        *sum += weight * entry;
    }
}

#[inline(always)]
fn dot<R: Real>(a: &[R], b: &[R]) -> R {
    let mut lanes = [R::zero(); LANES];
    let (a, b) = (a.as_chunks::<LANES>().0, b.as_chunks::<LANES>().0);
    for (a, b) in a.iter().zip(b) {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    halved(lanes, |a, b| a + b)
}

#[inline(always)]
fn total<R: Real>(row: &[R]) -> R {
    let mut lanes = [R::zero(); LANES];
    for block in row.as_chunks::<LANES>().0 {
        for (lane, &entry) in lanes.iter_mut().zip(block) {
            *lane += entry;
        }
    }
    halved(lanes, |a, b| a + b)
}

/// All lanes joined, by halves.
#[inline(always)]
fn halved<R: Real>(mut lanes: [R; LANES], join: impl Fn(R, R) -> R) -> R {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = join(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}
