//! The unembedding: logits, and the token of the greatest one.

use weightware_model::{Matrix, TokenId};

use crate::sparse::WIDTH;

/// Rows per block.
const BLOCK: usize = 16;

/// The columns of the unembedding that are not zero, with its rows sorted into blocks of near rows.
///
/// Every block has a box around its rows. Multiplication by one number and addition round monotonically, so the product
/// of the residual stream with the box's far corner, taken in the same order of operations, is no less than any logit
/// of the block *as computed*: a block whose bound is less than a logit found elsewhere needs no look. The search is
/// exact for any weights; weights in which few rows come near the greatest make it quick.
#[derive(Debug)]
pub(crate) struct Unembed {
    /// The slots of the columns, ascending.
    slots: Vec<u16>,
    vocab: usize,
    /// The rows' tokens, ascending within a block; the last block is filled up with copies of its last row.
    tokens: Vec<u32>,
    /// Per block, per column: `BLOCK` weights.
    weights: Vec<f64>,
    /// Per column: the least and the greatest weight of every block.
    least: Vec<Vec<f64>>,
    greatest: Vec<Vec<f64>>,
    /// No residual stream whose entries are less than this lets a logit overflow.
    safe: f64,
}

/// Space for one search.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    x: Vec<f64>,
    bounds: Vec<f64>,
}

impl Unembed {
    pub(crate) fn new(head: &Matrix) -> Self {
        let slots: Vec<u16> = (0..head.cols)
            .filter(|&c| (0..head.rows).any(|r| head.row(r)[c] != 0.0))
            .map(|c| c as u16)
            .collect();
        let weight = |token: u32, c: usize| head.row(token as usize)[usize::from(slots[c])];
        let mut tokens: Vec<u32> = (0..head.rows as u32).collect();
        group(&mut tokens, slots.len(), &weight);
        let blocks = tokens.len().div_ceil(BLOCK);
        let last = tokens[tokens.len() - 1];
        tokens.resize(blocks * BLOCK, last);

        let mut weights = Vec::with_capacity(tokens.len() * slots.len());
        let mut least = vec![Vec::with_capacity(blocks); slots.len()];
        let mut greatest = least.clone();
        let mut largest: f64 = 1.0;
        for block in tokens.chunks_mut(BLOCK) {
            block.sort_unstable();
            for c in 0..slots.len() {
                let column = block.iter().map(|&token| weight(token, c));
                weights.extend(column.clone());
                let (low, high) = range(column);
                least[c].push(low);
                greatest[c].push(high);
                largest = largest.max(-low).max(high);
            }
        }
        let safe = 1e300 / largest / (slots.len() as f64 + 1.0);
        Self {
            slots,
            vocab: head.rows,
            tokens,
            weights,
            least,
            greatest,
            safe,
        }
    }

    /// All logits: products added in ascending slot order.
    pub(crate) fn logits(&self, x: &[f64; WIDTH]) -> Vec<f64> {
        let x: Vec<f64> = self.slots.iter().map(|&s| x[usize::from(s)]).collect();
        let mut logits = vec![0.0; self.vocab];
        let blocks = self.tokens.chunks_exact(BLOCK);
        for (b, tokens) in blocks.enumerate() {
            for (&token, logit) in tokens.iter().zip(self.block(b, &x)) {
                logits[token as usize] = logit;
            }
        }
        logits
    }

    /// The lowest token among those of the greatest logit; `None` if a logit might overflow.
    pub(crate) fn argmax(&self, residual: &[f64; WIDTH], scratch: &mut Scratch) -> Option<TokenId> {
        let Scratch { x, bounds } = scratch;
        x.clear();
        x.extend(self.slots.iter().map(|&s| residual[usize::from(s)]));
        if !x.iter().all(|x| x.abs() < self.safe) {
            return None;
        }
        bounds.clear();
        bounds.resize(self.tokens.len() / BLOCK, 0.0);
        for (c, &x) in x.iter().enumerate() {
            let corner = if x < 0.0 { &self.least } else { &self.greatest };
            for (bound, weight) in bounds.iter_mut().zip(&corner[c]) {
                *bound += weight * x;
            }
        }
        // Any block may be looked at first; the one of the greatest bound likely holds the winner.
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
            for (logit, weight) in logits.iter_mut().zip(column) {
                *logit += weight * x;
            }
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

/// Sorts tokens so that every `BLOCK` of them have near rows: halves them across the widest column, as a k-d tree does.
fn group(tokens: &mut [u32], columns: usize, weight: &impl Fn(u32, usize) -> f64) {
    let scales: Vec<f64> = (0..columns)
        .map(|c| {
            let (low, high) = range(tokens.iter().map(|&t| weight(t, c)));
            high / 2.0 - low / 2.0
        })
        .collect();
    halve(tokens, &scales, weight);
}

fn halve(tokens: &mut [u32], scales: &[f64], weight: &impl Fn(u32, usize) -> f64) {
    let blocks = tokens.len().div_ceil(BLOCK);
    if blocks < 2 {
        return;
    }
    let width = |c: usize| {
        let (low, high) = range(tokens.iter().map(|&t| weight(t, c)));
        // A column that never changes has scale 0 and width 0: not a number, never the widest.
        (high / 2.0 - low / 2.0) / scales[c]
    };
    let mut widest = (0, 0.0);
    for c in 0..scales.len() {
        let width = width(c);
        if width > widest.1 {
            widest = (c, width);
        }
    }
    if widest.1 > 0.0 {
        tokens.sort_by(|&a, &b| weight(a, widest.0).total_cmp(&weight(b, widest.0)));
    }
    let (low, high) = tokens.split_at_mut(blocks / 2 * BLOCK);
    halve(low, scales, weight);
    halve(high, scales, weight);
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
    use crate::sparse::zero_slots;

    fn check(head: &Matrix, x: &[f64]) {
        let mut slots = zero_slots();
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
        let answer = unembed.argmax(&slots, &mut Scratch::default());
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
        let mut x = zero_slots();
        for large in [1e200, f64::INFINITY, f64::NAN] {
            x[0] = large;
            assert_eq!(unembed.argmax(&x, &mut Scratch::default()), None);
        }
    }
}
