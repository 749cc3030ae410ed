//! Counts of a model's weights, and the bytes that they take dense and sparse.

use std::collections::BTreeSet;

use crate::weights::{LayerWeights, Matrix, Weights};

/// Bytes of a weight.
const WEIGHT: u64 = 8;

/// Bytes of a column or of a row's offset in a sparse matrix.
const INDEX: u64 = 4;

/// The counts of a model's weights, all matrices together. Position features are no weights.
///
/// ```
/// use weightware_model::{LayerWeights, Matrix, Weights};
///
/// let matrix = |rows: usize, cols: usize, weight: f64| Matrix { rows, cols, entries: vec![weight; rows * cols] };
/// let layer = LayerWeights {
///     in_proj: matrix(6, 2, 0.0),
///     out_proj: matrix(2, 2, 1.0),
///     ff_in: matrix(2, 2, 0.0),
///     ff_out: matrix(2, 1, 0.5),
/// };
/// let count = Weights { tok: matrix(3, 2, 1.0), layers: vec![layer], head: matrix(3, 2, 0.0) }.count();
/// assert_eq!((count.weights, count.nonzero, count.distinct), (34, 12, 2));
/// assert_eq!(count.dense_bytes, 34 * 8);
/// // 12 values and columns, and the offsets of 18 rows and of the ends of 6 matrices.
/// assert_eq!(count.sparse_bytes, 12 * (8 + 4) + (18 + 6) * 4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightCount {
    /// All entries of all matrices.
    pub weights: u64,
    /// Entries that are not zero.
    pub nonzero: u64,
    /// Different values among these.
    pub distinct: u64,
    /// Bytes of all entries, 8 each: those of `model.safetensors` without its header.
    pub dense_bytes: u64,
    /// Bytes of compressed sparse rows: a value of 8 bytes and a column of 4 for each entry that is
    /// not zero, and an offset of 4 bytes for each row and for each matrix's end.
    pub sparse_bytes: u64,
}

impl Weights {
    /// All matrices: the embedding, the layers', the unembedding.
    pub fn matrices(&self) -> impl Iterator<Item = &Matrix> {
        let layers = self.layers.iter().flat_map(LayerWeights::matrices);
        std::iter::once(&self.tok)
            .chain(layers)
            .chain(std::iter::once(&self.head))
    }

    /// Counts the weights.
    #[must_use]
    pub fn count(&self) -> WeightCount {
        let entries = || self.matrices().flat_map(|matrix| &matrix.entries);
        let nonzero = || entries().filter(|&&weight| weight != 0.0);
        let values: BTreeSet<u64> = nonzero().map(|weight| weight.to_bits()).collect();
        let offsets: usize = self.matrices().map(|matrix| matrix.rows + 1).sum();
        let (weights, live) = (entries().count() as u64, nonzero().count() as u64);
        WeightCount {
            weights,
            nonzero: live,
            distinct: values.len() as u64,
            dense_bytes: weights * WEIGHT,
            sparse_bytes: live * (WEIGHT + INDEX) + offsets as u64 * INDEX,
        }
    }
}

impl LayerWeights {
    /// The four matrices of the layer.
    fn matrices(&self) -> [&Matrix; 4] {
        [&self.in_proj, &self.out_proj, &self.ff_in, &self.ff_out]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attention, Config, Model, Shape, Tokenizer};

    /// Weights of a shape, all zero but those that are listed, in the order of the matrices.
    fn weights(shape: &Shape, listed: &[f64]) -> Weights {
        let (d, f) = (shape.d_model, shape.d_ffn);
        let layer = LayerWeights {
            in_proj: Matrix::zeros(3 * d, d),
            out_proj: Matrix::zeros(d, d),
            ff_in: Matrix::zeros(2 * f, d),
            ff_out: Matrix::zeros(d, f),
        };
        let mut weights = Weights {
            tok: Matrix::zeros(shape.vocab, d),
            layers: vec![layer; shape.layers],
            head: Matrix::zeros(shape.vocab, d),
        };
        let tok = weights.tok.entries.iter_mut();
        let head = weights.head.entries.iter_mut();
        let layers = weights.layers.iter_mut();
        let out = layers.flat_map(|layer| layer.out_proj.entries.iter_mut());
        let places = tok.chain(out).chain(head);
        places
            .zip(listed)
            .for_each(|(place, &weight)| *place = weight);
        weights
    }

    #[test]
    fn counts_what_is_there() {
        let shape = Shape {
            layers: 2,
            d_model: 4,
            heads: 2,
            d_ffn: 3,
            vocab: 5,
        };
        // 2 * 5 * 4 + 2 * (3 * 4 * 4 + 4 * 4 + 2 * 3 * 4 + 4 * 3)
        let all = 240;
        // 2 * 5 + 2 * (3 * 4 + 4 + 2 * 3 + 4), and ten matrices.
        let offsets = 62 + 10;
        let rows: [(&[f64], u64, u64); 5] = [
            (&[], 0, 0),
            (&[0.0, -0.0], 0, 0),
            (&[1.0, -1.0, 1.0, 0.0, 0.5], 4, 3),
            (&[f64::MIN_POSITIVE / 2.0, 1.0, 1.0 + f64::EPSILON], 3, 3),
            (&[7.0; 60], 60, 1),
        ];
        for (listed, nonzero, distinct) in rows {
            let expected = WeightCount {
                weights: all,
                nonzero,
                distinct,
                dense_bytes: 8 * all,
                sparse_bytes: 12 * nonzero + 4 * offsets,
            };
            assert_eq!(weights(&shape, listed).count(), expected, "{listed:?}");
        }
    }

    #[test]
    fn dense_bytes_are_those_of_the_file() {
        let shape = Shape {
            layers: 1,
            d_model: 2,
            heads: 1,
            d_ffn: 1,
            vocab: 2,
        };
        let model = Model {
            config: Config {
                shape,
                attention: Attention::Hardmax,
                position_features: vec![],
                profile: None,
                modules: None,
                context: None,
                last_position: 9,
                key_bounds: vec![],
            },
            weights: weights(&shape, &[1.0]),
            tokenizer: Tokenizer::new(vec!["a".to_owned(), "b".to_owned()]),
            end_tokens: vec![],
        };
        let file = model.to_safetensors().expect("a sound model");
        // The format: the header's length in 8 bytes, the header, the entries.
        let (length, _) = file.split_first_chunk().expect("a length");
        let header = 8 + u64::from_le_bytes(*length);
        assert_eq!(
            file.len() as u64 - header,
            model.weights.count().dense_bytes
        );
    }
}
