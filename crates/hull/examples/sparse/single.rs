//! A scan for the best few keys in single precision: the baseline of a decoder that keeps `f32`.
//!
//! Its steps are those of the double precision: maxima of parts of the keys, a threshold from them,
//! a closer look at the parts that reach it. Ranks are those of rounded scores.

/// Lanes of a group, and groups of a block.
const LANES: usize = 16;
const GROUPS: usize = 8;
const BLOCK: usize = LANES * GROUPS;

/// Keys coordinate by coordinate, and values.
#[derive(Clone)]
pub(crate) struct Single {
    axes: Vec<Vec<f32>>,
    values: Vec<[f64; 2]>,
    maxima: Vec<f32>,
    sorted: Vec<f32>,
    candidates: Vec<(f32, u32)>,
    arch: pulp::Arch,
}

impl Single {
    pub(crate) fn new(dimension: usize) -> Self {
        Self {
            axes: vec![vec![]; dimension],
            values: vec![],
            maxima: vec![],
            sorted: vec![],
            candidates: vec![],
            arch: pulp::Arch::new(),
        }
    }

    pub(crate) fn push(&mut self, key: [f64; 3], value: [f64; 2]) {
        let at = self.values.len();
        for (axis, v) in self.axes.iter_mut().zip(key) {
            axis.resize((at + 1).next_multiple_of(BLOCK), f32::NAN);
            axis[at] = v as f32;
        }
        self.values.push(value);
    }

    /// Softmax over the best `k` keys.
    pub(crate) fn attend(&mut self, q: [f64; 3], k: usize) -> [f64; 2] {
        let q = q.map(|v| v as f32);
        let blocks = self.values.len() / BLOCK;
        let by_lane = blocks < 4 * k;
        match self.axes.len() {
            2 => self.maxima::<2>(q, blocks, by_lane),
            _ => self.maxima::<3>(q, blocks, by_lane),
        }
        self.sorted.clear();
        let part = if self.maxima.len() >= 64 * k.max(4) {
            8
        } else {
            1
        };
        let joined = self.maxima.chunks(part);
        self.sorted
            .extend(joined.map(|part| part.iter().fold(f32::NEG_INFINITY, most)));
        let threshold = match (self.sorted.len(), k) {
            (_, 1) => self.sorted.iter().fold(f32::NEG_INFINITY, most),
            (len, _) if len < k => f32::NEG_INFINITY,
            _ => {
                *self
                    .sorted
                    .select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a))
                    .1
            }
        };
        match self.axes.len() {
            2 => self.gather::<2>(q, blocks, by_lane, threshold),
            _ => self.gather::<3>(q, blocks, by_lane, threshold),
        }
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0);
        if self.candidates.len() > k {
            self.candidates.select_nth_unstable_by(k - 1, order);
            self.candidates.truncate(k);
        }
        self.candidates.sort_unstable_by(order);
        let best = self.candidates[0].0;
        let (mut sum, mut value) = (0.0, [0.0; 2]);
        for &(score, id) in &self.candidates {
            let weight = (score - best).exp();
            sum += weight;
            for (value, v) in value.iter_mut().zip(self.values[id as usize]) {
                *value += f64::from(weight) * v;
            }
        }
        value.map(|v| v / f64::from(sum))
    }

    /// The greatest scores of each full block, or of each of its lanes.
    fn maxima<const D: usize>(&mut self, q: [f32; 3], blocks: usize, by_lane: bool) {
        let axes: [&[f32]; D] = core::array::from_fn(|axis| &self.axes[axis][..]);
        let out = &mut self.maxima;
        out.clear();
        vectorized(
            self.arch,
            #[inline(always)]
            || {
                for block in 0..blocks {
                    let mut greatest = [f32::NEG_INFINITY; LANES];
                    for group in 0..GROUPS {
                        let scores = scores(q, axes, block * BLOCK + group * LANES);
                        for lane in 0..LANES {
                            greatest[lane] = most(greatest[lane], &scores[lane]);
                        }
                    }
                    if by_lane {
                        out.extend_from_slice(&greatest);
                    } else {
                        let mut half = LANES / 2;
                        while half > 0 {
                            for lane in 0..half {
                                greatest[lane] = most(greatest[lane], &greatest[lane + half]);
                            }
                            half /= 2;
                        }
                        out.push(greatest[0]);
                    }
                }
            },
        );
    }

    /// Collects the keys that reach a threshold.
    fn gather<const D: usize>(
        &mut self,
        q: [f32; 3],
        blocks: usize,
        by_lane: bool,
        threshold: f32,
    ) {
        let axes: [&[f32]; D] = core::array::from_fn(|axis| &self.axes[axis][..]);
        let candidates = &mut self.candidates;
        candidates.clear();
        let parts = if by_lane { LANES } else { 1 };
        let close = |parts: &[f32]| parts.iter().fold(f32::NEG_INFINITY, most) >= threshold;
        let reaching = self.maxima.chunks_exact(parts).enumerate();
        let reaching = reaching.filter_map(|(block, parts)| close(parts).then_some(block));
        let rest = (self.values.len() > blocks * BLOCK).then_some(blocks);
        vectorized(
            self.arch,
            #[inline(always)]
            || {
                for block in reaching.chain(rest) {
                    for group in 0..GROUPS {
                        let at = block * BLOCK + group * LANES;
                        let scores = scores(q, axes, at);
                        if scores.iter().fold(false, |any, &s| any | (s >= threshold)) {
                            for (&score, id) in scores.iter().zip(at as u32..) {
                                if score >= threshold {
                                    candidates.push((score, id));
                                }
                            }
                        }
                    }
                }
            },
        );
    }
}

/// The scores of a group.
#[inline(always)]
fn scores<const D: usize>(q: [f32; 3], axes: [&[f32]; D], at: usize) -> [f32; LANES] {
    let mut sum = [0.0; LANES];
    for (axis, q) in axes.into_iter().zip(q) {
        for (sum, key) in sum.iter_mut().zip(&axis[at..at + LANES]) {
            *sum += q * key;
        }
    }
    sum
}

/// The greater number.
#[inline(always)]
fn most(a: f32, b: &f32) -> f32 {
    if *b > a { *b } else { a }
}

/// Runs a kernel that is compiled for each set of vector instructions.
#[inline(always)]
fn vectorized<R>(arch: pulp::Arch, kernel: impl FnOnce() -> R) -> R {
    arch.dispatch(kernel)
}
