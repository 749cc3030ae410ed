//! A scan for the best few keys in single precision: the baseline of a decoder that keeps `f32`.

/// Lanes of a group, and groups of a block.
const LANES: usize = 16;
const GROUPS: usize = 8;
const BLOCK: usize = LANES * GROUPS;

/// Keys coordinate by coordinate, and values.
#[derive(Clone)]
pub(crate) struct Single {
    axes: Vec<Vec<f32>>,
    values: Vec<[f64; 2]>,
    candidates: Vec<(f32, u32)>,
    arch: pulp::Arch,
}

impl Single {
    pub(crate) fn new(dimension: usize) -> Self {
        Self {
            axes: vec![vec![]; dimension],
            values: vec![],
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
        self.candidates.clear();
        let (mut threshold, mut from) = (f32::NEG_INFINITY, 0);
        let mut scores = [0.0; BLOCK];
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0);
        while let Some(at) = self.seek(q, from, threshold, &mut scores) {
            for (id, &score) in (at as u32..).zip(&scores) {
                if score >= threshold {
                    self.candidates.push((score, id));
                }
            }
            if self.candidates.len() > 2 * k + 32 {
                let (_, worst, _) = self.candidates.select_nth_unstable_by(k - 1, order);
                threshold = worst.0;
                self.candidates.truncate(k);
            }
            from = at + BLOCK;
        }
        self.candidates.sort_unstable_by(order);
        self.candidates.truncate(k);
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

    fn seek(
        &self,
        q: [f32; 3],
        from: usize,
        threshold: f32,
        out: &mut [f32; BLOCK],
    ) -> Option<usize> {
        match &self.axes[..] {
            [x, y] => self.seek_in(q, [x, y], from, threshold, out),
            [x, y, z] => self.seek_in(q, [x, y, z], from, threshold, out),
            _ => unreachable!("keys have two or three dimensions"),
        }
    }

    fn seek_in<const D: usize>(
        &self,
        q: [f32; 3],
        axes: [&Vec<f32>; D],
        from: usize,
        threshold: f32,
        out: &mut [f32; BLOCK],
    ) -> Option<usize> {
        vectorized(
            self.arch,
            #[inline(always)]
            || {
                for at in (from..axes[0].len()).step_by(BLOCK) {
                    let mut most = [f32::NEG_INFINITY; LANES];
                    for group in 0..GROUPS {
                        let mut sum = [0.0; LANES];
                        for axis in 0..D {
                            let keys = &axes[axis][at + group * LANES..][..LANES];
                            for lane in 0..LANES {
                                sum[lane] += q[axis] * keys[lane];
                            }
                        }
                        for lane in 0..LANES {
                            most[lane] = if sum[lane] > most[lane] {
                                sum[lane]
                            } else {
                                most[lane]
                            };
                            out[group * LANES + lane] = sum[lane];
                        }
                    }
                    if most
                        .iter()
                        .fold(false, |any, &most| any | (most >= threshold))
                    {
                        return Some(at);
                    }
                }
                None
            },
        )
    }
}

/// Runs a kernel that is compiled for each set of vector instructions.
#[inline(always)]
fn vectorized<R>(arch: pulp::Arch, kernel: impl FnOnce() -> R) -> R {
    arch.dispatch(kernel)
}
