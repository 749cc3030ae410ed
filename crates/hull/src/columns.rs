//! Keys in groups of eight, coordinate by coordinate, and the vectorised scans over them.
//!
//! ```text
//! x0 .. x7 y0 .. y7 (z0 .. z7) | x8 .. x15 y8 .. y15 (z8 .. z15) | ..
//! ```
//!
//! The loops are plain Rust over arrays of eight lanes, compiled for AVX-512, for AVX2 and for the
//! target's own features; `pulp` picks one at run time. Lanes and order of the operations are the
//! same in each, so the results are equal to the bit on every processor.

use alloc::vec::Vec;
use core::marker::PhantomData;

use crate::best::{Best, most};
use crate::exponential::{UNDERFLOW, exp};
use crate::key::Key;
use crate::rank::Found;
use crate::simd::{Arch, vectorized};

/// Keys per group.
pub(crate) const LANES: usize = 8;

/// Keys per block, of which scans look at the greatest score.
pub(crate) const BLOCK: usize = 8 * LANES;

/// Exponentials that are computed side by side, to hide the latency of the operations.
const PAIR: usize = 2 * LANES;

/// Keys in the order of their pushes.
#[derive(Clone, Debug)]
pub(crate) struct Columns<K> {
    /// Groups of `LANES * K::DIMENSION` numbers. Places after the last key hold NaN, which no
    /// comparison prefers.
    lanes: Vec<f64>,
    len: usize,
    /// The greatest magnitude of each coordinate so far.
    reach: [f64; 3],
    arch: Arch,
    keys: PhantomData<K>,
}

impl<K: Key> Columns<K> {
    pub(crate) fn new() -> Self {
        Self {
            lanes: Vec::new(),
            len: 0,
            reach: [0.0; 3],
            arch: Arch::new(),
            keys: PhantomData,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    const GROUP: usize = LANES * K::DIMENSION;

    pub(crate) fn push(&mut self, key: K) {
        let lane = self.len % LANES;
        if lane == 0 {
            self.lanes.resize(self.lanes.len() + Self::GROUP, f64::NAN);
        }
        let start = self.lanes.len() - Self::GROUP + lane;
        for (axis, v) in key.axes().into_iter().enumerate().take(K::DIMENSION) {
            self.lanes[start + axis * LANES] = v;
            self.reach[axis] = self.reach[axis].max(v.abs());
        }
        self.len += 1;
    }

    /// The key of a number below the length.
    #[inline]
    pub(crate) fn get(&self, id: usize) -> K {
        let start = id / LANES * Self::GROUP + id % LANES;
        let mut axes = [0.0; 3];
        for (axis, v) in axes.iter_mut().enumerate().take(K::DIMENSION) {
            *v = self.lanes[start + axis * LANES];
        }
        K::from_axes(axes)
    }

    fn found(&self, id: u32) -> Found<K> {
        let key = self.get(id as usize);
        Found { id, key }
    }

    /// Drops all keys from number `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.lanes.truncate(len.div_ceil(LANES) * Self::GROUP);
        self.len = len;
        if !len.is_multiple_of(LANES) {
            let group = self.lanes.len() - Self::GROUP;
            for axis in 0..K::DIMENSION {
                let start = group + axis * LANES;
                self.lanes[start + len % LANES..start + LANES].fill(f64::NAN);
            }
        }
    }

    /// The memory allocated, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.lanes.capacity() * size_of::<f64>()
    }

    /// A bound of the rounding error of every score of a query.
    pub(crate) fn error(&self, q: K) -> f64 {
        let terms = q.axes().into_iter().zip(self.reach);
        K::ERROR * terms.map(|(q, reach)| q.abs() * reach).sum::<f64>()
    }

    /// Ranks the best `k` keys.
    ///
    /// The first pass finds the maxima of parts of the keys, and from them a threshold that few
    /// keys reach. The second pass looks closer at the parts that reach it.
    pub(crate) fn top(&self, q: K, k: usize, best: &mut Best<K>) {
        best.maxima.clear();
        best.candidates.clear();
        let error = self.error(q);
        let blocks = self.len / BLOCK;
        let parts = if blocks >= 4 * k {
            self.maxima::<1>(q, &mut best.maxima);
            1
        } else {
            // Where keys are few, parts are lanes of blocks.
            self.maxima::<LANES>(q, &mut best.maxima);
            LANES
        };
        let threshold = best.threshold(k) - 2.0 * error;
        let maxima = core::mem::take(&mut best.maxima);
        let close = |parts: &[f64]| parts.iter().fold(f64::MIN, most) >= threshold;
        let reaching = maxima.chunks_exact(parts).enumerate();
        let reaching = reaching.filter_map(|(block, parts)| close(parts).then_some(block));
        // The last block has no maxima unless it is full.
        let blocks = reaching.chain((self.len > blocks * BLOCK).then_some(blocks));
        self.gather(q, k, blocks, threshold, best);
        best.maxima = maxima;
        best.rank(q, k, error, |id| self.found(id));
    }

    /// Ranks the best `k` of the keys from number `from` on, a multiple of a block's length, whose
    /// rounded scores are at least a threshold.
    pub(crate) fn top_of_tail(
        &self,
        q: K,
        k: usize,
        from: usize,
        threshold: f64,
        best: &mut Best<K>,
    ) {
        best.candidates.clear();
        let blocks = from / BLOCK..self.len.div_ceil(BLOCK);
        self.gather(q, k, blocks, threshold, best);
        best.rank(q, k, self.error(q), |id| self.found(id));
    }

    /// Appends the greatest scores of each full block, in total (`P` is 1) or of each lane.
    fn maxima<const P: usize>(&self, q: K, out: &mut Vec<f64>) {
        let q = q.axes();
        out.resize(self.len / BLOCK * P, 0.0);
        vectorized(
            self.arch,
            #[inline(always)]
            || {
                let blocks = self.lanes.chunks_exact(BLOCK * K::DIMENSION);
                for (block, out) in blocks.zip(out.as_chunks_mut::<P>().0) {
                    let mut maxima = [f64::NEG_INFINITY; LANES];
                    for group in block.chunks_exact(Self::GROUP) {
                        let scores = scores::<K>(q, group);
                        for lane in 0..LANES {
                            maxima[lane] = most(maxima[lane], &scores[lane]);
                        }
                    }
                    if P == 1 {
                        let [a, b, c, d, e, f, g, h] = maxima;
                        let [a, b] = [
                            most(most(a, &e), &most(c, &g)),
                            most(most(b, &f), &most(d, &h)),
                        ];
                        out[0] = most(a, &b);
                    } else {
                        out.copy_from_slice(&maxima[..P]);
                    }
                }
            },
        );
    }

    /// Collects candidates for the best `k` keys: those of some blocks whose rounded scores are at
    /// least a threshold, which rises when there are many.
    fn gather(
        &self,
        q: K,
        k: usize,
        blocks: impl Iterator<Item = usize>,
        mut threshold: f64,
        best: &mut Best<K>,
    ) {
        let (axes, error, many) = (q.axes(), self.error(q), 4 * k + 512);
        vectorized(
            self.arch,
            #[inline(always)]
            || {
                for block in blocks {
                    let start = block * BLOCK * K::DIMENSION;
                    let end = (start + BLOCK * K::DIMENSION).min(self.lanes.len());
                    let groups = self.lanes[start..end].chunks_exact(Self::GROUP);
                    for (group, number) in groups.zip(block * (BLOCK / LANES)..) {
                        let scores = scores::<K>(axes, group);
                        let reaches = |any: bool, &score: &f64| any | (score >= threshold);
                        if scores.iter().fold(false, reaches) {
                            for (&score, id) in scores.iter().zip((number * LANES) as u32..) {
                                if score >= threshold {
                                    best.candidates.push((score, id));
                                }
                            }
                        }
                    }
                    if best.candidates.len() > many {
                        let cut = best.cut(q, k, error, |id| self.found(id));
                        threshold = threshold.max(cut);
                    }
                }
            },
        );
    }

    /// `Σ w_i v_i` and `Σ w_i` over all keys, with `w_i = e^(q·(k_i - best))`.
    pub(crate) fn softmax<const N: usize>(
        &self,
        q: K,
        best: K,
        values: &[[f64; N]],
    ) -> ([f64; N], f64) {
        let (q, best) = (q.axes(), best.axes());
        let (totals, sums) = vectorized(
            self.arch,
            #[inline(always)]
            || {
                let (mut totals, mut sums) = ([[0.0; N]; LANES], [0.0; LANES]);
                let blocks = self.lanes.chunks(BLOCK * K::DIMENSION);
                for (block, values) in blocks.zip(values.chunks(BLOCK)) {
                    let mut weights = [[f64::NEG_INFINITY; LANES]; BLOCK / LANES];
                    let mut greatest = [f64::NEG_INFINITY; LANES];
                    for (group, weights) in block.chunks_exact(Self::GROUP).zip(&mut weights) {
                        *weights = gains::<K>(q, best, group);
                        for lane in 0..LANES {
                            greatest[lane] = most(greatest[lane], &weights[lane]);
                        }
                    }
                    let matters = |any: bool, &gain: &f64| any | (gain >= UNDERFLOW);
                    if !greatest.iter().fold(false, matters) {
                        continue;
                    }
                    for pair in weights.as_flattened_mut().as_chunks_mut::<PAIR>().0 {
                        *pair = exp(*pair);
                    }
                    for weights in &weights {
                        for lane in 0..LANES {
                            sums[lane] += weights[lane];
                        }
                    }
                    let (full, rest) = values.as_chunks::<LANES>();
                    for (weights, values) in weights.iter().zip(full) {
                        add(&mut totals, weights, values);
                    }
                    if !rest.is_empty() {
                        let mut last = [[0.0; N]; LANES];
                        last[..rest.len()].copy_from_slice(rest);
                        add(&mut totals, &weights[full.len()], &last);
                    }
                }
                (totals, sums)
            },
        );
        let value = core::array::from_fn(|i| fold(totals.map(|total| total[i])));
        (value, fold(sums))
    }

    /// Replaces numbers up to 0 by their exponentials.
    pub(crate) fn exp(&self, numbers: &mut [f64]) {
        vectorized(
            self.arch,
            #[inline(always)]
            || {
                let (full, rest) = numbers.as_chunks_mut::<LANES>();
                for lanes in full {
                    *lanes = exp(*lanes);
                }
                for number in rest {
                    [*number] = exp([*number]);
                }
            },
        );
    }

    /// The dispatcher to the processor's vector instructions.
    pub(crate) fn arch(&self) -> Arch {
        self.arch
    }
}

/// The sum of all lanes, in pairs.
fn fold([a, b, c, d, e, f, g, h]: [f64; LANES]) -> f64 {
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// Adds weighted values, lane by lane.
#[inline(always)]
fn add<const N: usize>(
    totals: &mut [[f64; N]; LANES],
    weights: &[f64; LANES],
    values: &[[f64; N]; LANES],
) {
    for lane in 0..LANES {
        for i in 0..N {
            totals[lane][i] += weights[lane] * values[lane][i];
        }
    }
}

/// The rounded scores of a group.
#[inline(always)]
fn scores<K: Key>(q: [f64; 3], group: &[f64]) -> [f64; LANES] {
    let mut sum = [0.0; LANES];
    let (axes, _) = group.as_chunks::<LANES>();
    for (axis, (keys, q)) in axes[..K::DIMENSION].iter().zip(q).enumerate() {
        for (sum, key) in sum.iter_mut().zip(keys) {
            *sum = if axis == 0 { q * key } else { *sum + q * key };
        }
    }
    sum
}

/// How much the scores of a group exceed that of another key, at most 0, as
/// [`gain`](crate::rank::gain) computes it.
#[inline(always)]
fn gains<K: Key>(q: [f64; 3], best: [f64; 3], group: &[f64]) -> [f64; LANES] {
    let mut sum = [0.0; LANES];
    let (axes, _) = group.as_chunks::<LANES>();
    for (axis, keys) in axes[..K::DIMENSION].iter().enumerate() {
        let (q, best) = (q[axis], best[axis]);
        for (sum, key) in sum.iter_mut().zip(keys) {
            let term = q * (key - best);
            *sum = if axis == 0 { term } else { *sum + term };
        }
    }
    // A comparison that NaN fails, so that places without a key weigh nothing.
    sum.map(|gain| if gain > 0.0 { 0.0 } else { gain })
}
