//! A summary of many keys: a few hundred boxes and how many keys lie in each.
//!
//! A key `k` of a box scores at most the best corner of the box. So for any reference key `b`
//!
//! ```text
//! Σ e^(q·(k - b)) over all keys  <=  Σ count(box) e^(max of q·(c - b) over the corners c of box)
//! ```
//!
//! The boxes are the occupied cells of a grid, shrunk to the keys that they hold. A key beyond the
//! grid doubles the cells' width in that direction until the grid holds it; two cells that become
//! one share a box. Widths are powers of two and cells are aligned, so a key's cell is known later.

use alloc::vec::Vec;
use core::marker::PhantomData;

use crate::columns::LANES;
use crate::exponential::exp;
use crate::key::Key;
use crate::simd::{Arch, vectorized};

/// Boxes with counts.
#[derive(Clone, Debug)]
pub(crate) struct Sketch<K> {
    /// Groups of [`LANES`] boxes: per coordinate the least ones, then the greatest ones.
    boxes: Vec<f64>,
    /// The number of keys of each box.
    counts: Vec<u32>,
    /// For each cell of the grid one more than the number of its box, or 0.
    table: Vec<u16>,
    axes: [Axis; 3],
    arch: Arch,
    keys: PhantomData<K>,
}

/// The grid's cells along an axis: number `i` holds the numbers `v` with
/// `floor(v / 2^exponent) = base + i`.
#[derive(Clone, Copy, Debug, Default)]
struct Axis {
    exponent: i32,
    base: f64,
}

/// The widths of cells are at least the least magnitude of coordinates.
const MIN_EXPONENT: i32 = -400;

/// Cells of the first key are narrower than the key by this power of two.
const FINE: i32 = 40;

impl<K: Key> Sketch<K> {
    /// Cells along each axis.
    const SIDE: usize = if K::DIMENSION == 2 { 16 } else { 8 };
    const GROUP: usize = 2 * LANES * K::DIMENSION;

    pub(crate) fn new(arch: Arch) -> Self {
        Self {
            boxes: Vec::new(),
            counts: Vec::new(),
            table: Vec::new(),
            axes: [Axis::default(); 3],
            arch,
            keys: PhantomData,
        }
    }

    /// The number of boxes.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// The memory allocated, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.boxes.capacity() * 8 + self.counts.capacity() * 4 + self.table.capacity() * 2
    }

    pub(crate) fn push(&mut self, key: K) {
        let key = &key.axes()[..K::DIMENSION];
        if self.counts.is_empty() {
            self.table = alloc::vec![0; Self::SIDE.pow(K::DIMENSION as u32)];
            for (axis, &v) in self.axes.iter_mut().zip(key) {
                axis.exponent = (exponent(v) - FINE).max(MIN_EXPONENT);
                axis.base = axis.cell(v);
            }
        }
        let cell = match self.cell(key) {
            Some(cell) => cell,
            None => {
                self.widen(key);
                match self.cell(key) {
                    Some(cell) => cell,
                    None => unreachable!("the grid was widened until it holds the key"),
                }
            }
        };
        self.add(cell, key, key, 1);
    }

    /// The cell of a key, if the grid holds it.
    fn cell(&self, key: &[f64]) -> Option<usize> {
        let mut cell = 0;
        for (axis, &v) in self.axes.iter().zip(key) {
            let at = axis.cell(v) - axis.base;
            if !(0.0..Self::SIDE as f64).contains(&at) {
                return None;
            }
            cell = cell * Self::SIDE + at as usize;
        }
        Some(cell)
    }

    /// Adds keys within a box to a cell.
    fn add(&mut self, cell: usize, low: &[f64], high: &[f64], count: u32) {
        if self.table[cell] == 0 {
            let number = self.counts.len();
            if number.is_multiple_of(LANES) {
                // Boxes without keys, at the first key, so that their scores are tame.
                for &v in low {
                    self.boxes.extend([v; 2 * LANES]);
                }
            }
            self.counts.push(0);
            self.table[cell] = self.counts.len() as u16;
        }
        let number = usize::from(self.table[cell]) - 1;
        let is_new = self.counts[number] == 0;
        let start = number / LANES * Self::GROUP + number % LANES;
        for (axis, (&low, &high)) in low.iter().zip(high).enumerate() {
            let at = start + 2 * LANES * axis;
            let [least, greatest] = [at, at + LANES];
            if is_new {
                (self.boxes[least], self.boxes[greatest]) = (low, high);
            } else {
                self.boxes[least] = self.boxes[least].min(low);
                self.boxes[greatest] = self.boxes[greatest].max(high);
            }
        }
        self.counts[number] += count;
    }

    /// The least and the greatest coordinates of a box.
    fn corners(&self, number: usize) -> [[f64; 3]; 2] {
        let start = number / LANES * Self::GROUP + number % LANES;
        [0, LANES].map(|end| {
            core::array::from_fn(|axis| match axis < K::DIMENSION {
                true => self.boxes[start + end + 2 * LANES * axis],
                false => 0.0,
            })
        })
    }

    /// Widens the grid until it holds the key, and moves all boxes to their new cells.
    #[cold]
    fn widen(&mut self, key: &[f64]) {
        let boxes: Vec<_> = (0..self.len()).map(|number| self.corners(number)).collect();
        let counts = core::mem::take(&mut self.counts);
        for (i, (axis, &v)) in self.axes.iter_mut().zip(key).enumerate() {
            let low = boxes.iter().fold(v, |low, corners| low.min(corners[0][i]));
            let high = boxes
                .iter()
                .fold(v, |high, corners| high.max(corners[1][i]));
            // The width needed is at least this.
            axis.exponent = axis
                .exponent
                .max(exponent(high - low) - Self::SIDE.ilog2() as i32);
            while axis.cell(high) - axis.cell(low) >= Self::SIDE as f64 {
                axis.exponent += 1;
            }
            let [first, last] = [low, high].map(|v| axis.cell(v));
            let spare = ((Self::SIDE - 1) as f64 - (last - first)) / 2.0;
            // Where numbers of cells have gaps, the first one is kept.
            let is_whole = first.abs() < 1e15;
            axis.base = if is_whole {
                first - libm::floor(spare)
            } else {
                first
            };
        }
        self.boxes.clear();
        self.table.fill(0);
        for (corners, count) in boxes.into_iter().zip(counts) {
            let [low, high] = corners.each_ref().map(|corner| &corner[..K::DIMENSION]);
            match self.cell(low) {
                Some(cell) => self.add(cell, low, high, count),
                None => unreachable!("the grid was widened until it holds all keys"),
            }
        }
    }

    /// An upper bound of the weights `e^(q·(k - best))` of all keys except the `used` ones, of
    /// which none exceeds `e^cap`. Weights that underflow count as zero. `scratch` is a buffer.
    pub(crate) fn weight(
        &self,
        q: K,
        best: K,
        used: impl Iterator<Item = K>,
        cap: f64,
        scratch: &mut Vec<f64>,
    ) -> f64 {
        scratch.clear();
        scratch.extend(self.counts.iter().map(|&count| f64::from(count)));
        scratch.resize(self.counts.len().next_multiple_of(LANES), 0.0);
        for key in used {
            if let Some(cell) = self.cell(&key.axes()[..K::DIMENSION]) {
                let number = usize::from(self.table[cell]);
                debug_assert!(number > 0 && scratch[number - 1] > 0.0, "a key has a box");
                scratch[number - 1] -= 1.0;
            }
        }
        let (q, best) = (q.axes(), best.axes());
        let counts = scratch.as_chunks::<LANES>().0;
        let mut sums = [0.0; LANES];
        vectorized(
            self.arch,
            #[inline(always)]
            || {
                for (group, counts) in self.boxes.chunks_exact(Self::GROUP).zip(counts) {
                    let (axes, _) = group.as_chunks::<LANES>();
                    let (mut gain, mut size) = ([0.0; LANES], [0.0; LANES]);
                    for (axis, ends) in axes.as_chunks::<2>().0[..K::DIMENSION].iter().enumerate() {
                        let (q, best) = (q[axis], best[axis]);
                        let corner = &ends[usize::from(q >= 0.0)];
                        for lane in 0..LANES {
                            let term = q * (corner[lane] - best);
                            gain[lane] += term;
                            size[lane] += term.abs();
                        }
                    }
                    for lane in 0..LANES {
                        let most = gain[lane] + K::ERROR * size[lane];
                        gain[lane] = if most < cap { most } else { cap };
                    }
                    let weights = exp(gain);
                    for lane in 0..LANES {
                        sums[lane] += counts[lane] * weights[lane];
                    }
                }
            },
        );
        sums.iter().sum()
    }
}

impl Axis {
    /// The number of the cell that holds a coordinate. The product is exact: magnitudes are from
    /// `2^-800` to `2^800`.
    #[inline]
    fn cell(self, v: f64) -> f64 {
        libm::floor(v * f64::from_bits(((1023 - self.exponent) as u64) << 52))
    }
}

/// The exponent of a coordinate, [`MIN_EXPONENT`] for zero.
fn exponent(v: f64) -> i32 {
    let exponent = (v.to_bits() >> 52 & 0x7ff) as i32 - 1023;
    exponent.max(MIN_EXPONENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::rank::gain;
    use crate::{Point, Point3};

    /// Bounds for all prefixes of a stream, and how much they exceed the weights on average.
    fn excess<K: Key>(keys: &[K], scale: f64) -> f64 {
        let mut sketch = Sketch::new(Arch::new());
        let mut random = Random::new(4);
        let (mut excess, mut count, mut scratch) = (0.0, 0.0, Vec::new());
        for (n, &key) in keys.iter().enumerate() {
            sketch.push(key);
            let total: u32 = sketch.counts.iter().sum();
            assert_eq!(total as usize, n + 1);
            if n % 13 > 0 {
                continue;
            }
            let mut any = || (random.bits(20) as f64 / 524_288.0 - 1.0) * scale;
            let q = K::from_axes([any(), any(), any()]);
            let mut ranked = keys[..=n].to_vec();
            ranked.sort_by(|&a, &b| q.compare(b, a));
            let used = (n / 2).min(20);
            let weight = |key| libm::exp(gain(q, key, ranked[0]).0.min(0.0));
            let left: f64 = ranked[used..].iter().map(|&key| weight(key)).sum();
            let cap = gain(q, ranked[used], ranked[0]);
            let cap = (cap.0 + cap.1).min(0.0);
            let used = ranked[..used].iter().copied();
            let bound = sketch.weight(q, ranked[0], used, cap, &mut scratch);
            assert!(
                bound >= left * (1.0 - 1e-12),
                "{bound:e} < {left:e}, {n} keys"
            );
            assert!(bound <= (n + 1) as f64 * libm::exp(cap) * (1.0 + 1e-12));
            if left > 0.0 {
                excess += libm::log(bound / left);
                count += 1.0;
            }
        }
        libm::exp(excess / count)
    }

    #[test]
    fn bounds_are_valid_and_close() {
        let mut random = Random::new(3);
        let mut any = |n: u32| random.bits(n) as f64 / 2f64.powi(n as i32 - 1) - 1.0;
        let n = if cfg!(miri) { 60 } else { 3000 };
        let square: Vec<_> = (0..n).map(|_| Point::new(any(30), any(30))).collect();
        let cube: Vec<_> = (0..n)
            .map(|_| Point3::new(any(30), any(30), any(30)))
            .collect();
        // All magnitudes, so that the grid widens again and again; and far from the origin.
        let wide = |i: usize| 2f64.powi((i * 7 % 600) as i32 - 300);
        let wide: Vec<_> = (0..n)
            .map(|i| Point::new(any(9) * wide(i), -wide(i / 2)))
            .collect();
        let far: Vec<_> = (0..n)
            .map(|_| Point::new(1e9 + any(20), -1e-9 * any(20)))
            .collect();
        let line: Vec<_> = (0..n).map(|i| Point::new(2.0 * i as f64, -3.0)).collect();
        let [a, b] = [excess(&square, 20.0), excess(&cube, 10.0)];
        let [c, d] = [excess(&far, 20.0), excess(&line, 0.01)];
        excess(&wide, 1.0);
        if !cfg!(miri) {
            let all = [a, b, c, d];
            assert!(all.iter().all(|&excess| excess < 6.0), "{all:?}");
        }
    }
}
