//! Causal softmax attention of all heads, with rotary positions, as one operation.
//!
//! ```text
//! q, k, v = thirds of qkv                    [T, heads, D] each; q and k turned by position
//! r_ij = scale q_i . k_j                     s_ij = temperature_h r_ij,  j <= i
//! p_i = softmax(s_i)                         y_i = sum_j p_ij v_j
//! backward, with g = dL/dy:
//! ds_ij = p_ij (g_i . v_j - g_i . y_i)
//! dq_i = scale temperature sum_j ds_ij k_j   dk_j = scale temperature sum_i ds_ij q_i
//! dv_j = sum_i p_ij g_i                      dtemperature = sum_ij ds_ij r_ij
//! ```
//!
//! Scores are recomputed in the backward pass, so that memory is O(T) beside the operands, as in
//! FlashAttention (Dao et al.). Keys and values of a head are held transposed, `[D][T]`: all loops
//! run over keys and vectorise for any D. Time is O(T^2 (D + 1)) for each head.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use weightware_model::general::{Config, Positions};

use super::{by_dtype, entries, with_entries};
use crate::real::{Real, kernel};

/// Keys that are worked on at a time; rows of scores are padded to a multiple.
const LANES: usize = 16;

/// Cosines and sines of rotary positions: `[T][heads * pairs]`. Empty if positions are not rotary.
#[derive(Debug, Clone)]
pub struct Angles(Arc<Vec<(f64, f64)>>);

impl Angles {
    /// The angles of the first `length` positions.
    #[must_use]
    pub fn new(config: &Config, length: usize) -> Self {
        let Positions::Rotary(rotary) = config.positions else {
            return Self(Arc::default());
        };
        let pairs = config.head_dim / 2;
        let frequencies: Vec<f64> = (0..config.heads * pairs)
            .map(|pair| rotary.frequency(config, pair / pairs, pair % pairs))
            .collect();
        let angle = |t: usize| {
            let turned = frequencies.iter().map(move |f| t as f64 * f);
            turned.map(|angle| (libm::cos(angle), libm::sin(angle)))
        };
        Self(Arc::new((0..length).flat_map(angle).collect()))
    }
}

/// Attention of packed queries, keys and values.
///
/// `qkv` is `[batch, T, 3 * heads * head_dim]`, `temperature` `[heads]`; the result is
/// `[batch, T, heads * head_dim]`. `angles` cover at least `T` positions.
///
/// # Errors
/// If shapes or formats do not match.
pub fn attention(
    qkv: &Tensor,
    temperature: &Tensor,
    config: &Config,
    angles: &Angles,
) -> Result<Tensor> {
    let operation = Attention {
        heads: config.heads,
        dim: config.head_dim,
        scale: config.score_scale,
        angles: angles.clone(),
    };
    qkv.contiguous()?.apply_op2(temperature, operation)
}

struct Attention {
    heads: usize,
    dim: usize,
    scale: f64,
    angles: Angles,
}

impl CustomOp2 for Attention {
    fn name(&self) -> &'static str {
        "causal-attention"
    }

    fn cpu_fwd(
        &self,
        qkv: &CpuStorage,
        qkv_layout: &Layout,
        temperature: &CpuStorage,
        temperature_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        fn run<R: Real>(
            it: &Attention,
            qkv: (&CpuStorage, &Layout),
            temperature: (&CpuStorage, &Layout),
            length: usize,
        ) -> Result<CpuStorage> {
            let out = it.forward::<R>(
                entries(qkv.0, qkv.1)?,
                entries(temperature.0, temperature.1)?,
                length,
            );
            Ok(R::to_cpu_storage_owned(out))
        }
        let (batch, length, _) = qkv_layout.shape().dims3()?;
        let dtype = candle_core::backend::BackendStorage::dtype(qkv);
        let (qkv, temperature) = ((qkv, qkv_layout), (temperature, temperature_layout));
        let out = by_dtype!(dtype, run::<R>(self, qkv, temperature, length))?;
        Ok((out, Shape::from((batch, length, self.heads * self.dim))))
    }

    fn bwd(
        &self,
        qkv: &Tensor,
        temperature: &Tensor,
        out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        fn run<R: Real>(it: &Attention, tensors: [&Tensor; 4]) -> Result<[Tensor; 2]> {
            let length = tensors[0].dim(1)?;
            let (dqkv, dtemperature) =
                with_entries::<R, 4, _>(tensors, |[qkv, tau, out, grad]| {
                    it.backward(qkv, tau, out, grad, length)
                })?;
            let dqkv = super::tensor_like(dqkv, tensors[0])?;
            Ok([dqkv, super::tensor_like(dtemperature, tensors[1])?])
        }
        let [dqkv, dtemperature] =
            by_dtype!(qkv.dtype(), run::<R>(self, [qkv, temperature, out, grad]))?;
        Ok((Some(dqkv), Some(dtemperature)))
    }
}

impl Attention {
    fn forward<R: Real>(&self, qkv: &[R], temperature: &[R], length: usize) -> Vec<R> {
        let width = self.heads * self.dim;
        let mut out = vec![R::zero(); qkv.len() / 3];
        out.par_chunks_mut(length * width)
            .zip(qkv.par_chunks(length * 3 * width))
            .for_each_init(
                || Head::new(self, length),
                |head, (out, qkv)| forward(self, head, qkv, temperature, out),
            );
        out
    }

    fn backward<R: Real>(
        &self,
        qkv: &[R],
        temperature: &[R],
        out: &[R],
        grad: &[R],
        length: usize,
    ) -> (Vec<R>, Vec<R>) {
        let width = self.heads * self.dim;
        let (of_out, of_qkv) = (length * width, length * 3 * width);
        let mut dqkv = vec![R::zero(); qkv.len()];
        // One row for each sequence, summed in order.
        let mut dtemperature = vec![R::zero(); qkv.len() / of_qkv * self.heads];
        let operands = (qkv.par_chunks(of_qkv))
            .zip(out.par_chunks(of_out))
            .zip(grad.par_chunks(of_out));
        (dqkv.par_chunks_mut(of_qkv))
            .zip(dtemperature.par_chunks_mut(self.heads))
            .zip(operands)
            .for_each_init(
                || (Head::new(self, length), Gradients::new(self, length)),
                |(head, gradients), ((dqkv, dtemperature), ((qkv, out), grad))| {
                    let operands = [qkv, temperature, out, grad];
                    backward(self, head, gradients, operands, dqkv, dtemperature);
                },
            );
        (dqkv, super::sum_rows(&dtemperature, self.heads))
    }
}

kernel! {
    /// All heads of one sequence.
    fn forward<R: Real>(
        of: &Attention,
        head: &mut Head<R>,
        qkv: &[R],
        temperature: &[R],
        out: &mut [R],
    ) {
        let (dim, width) = (of.dim, of.heads * of.dim);
        for (h, &temperature) in temperature.iter().enumerate() {
            head.load(of, qkv, h, temperature);
            for i in 0..head.length {
                head.answer(dim, i, &mut out[i * width + h * dim..][..dim]);
            }
        }
    }
}

kernel! {
    /// All heads of one sequence.
    fn backward<R: Real>(
        of: &Attention,
        head: &mut Head<R>,
        gradients: &mut Gradients<R>,
        operands: [&[R]; 4],
        dqkv: &mut [R],
        dtemperature: &mut [R],
    ) {
        let [qkv, temperature, out, grad] = operands;
        let (dim, width) = (of.dim, of.heads * of.dim);
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

#[inline(always)]
fn turned<R: Real>(x: R, y: R, cos: R, sin: R) -> (R, R) {
    (x * cos - y * sin, x * sin + y * cos)
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
