//! Dense linear maps over many rows.

use weightware_model::Matrix;
use weightware_model::general::Linear;

use super::dispatch::vectorised;
use super::real::Real;

/// Outputs that are computed together, in registers.
const TILE: usize = 32;
/// Rows that share one pass over the weights.
const ROWS: usize = 4;

/// A linear map `y = W x + b`, stored by tiles of outputs: `[tile][input][TILE]`.
///
/// The weights of a tile are read once for [`ROWS`] rows, in order.
#[derive(Debug)]
pub(super) struct Tiles<R> {
    inputs: usize,
    outputs: usize,
    weights: Vec<R>,
    bias: Option<Vec<R>>,
}

impl<R: Real> Tiles<R> {
    pub(super) fn new(linear: &Linear) -> Self {
        Self::of(&linear.weight, linear.bias.as_deref())
    }

    pub(super) fn of(matrix: &Matrix, bias: Option<&[f64]>) -> Self {
        let tiles = matrix.rows.div_ceil(TILE);
        let mut weights = vec![R::ZERO; tiles * TILE * matrix.cols];
        for output in 0..matrix.rows {
            let (tile, lane) = (output / TILE, output % TILE);
            for (input, &weight) in matrix.row(output).iter().enumerate() {
                weights[(tile * matrix.cols + input) * TILE + lane] = R::of(weight);
            }
        }
        Self {
            inputs: matrix.cols,
            outputs: matrix.rows,
            weights,
            bias: bias.map(|bias| bias.iter().map(|&b| R::of(b)).collect()),
        }
    }

    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Replaces `y`, `[rows, outputs]`, by the images of `x`, `[rows, inputs]`.
    pub(super) fn apply(&self, x: &[R], y: &mut Vec<R>) {
        let rows = x.len() / self.inputs;
        y.clear();
        y.resize(rows * self.outputs, R::ZERO);
        vectorised(
            #[inline(always)]
            || {
                let mut row = 0;
                while row < rows {
                    if rows - row >= ROWS {
                        self.rows::<ROWS>(x, y, row);
                        row += ROWS;
                    } else {
                        self.rows::<1>(x, y, row);
                        row += 1;
                    }
                }
            },
        );
    }

    /// The rows `row..row + N`. Every row's sum has the same order of terms for any `N`.
    #[inline(always)]
    fn rows<const N: usize>(&self, x: &[R], y: &mut [R], row: usize) {
        let inputs: [&[R]; N] =
            core::array::from_fn(|r| &x[(row + r) * self.inputs..][..self.inputs]);
        let tiles = self.weights.chunks_exact(TILE * self.inputs);
        for (tile, weights) in tiles.enumerate() {
            let mut sums = [[R::ZERO; TILE]; N];
            let (weights, _) = weights.as_chunks::<TILE>();
            for (input, weights) in weights.iter().enumerate() {
                for (sums, x) in sums.iter_mut().zip(&inputs) {
                    let x = x[input];
                    for (sum, &weight) in sums.iter_mut().zip(weights) {
                        *sum += x * weight;
                    }
                }
            }
            let first = tile * TILE;
            let count = TILE.min(self.outputs - first);
            for (r, sums) in sums.iter_mut().enumerate() {
                if let Some(bias) = &self.bias {
                    for (sum, &b) in sums.iter_mut().zip(&bias[first..][..count]) {
                        *sum += b;
                    }
                }
                let y = &mut y[(row + r) * self.outputs + first..][..count];
                y.copy_from_slice(&sums[..count]);
            }
        }
    }
}
