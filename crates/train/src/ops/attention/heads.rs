//! `L` heads at a time: scores of one query of each against one key of each. Loops run over heads,
//! whose numbers lie side by side, `[T][D][L]`.

use super::algorithm::{Algorithm, Attention, turned};
use crate::real::Real;

/// A vector of each of `L` heads.
type Vectors<R, const D: usize, const L: usize> = [[R; L]; D];

/// The algorithm for many heads of dimension `D`.
pub(super) struct Heads<R, const D: usize, const L: usize> {
    queries: Vec<Vectors<R, D, L>>,
    keys: Vec<Vectors<R, D, L>>,
    values: Vec<Vectors<R, D, L>>,
    dqueries: Vec<Vectors<R, D, L>>,
    dkeys: Vec<Vectors<R, D, L>>,
    dvalues: Vec<Vectors<R, D, L>>,
    /// `r_ij` of one query.
    scores: Vec<[R; L]>,
    /// `e^(s_ij - max)` of one query.
    powers: Vec<[R; L]>,
}

/// A block of heads: the first, and how many; other lanes are empty.
type Block = (usize, usize);

impl<R: Real, const D: usize, const L: usize> Algorithm for Heads<R, D, L> {
    type Number = R;

    fn new(_: &Attention, length: usize) -> Self {
        let zeros = || vec![[[R::zero(); L]; D]; length];
        Self {
            queries: zeros(),
            keys: zeros(),
            values: zeros(),
            dqueries: zeros(),
            dkeys: zeros(),
            dvalues: zeros(),
            scores: vec![[R::zero(); L]; length],
            powers: vec![[R::zero(); L]; length],
        }
    }

    #[inline(always)]
    fn forward(&mut self, of: &Attention, qkv: &[R], temperature: &[R], out: &mut [R]) {
        let scale = R::of(of.scale);
        for first in (0..of.heads).step_by(L) {
            let block = (first, L.min(of.heads - first));
            self.load(of, qkv, block);
            let temperature = lanes(temperature, block);
            for (i, row) in out.chunks_exact_mut(of.heads * D).enumerate() {
                let inverse = self.score(i, scale, &temperature);
                let mut y = [[R::zero(); L]; D];
                for (powers, values) in self.powers[..=i].iter().zip(&self.values) {
                    for (y, values) in y.iter_mut().zip(values) {
                        for lane in 0..L {
                            y[lane] += powers[lane] * values[lane];
                        }
                    }
                }
                for h in 0..block.1 {
                    for c in 0..D {
                        row[(first + h) * D + c] = y[c][h] * inverse[h];
                    }
                }
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
        let scale = R::of(of.scale);
        for first in (0..of.heads).step_by(L) {
            let block = (first, L.min(of.heads - first));
            self.load(of, qkv, block);
            let temperature = lanes(temperature, block);
            let mut sums = [R::zero(); L];
            self.dkeys.fill([[R::zero(); L]; D]);
            self.dvalues.fill([[R::zero(); L]; D]);
            let rows = out
                .chunks_exact(of.heads * D)
                .zip(grad.chunks_exact(of.heads * D));
            for (i, (y, g)) in rows.enumerate() {
                let (y, g) = (vectors::<R, D, L>(y, block), vectors::<R, D, L>(g, block));
                let inverse = self.score(i, scale, &temperature);
                self.add(i, scale, &temperature, &inverse, &y, &g, &mut sums);
            }
            self.store(of, dqkv, block);
            dtemperature[first..][..block.1].copy_from_slice(&sums[..block.1]);
        }
    }
}

impl<R: Real, const D: usize, const L: usize> Heads<R, D, L> {
    #[inline(always)]
    fn load(&mut self, of: &Attention, qkv: &[R], block: Block) {
        let width = of.heads * D;
        for (t, row) in qkv.chunks_exact(3 * width).enumerate() {
            self.queries[t] = vectors(&row[..width], block);
            self.keys[t] = vectors(&row[width..2 * width], block);
            self.values[t] = vectors(&row[2 * width..], block);
            turn(of, t, block, R::one(), &mut self.queries[t]);
            turn(of, t, block, R::one(), &mut self.keys[t]);
        }
    }

    /// Fills scores and powers of query `i`; returns the inverse sums of powers.
    #[inline(always)]
    fn score(&mut self, i: usize, scale: R, temperature: &[R; L]) -> [R; L] {
        let query = self.queries[i];
        let mut greatest = [R::LOWEST; L];
        for (score, key) in self.scores[..=i].iter_mut().zip(&self.keys) {
            let mut sums = [R::zero(); L];
            for (query, key) in query.iter().zip(key) {
                for lane in 0..L {
                    sums[lane] += query[lane] * key[lane];
                }
            }
            for lane in 0..L {
                sums[lane] *= scale;
                greatest[lane] = Real::max(greatest[lane], sums[lane] * temperature[lane]);
            }
            *score = sums;
        }
        let mut totals = [R::zero(); L];
        for (power, score) in self.powers[..=i].iter_mut().zip(&self.scores) {
            for lane in 0..L {
                power[lane] = Real::exp(score[lane] * temperature[lane] - greatest[lane]);
                totals[lane] += power[lane];
            }
        }
        totals.map(|total| R::one() / total)
    }

    /// Adds the gradients through query `i`, whose outputs are `y` and `g = dL/dy`.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn add(
        &mut self,
        i: usize,
        scale: R,
        temperature: &[R; L],
        inverse: &[R; L],
        y: &Vectors<R, D, L>,
        g: &Vectors<R, D, L>,
        sums: &mut [R; L],
    ) {
        let query = self.queries[i];
        let mut dquery = [[R::zero(); L]; D];
        let mut mean = [R::zero(); L];
        for (y, g) in y.iter().zip(g) {
            for lane in 0..L {
                mean[lane] += y[lane] * g[lane];
            }
        }
        let rows = self.powers[..=i].iter().zip(&self.scores);
        let operands = self.keys.iter().zip(&self.values);
        let gradients = self.dkeys.iter_mut().zip(&mut self.dvalues);
        for (((powers, scores), (key, value)), (dkey, dvalue)) in rows.zip(operands).zip(gradients)
        {
            let (mut p, mut ds) = ([R::zero(); L], [R::zero(); L]);
            for (g, value) in g.iter().zip(value) {
                for lane in 0..L {
                    ds[lane] += g[lane] * value[lane];
                }
            }
            for lane in 0..L {
                p[lane] = powers[lane] * inverse[lane];
                ds[lane] = p[lane] * (ds[lane] - mean[lane]);
                sums[lane] += ds[lane] * scores[lane];
                ds[lane] *= scale * temperature[lane];
            }
            for c in 0..D {
                for lane in 0..L {
                    dquery[c][lane] += ds[lane] * key[c][lane];
                    dkey[c][lane] += ds[lane] * query[c][lane];
                    dvalue[c][lane] += p[lane] * g[c][lane];
                }
            }
        }
        self.dqueries[i] = dquery;
    }

    /// Turns gradients of queries and keys back and writes all into their columns.
    #[inline(always)]
    fn store(&mut self, of: &Attention, dqkv: &mut [R], (first, heads): Block) {
        let width = of.heads * D;
        let back = R::zero() - R::one();
        for (t, row) in dqkv.chunks_exact_mut(3 * width).enumerate() {
            turn(of, t, (first, heads), back, &mut self.dqueries[t]);
            turn(of, t, (first, heads), back, &mut self.dkeys[t]);
            let thirds = [&self.dqueries[t], &self.dkeys[t], &self.dvalues[t]];
            for (row, third) in row.chunks_exact_mut(width).zip(thirds) {
                for h in 0..heads {
                    for c in 0..D {
                        row[(first + h) * D + c] = third[c][h];
                    }
                }
            }
        }
    }
}

/// The temperatures of a block; 1 in empty lanes.
#[inline(always)]
fn lanes<R: Real, const L: usize>(temperature: &[R], (first, heads): Block) -> [R; L] {
    let mut lanes = [R::one(); L];
    lanes[..heads].copy_from_slice(&temperature[first..][..heads]);
    lanes
}

/// The vectors of a block's heads from a row `[heads][D]`; 0 in empty lanes.
#[inline(always)]
fn vectors<R: Real, const D: usize, const L: usize>(
    row: &[R],
    (first, heads): Block,
) -> Vectors<R, D, L> {
    let mut vectors = [[R::zero(); L]; D];
    for (h, vector) in row[first * D..][..heads * D].chunks_exact(D).enumerate() {
        for c in 0..D {
            vectors[c][h] = vector[c];
        }
    }
    vectors
}

/// Turns the vectors of position `t`; back if `sign` is -1.
#[inline(always)]
fn turn<R: Real, const D: usize, const L: usize>(
    of: &Attention,
    t: usize,
    (first, heads): Block,
    sign: R,
    vectors: &mut Vectors<R, D, L>,
) {
    let pairs = D / 2;
    if of.angles.0.is_empty() {
        return;
    }
    let angles = &of.angles.0[(t * of.heads + first) * pairs..][..heads * pairs];
    for h in 0..heads {
        for p in 0..pairs {
            let (cos, sin) = angles[h * pairs + p];
            let (x, y) = (vectors[2 * p][h], vectors[2 * p + 1][h]);
            let (x, y) = turned(x, y, R::of(cos), sign * R::of(sin));
            (vectors[2 * p][h], vectors[2 * p + 1][h]) = (x, y);
        }
    }
}
