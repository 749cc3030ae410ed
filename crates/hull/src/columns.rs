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

use crate::best::Best;
use crate::exponential::{UNDERFLOW, exp};
use crate::key::Key;
use crate::rank::Found;

/// Keys per group.
pub(crate) const LANES: usize = 8;

/// Keys per block: scans look closer at blocks with a score that matters.
const BLOCK: usize = 8 * LANES;

/// Keys in the order of their pushes.
#[derive(Clone, Debug)]
pub(crate) struct Columns<K> {
    /// Groups of `LANES * K::DIMENSION` numbers. Places after the last key hold NaN, which no
    /// comparison prefers.
    lanes: Vec<f64>,
    len: usize,
    /// The greatest magnitude of each coordinate so far.
    reach: [f64; 3],
    arch: pulp::Arch,
    keys: PhantomData<K>,
}

impl<K: Key> Columns<K> {
    pub(crate) fn new() -> Self {
        Self {
            lanes: Vec::new(),
            len: 0,
            reach: [0.0; 3],
            arch: pulp::Arch::new(),
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

    /// Offers all keys from number `from` on, which is a multiple of [`LANES`], to the list of the
    /// best.
    pub(crate) fn top(&self, from: usize, best: &mut Best<K>) {
        let mut scores = [0.0; BLOCK];
        let mut at = from;
        while let Some(block) = self.seek(best.query(), at, best.threshold(), &mut scores) {
            for (id, &score) in (block as u32..).zip(&scores) {
                if score >= best.threshold() {
                    let key = self.get(id as usize);
                    best.offer(score, Found { id, key });
                }
            }
            best.settle();
            at = block + BLOCK;
        }
    }

    /// The first block from a number on that has a score of at least the threshold, and its scores.
    fn seek(&self, q: K, from: usize, threshold: f64, out: &mut [f64; BLOCK]) -> Option<usize> {
        let q = q.axes();
        let lanes = self.lanes.get(from / LANES * Self::GROUP..)?;
        let found = self.arch.dispatch(
            #[inline(always)]
            || {
                let mut blocks = lanes.chunks_exact(BLOCK * K::DIMENSION);
                for (number, block) in blocks.by_ref().enumerate() {
                    let groups = block.chunks_exact(Self::GROUP);
                    let mut most = [f64::NEG_INFINITY; LANES];
                    for (group, out) in groups.zip(out.as_chunks_mut().0) {
                        *out = scores::<K>(q, group);
                        for (most, &score) in most.iter_mut().zip(&*out) {
                            *most = if score > *most { score } else { *most };
                        }
                    }
                    if most
                        .iter()
                        .fold(false, |any, &most| any | (most >= threshold))
                    {
                        return Some(number);
                    }
                }
                let rest = blocks.remainder();
                if rest.is_empty() {
                    return None;
                }
                out.fill(f64::NAN);
                let groups = rest.chunks_exact(Self::GROUP);
                for (group, out) in groups.zip(out.as_chunks_mut().0) {
                    *out = scores::<K>(q, group);
                }
                Some(lanes.len() / (BLOCK * K::DIMENSION))
            },
        );
        found.map(|number| from + number * BLOCK)
    }

    /// `Σ w_i v_i` and `Σ w_i` over all keys, with `w_i = e^(q·(k_i - best))`.
    pub(crate) fn softmax<const N: usize>(
        &self,
        q: K,
        best: K,
        values: &[[f64; N]],
    ) -> ([f64; N], f64) {
        let (q, best) = (q.axes(), best.axes());
        let mut sums = [0.0; LANES];
        let mut totals = [[0.0; N]; LANES];
        self.arch.dispatch(
            #[inline(always)]
            || {
                let blocks = self.lanes.chunks(BLOCK * K::DIMENSION);
                for (block, values) in blocks.zip(values.chunks(BLOCK)) {
                    let mut weights = [[0.0; LANES]; BLOCK / LANES];
                    let mut most = [f64::NEG_INFINITY; LANES];
                    let groups = block.chunks_exact(Self::GROUP);
                    for (group, weights) in groups.clone().zip(&mut weights) {
                        *weights = gains::<K>(q, best, group);
                        for (most, &gain) in most.iter_mut().zip(&*weights) {
                            *most = if gain > *most { gain } else { *most };
                        }
                    }
                    if !most
                        .iter()
                        .fold(false, |any, &most| any | (most >= UNDERFLOW))
                    {
                        continue;
                    }
                    for (weights, _) in weights.iter_mut().zip(groups) {
                        *weights = exp(*weights);
                        for (sum, weight) in sums.iter_mut().zip(&*weights) {
                            *sum += weight;
                        }
                    }
                    let (full, rest) = values.as_chunks::<LANES>();
                    for (weights, values) in weights.iter().zip(full) {
                        for lane in 0..LANES {
                            for (total, v) in totals[lane].iter_mut().zip(values[lane]) {
                                *total += weights[lane] * v;
                            }
                        }
                    }
                    if !rest.is_empty() {
                        let weights = &weights[full.len()];
                        for (total, (weight, value)) in
                            totals.iter_mut().zip(weights.iter().zip(rest))
                        {
                            for (total, v) in total.iter_mut().zip(value) {
                                *total += weight * v;
                            }
                        }
                    }
                }
            },
        );
        let value = core::array::from_fn(|i| fold(totals.map(|total| total[i])));
        (value, fold(sums))
    }

    /// Replaces numbers up to 0 by their exponentials.
    pub(crate) fn exp(&self, numbers: &mut [f64]) {
        self.arch.dispatch(
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
    pub(crate) fn arch(&self) -> pulp::Arch {
        self.arch
    }
}

/// The sum of all lanes, in pairs.
fn fold([a, b, c, d, e, f, g, h]: [f64; LANES]) -> f64 {
    ((a + e) + (c + g)) + ((b + f) + (d + h))
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
