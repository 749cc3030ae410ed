//! Softmax over all keys of a head of any dimension, by a scan.

use super::dispatch::vectorised;
use super::real::Real;

/// Keys that are stored and scored together.
const CHUNK: usize = 64;
/// Partial sums of a dot product over the keys of a chunk.
const LANES: usize = 16;

/// Keys and values of one head, `[chunk][dimension][CHUNK]`: loops over the keys of a chunk are
/// vectorised for any head dimension.
#[derive(Debug, Clone)]
pub(super) struct LinearCache<R> {
    dim: usize,
    len: usize,
    keys: Vec<R>,
    values: Vec<R>,
}

impl<R: Real> LinearCache<R> {
    pub(super) fn new(dim: usize) -> Self {
        Self {
            dim,
            len: 0,
            keys: Vec::new(),
            values: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, key: &[R], value: &[R]) {
        let (chunk, lane) = (self.len / CHUNK, self.len % CHUNK);
        let size = CHUNK * self.dim;
        if self.keys.len() == chunk * size {
            self.keys.resize((chunk + 1) * size, R::ZERO);
            self.values.resize((chunk + 1) * size, R::ZERO);
        }
        for (of, new) in [(&mut self.keys, key), (&mut self.values, value)] {
            let chunk = &mut of[chunk * size..];
            for (d, &number) in new.iter().enumerate() {
                chunk[d * CHUNK + lane] = number;
            }
        }
        self.len += 1;
    }

    /// A key and its value, by an index below the length.
    pub(super) fn entry(&self, at: usize) -> (Vec<R>, Vec<R>) {
        let (chunk, lane) = (at / CHUNK, at % CHUNK);
        let of = |all: &[R]| {
            let chunk = &all[chunk * CHUNK * self.dim..];
            (0..self.dim).map(|d| chunk[d * CHUNK + lane]).collect()
        };
        (of(&self.keys), of(&self.values))
    }

    /// Takes back the latest keys. Later ones overwrite the numbers beyond.
    pub(super) fn truncate(&mut self, len: usize) {
        let len = len.min(self.len);
        let size = len.div_ceil(CHUNK) * CHUNK * self.dim;
        self.keys.truncate(size);
        self.values.truncate(size);
        self.len = len;
    }

    /// Replaces `out` by `sum_j e^(q.k_j - max) v_j / sum_j e^(q.k_j - max)`. Two passes, `O(n)`.
    pub(super) fn attend(&self, q: &[R], scores: &mut Vec<R>, out: &mut [R]) {
        scores.clear();
        scores.resize(self.len.div_ceil(CHUNK) * CHUNK, R::ZERO);
        vectorised(
            #[inline(always)]
            || {
                let greatest = self.score(q, scores);
                self.average(greatest, scores, out);
            },
        );
    }

    #[inline(always)]
    fn score(&self, q: &[R], scores: &mut [R]) -> R {
        let mut greatest = [R::LOWEST; CHUNK];
        let chunks = self.keys.chunks_exact(CHUNK * self.dim);
        let (by_chunk, _) = scores.as_chunks_mut::<CHUNK>();
        for (number, (keys, scores)) in chunks.zip(by_chunk).enumerate() {
            let (dims, _) = keys.as_chunks::<CHUNK>();
            for (keys, &q) in dims.iter().zip(q) {
                for (score, &key) in scores.iter_mut().zip(keys) {
                    *score += q * key;
                }
            }
            let count = self.len - number * CHUNK;
            if count < CHUNK {
                // Lanes without a key weigh nothing.
                scores[count..].fill(R::LOWEST);
            }
            for (greatest, &score) in greatest.iter_mut().zip(scores.iter()) {
                *greatest = greatest.greater(score);
            }
        }
        greatest.into_iter().fold(R::LOWEST, R::greater)
    }

    #[inline(always)]
    fn average(&self, greatest: R, scores: &mut [R], out: &mut [R]) {
        let chunks = self.values.chunks_exact(CHUNK * self.dim);
        let (by_chunk, _) = scores.as_chunks_mut::<CHUNK>();
        let mut sum = R::ZERO;
        out.fill(R::ZERO);
        for (values, weights) in chunks.zip(by_chunk) {
            for weight in weights.iter_mut() {
                *weight = (*weight - greatest).exp_of_negative();
            }
            sum += total(weights);
            let (dims, _) = values.as_chunks::<CHUNK>();
            for (values, out) in dims.iter().zip(out.iter_mut()) {
                *out += dot(weights, values);
            }
        }
        for out in out {
            *out = *out / sum;
        }
    }
}

#[inline(always)]
fn dot<R: Real>(a: &[R; CHUNK], b: &[R; CHUNK]) -> R {
    let mut sums = [R::ZERO; LANES];
    let (a, _) = a.as_chunks::<LANES>();
    let (b, _) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.into_iter().sum()
}

#[inline(always)]
fn total<R: Real>(a: &[R; CHUNK]) -> R {
    let mut sums = [R::ZERO; LANES];
    let (a, _) = a.as_chunks::<LANES>();
    for a in a {
        for (sum, &a) in sums.iter_mut().zip(a) {
            *sum += a;
        }
    }
    sums.into_iter().sum()
}
