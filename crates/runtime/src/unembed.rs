//! The unembedding: exact argmax of logits, by branch and bound over blocks of rows.

use std::cmp::Ordering;

use weightware_model::{Matrix, TokenId};

use crate::sparse::WIDTH;

/// Rows per block.
const BLOCK: usize = 32;

/// The most cuts at gaps between families of rows, since such cuts may leave nearly empty blocks;
/// and the number of columns that are searched for gaps.
const GAPS: usize = 8;

/// The nonzero columns of the unembedding, with its rows in blocks of near rows.
///
/// Every block has an enclosure: each of its rows is `middle + a * chord` plus an error of at most
/// `error` per column, with `|a| <= 1`. So no logit of the block exceeds `middle.x + |chord.x| +
/// error.|x|` by more than the rounding error. `error` includes a margin for it: a bound and a
/// logit consist of few operations, each with an error of half an epsilon. A block whose bound is
/// less than a known logit is skipped.
///
/// The search is exact for any weights. It is fast if few rows come near the greatest logit, for
/// instance if rows lie on a curve, which chords approximate closely.
#[derive(Debug)]
pub(crate) struct Unembed {
    /// The slots of the columns, ascending.
    slots: Vec<u16>,
    vocab: usize,
    /// The rows' tokens, ascending within a block. A block of fewer rows is filled up with copies
    /// of its last row.
    tokens: Vec<u32>,
    /// `BLOCK` weights for each column of each block.
    weights: Vec<f64>,
    /// The enclosure of each block, by column, then by block.
    middle: Vec<Vec<f64>>,
    chord: Vec<Vec<f64>>,
    error: Vec<Vec<f64>>,
    /// The greatest magnitude in every column.
    largest: Vec<f64>,
}

/// Buffers that searches reuse.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    bounds: Vec<f64>,
    slopes: Vec<f64>,
}

/// If the magnitudes of all products of a logit add up to less than this, no operation overflows.
const LARGEST: f64 = 1e290;

impl Unembed {
    pub(crate) fn new(head: &Matrix) -> Self {
        let column = |c: usize| head.entries.iter().skip(c).step_by(head.cols).copied();
        let slots: Vec<u16> = (0..head.cols)
            .filter(|&c| column(c).any(|weight| weight != 0.0))
            .map(|c| c as u16)
            .collect();
        let all: Vec<Vec<f64>> = slots.iter().map(|&c| column(c.into()).collect()).collect();
        let columns = slots.len();
        let weight = |token: u32, c: usize| all[c][token as usize];
        let mut tokens: Vec<u32> = (0..head.rows as u32).collect();
        let scales: Vec<f64> = (0..columns)
            .map(|c| half_width(tokens.iter().map(|&t| weight(t, c))))
            .collect();
        let largest = (0..columns)
            .map(|c| {
                tokens
                    .iter()
                    .fold(0.0, |m: f64, &t| m.max(weight(t, c).abs()))
            })
            .collect();
        let mut blocks = Vec::new();
        divide(&mut tokens, &scales, &weight, GAPS, &mut blocks);

        let mut all = Self {
            slots: Vec::new(),
            vocab: head.rows,
            tokens: Vec::new(),
            weights: Vec::with_capacity(blocks.len() * BLOCK * columns),
            middle: vec![Vec::with_capacity(blocks.len()); columns],
            chord: vec![Vec::with_capacity(blocks.len()); columns],
            error: vec![Vec::with_capacity(blocks.len()); columns],
            largest,
        };
        for mut block in blocks {
            block.sort_unstable();
            let last = block[block.len() - 1];
            block.resize(BLOCK, last);
            for c in 0..columns {
                all.weights.extend(block.iter().map(|&t| weight(t, c)));
            }
            all.enclose(&block, &scales, &weight);
            all.tokens.extend(block);
        }
        Self { slots, ..all }
    }

    /// Appends the enclosure of a block. It is valid for any middle, chord and coefficients,
    /// because the errors are computed from them.
    fn enclose(&mut self, block: &[u32], scales: &[f64], weight: &impl Fn(u32, usize) -> f64) {
        let columns = scales.len();
        if columns == 0 {
            return;
        }
        let ranges: Vec<(f64, f64)> = (0..columns)
            .map(|c| range(block.iter().map(|&t| weight(t, c))))
            .collect();
        let along = widest(&ranges, scales).unwrap_or(0);
        let by_column = |a: &&u32, b: &&u32| weight(**a, along).total_cmp(&weight(**b, along));
        let ends = [
            block.iter().min_by(by_column),
            block.iter().max_by(by_column),
        ];
        let [Some(&low), Some(&high)] = ends else {
            return;
        };
        let at = |token: u32| {
            let [low, high] = [low, high].map(|t| weight(t, along));
            let half = high / 2.0 - low / 2.0;
            if half > 0.0 {
                (weight(token, along) - (low / 2.0 + high / 2.0)) / half
            } else {
                0.0
            }
        };
        for c in 0..columns {
            let [low, high] = [low, high].map(|t| weight(t, c));
            let chord = high / 2.0 - low / 2.0;
            let error = |&token: &u32| {
                weight(token, c) - (low / 2.0 + high / 2.0) - at(token).clamp(-1.0, 1.0) * chord
            };
            let (least, greatest) = range(block.iter().map(error));
            self.middle[c].push(low / 2.0 + high / 2.0 + (least / 2.0 + greatest / 2.0));
            self.chord[c].push(chord);
            let largest = block
                .iter()
                .fold(0.0, |m: f64, &t| m.max(weight(t, c).abs()));
            let margin = (64 * (columns + 4)) as f64 * f64::EPSILON * largest;
            self.error[c].push(greatest / 2.0 - least / 2.0 + margin);
        }
    }

    /// All logits: products added in ascending slot order.
    pub(crate) fn logits(&self, x: &[f64; WIDTH]) -> Vec<f64> {
        let x: Vec<f64> = self.slots.iter().map(|&s| x[usize::from(s)]).collect();
        let mut logits = vec![0.0; self.vocab];
        for (b, tokens) in self.tokens.chunks_exact(BLOCK).enumerate() {
            for (&token, logit) in tokens.iter().zip(self.block(b, &x)) {
                logits[token as usize] = logit;
            }
        }
        logits
    }

    /// Reads the columns from the residual stream, in ascending order of slots.
    pub(crate) fn read(&self, residual: &[f64; WIDTH], columns: &mut Vec<f64>) {
        columns.clear();
        columns.extend(self.slots.iter().map(|&slot| residual[usize::from(slot)]));
    }

    /// The lowest token among those of the greatest logit, from the columns; `None` if a logit
    /// might overflow.
    pub(crate) fn argmax(&self, x: &[f64], scratch: &mut Scratch) -> Option<TokenId> {
        let Scratch { bounds, slopes } = scratch;
        let size: f64 = self.largest.iter().zip(x).map(|(w, x)| w * x.abs()).sum();
        // NaN is not contained.
        if !(0.0..LARGEST).contains(&size) {
            return None;
        }
        let blocks = self.tokens.len() / BLOCK;
        bounds.clear();
        bounds.resize(blocks, 0.0);
        slopes.clear();
        slopes.resize(blocks, 0.0);
        for (c, &x) in x.iter().enumerate() {
            add_multiple(bounds, &self.middle[c], x);
            add_multiple(bounds, &self.error[c], x.abs());
            add_multiple(slopes, &self.chord[c], x);
        }
        for (bound, slope) in bounds.iter_mut().zip(slopes) {
            *bound += slope.abs();
        }
        // The search may begin with any block; that of the greatest bound likely has the winner.
        let first = position_of_greatest(bounds);
        let mut best = self.best_of_block(first, x);
        for (b, &bound) in bounds.iter().enumerate() {
            if bound >= best.0 && b != first {
                let (logit, token) = self.best_of_block(b, x);
                if logit > best.0 || (logit == best.0 && token < best.1) {
                    best = (logit, token);
                }
            }
        }
        Some(TokenId(best.1))
    }

    #[inline]
    fn block(&self, b: usize, x: &[f64]) -> [f64; BLOCK] {
        let mut logits = [0.0; BLOCK];
        let weights = &self.weights[b * BLOCK * x.len()..][..BLOCK * x.len()];
        for (column, x) in weights.chunks_exact(BLOCK).zip(x) {
            add_multiple(&mut logits, column, *x);
        }
        logits
    }

    #[inline]
    fn best_of_block(&self, b: usize, x: &[f64]) -> (f64, u32) {
        let logits = self.block(b, x);
        let i = position_of_greatest(&logits);
        (logits[i], self.tokens[b * BLOCK + i])
    }
}

#[inline]
fn add_multiple(sums: &mut [f64], terms: &[f64], factor: f64) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term * factor;
    }
}

/// The first position of the greatest number; none of them is NaN.
#[inline]
fn position_of_greatest(numbers: &[f64]) -> usize {
    const LANES: usize = 8;
    let mut lanes = [f64::NEG_INFINITY; LANES];
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &number) in lanes.iter_mut().zip(chunk) {
            *lane = if number > *lane { number } else { *lane };
        }
    }
    let greatest = lanes
        .iter()
        .chain(rest)
        .fold(f64::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    numbers.iter().position(|&n| n == greatest).unwrap_or(0)
}

/// Divides tokens into blocks of near rows, as a k-d tree does: cuts them across the widest column
/// at the median, or up to `gaps` times at a gap between families of rows.
fn divide(
    tokens: &mut [u32],
    scales: &[f64],
    weight: &impl Fn(u32, usize) -> f64,
    gaps: usize,
    blocks: &mut Vec<Vec<u32>>,
) {
    if tokens.len() <= BLOCK {
        blocks.push(tokens.to_vec());
        return;
    }
    let ranges: Vec<(f64, f64)> = (0..scales.len())
        .map(|c| range(tokens.iter().map(|&t| weight(t, c))))
        .collect();
    let columns = ranges.iter().enumerate().take(gaps);
    let cut_at_gap = columns.into_iter().find_map(|(c, &range)| {
        let below = gap(tokens.iter().map(|&t| weight(t, c)), range)?;
        Some(partition(tokens, |t| weight(t, c) <= below))
    });
    let (cut, gaps) = match cut_at_gap {
        Some(cut) => (cut, gaps - 1),
        None => (
            cut_in_middle(tokens, widest(&ranges, scales), scales.len(), weight),
            gaps,
        ),
    };
    let (low, high) = tokens.split_at_mut(cut);
    divide(low, scales, weight, gaps, blocks);
    divide(high, scales, weight, gaps, blocks);
}

/// Sorts tokens by a column, and returns where to cut them: in the middle, at a multiple of the
/// block, or near to it at a wide gap, so that families of rows stay apart.
fn cut_in_middle(
    tokens: &mut [u32],
    column: Option<usize>,
    columns: usize,
    weight: &impl Fn(u32, usize) -> f64,
) -> usize {
    /// The least width of a gap in terms of the distance of the middle rows.
    const WIDE: f64 = 16.0;
    let middle = tokens.len().div_ceil(BLOCK) / 2 * BLOCK;
    let Some(column) = column else {
        return middle;
    };
    // Among rows that are equal in that column, the other columns keep near rows together.
    let by_columns = |a: &u32, b: &u32| {
        let columns = std::iter::once(column).chain((0..columns).rev());
        let mut orders = columns.map(|c| weight(*a, c).total_cmp(&weight(*b, c)));
        orders
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    tokens.sort_unstable_by(by_columns);
    let gap = |&at: &usize| weight(tokens[at], column) - weight(tokens[at - 1], column);
    let near = middle - BLOCK / 2..(middle + BLOCK / 2).min(tokens.len());
    let widest = near.max_by(|a, b| gap(a).total_cmp(&gap(b)));
    widest
        .filter(|at| gap(at) > WIDE * gap(&middle))
        .unwrap_or(middle)
}

/// Moves the tokens that satisfy a predicate to the front; returns their number.
fn partition(tokens: &mut [u32], first: impl Fn(u32) -> bool) -> usize {
    let mut cut = 0;
    for at in 0..tokens.len() {
        if first(tokens[at]) {
            tokens.swap(at, cut);
            cut += 1;
        }
    }
    cut
}

/// The number below a gap that is wider than half of the range of numbers: such a gap holds the
/// middle of it.
fn gap(numbers: impl Iterator<Item = f64>, (low, high): (f64, f64)) -> Option<f64> {
    let middle = low / 2.0 + high / 2.0;
    let (mut below, mut above) = (low, high);
    for number in numbers {
        if number <= middle {
            below = below.max(number);
        } else {
            above = above.min(number);
        }
    }
    let is_gap = below < above && above / 2.0 - below / 2.0 > (high / 2.0 - low / 2.0) / 2.0;
    is_gap.then_some(below)
}

/// The column of the widest range, in terms of all rows' ranges.
fn widest(ranges: &[(f64, f64)], scales: &[f64]) -> Option<usize> {
    // A constant column has scale 0 and width 0: NaN, which is never the widest.
    let width = |((low, high), scale): (&(f64, f64), &f64)| (high / 2.0 - low / 2.0) / scale;
    let widths = ranges.iter().zip(scales).map(width).enumerate();
    let widest = widths
        .filter(|w| w.1 > 0.0)
        .max_by(|a, b| a.1.total_cmp(&b.1));
    widest.map(|w| w.0)
}

fn half_width(numbers: impl Iterator<Item = f64>) -> f64 {
    let (low, high) = range(numbers);
    high / 2.0 - low / 2.0
}

fn range(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), n| {
        (low.min(n), high.max(n))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sparse::zero_vector;

    fn argmax(unembed: &Unembed, residual: &[f64; WIDTH]) -> Option<TokenId> {
        let mut columns = Vec::new();
        unembed.read(residual, &mut columns);
        unembed.argmax(&columns, &mut Scratch::default())
    }

    fn check(head: &Matrix, x: &[f64]) {
        let mut slots = zero_vector();
        slots[..x.len()].copy_from_slice(x);
        let unembed = Unembed::new(head);
        let logits: Vec<f64> = (0..head.rows)
            .map(|r| {
                let row = head.row(r).iter().zip(x).filter(|(w, _)| **w != 0.0);
                row.fold(0.0, |sum, (w, x)| sum + w * x)
            })
            .collect();
        assert_eq!(unembed.logits(&slots), logits);
        let mut best = 0;
        for (i, &logit) in logits.iter().enumerate() {
            if logit > logits[best] {
                best = i;
            }
        }
        let answer = argmax(&unembed, &slots);
        assert_eq!(answer, Some(TokenId(best as u32)));
    }

    proptest! {
        #[test]
        fn argmax_is_that_of_the_scan(
            (rows, cols) in (1usize..120, 1usize..6),
            few in prop::collection::vec(-3i8..4, 1..40),
            fine in prop::collection::vec(-1.0..1.0, 1..300),
            x in prop::collection::vec(prop_oneof![-1e6..1e6, Just(0.0), Just(-1.0)], 6),
            ties: bool,
        ) {
            let mut few = few.into_iter().map(f64::from).cycle();
            let mut fine = fine.into_iter().cycle();
            let entries = (0..rows * cols).map(|_| if ties { few.next() } else { fine.next() }.unwrap());
            let head = Matrix { rows, cols, entries: entries.collect() };
            check(&head, &x[..cols]);
        }
    }

    /// Rows on parabolas at very different scales, as exact machines have them, and some that never
    /// win.
    #[test]
    fn families_at_many_scales() {
        let far = (0..40).map(|_| [-(2f64.powi(52)), 0.0, 0.0]);
        let bytes = (-256..512).map(f64::from).map(|b| [-b * b, 0.0, 2.0 * b]);
        let qkv = (1..200)
            .map(|a| f64::from(a) * 2f64.powi(20))
            .map(|a| [-a * a, 2.0 * a, 0.0]);
        let entries: Vec<f64> = far.chain(bytes).chain(qkv).flatten().collect();
        let head = Matrix {
            rows: entries.len() / 3,
            cols: 3,
            entries,
        };
        for i in 0..300 {
            check(&head, &[1.0, 0.0, f64::from(i) * 3.5 - 300.0]);
            check(&head, &[1.0, f64::from(i) * 2f64.powi(19), 7.0]);
        }
    }

    #[test]
    fn zero_weights_predict_token_0() {
        check(&Matrix::zeros(50, 2), &[1.0, 2.0]);
    }

    #[test]
    fn overflow_is_no_prediction() {
        let head = Matrix {
            rows: 1,
            cols: 1,
            entries: vec![1e200],
        };
        let unembed = Unembed::new(&head);
        let mut x = zero_vector();
        for large in [1e200, f64::INFINITY, f64::NAN] {
            x[0] = large;
            assert_eq!(argmax(&unembed, &x), None);
        }
    }
}
