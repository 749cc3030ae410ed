//! Matrices, in the layout in which PyTorch keeps them.

/// A dense matrix, row-major, `[out, in]` as `nn.Linear` keeps its weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Number of rows (outputs).
    pub rows: usize,
    /// Number of columns (inputs).
    pub cols: usize,
    /// `rows * cols` entries, row by row.
    pub entries: Vec<f64>,
}

impl Matrix {
    /// The zero matrix.
    #[must_use]
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self {
            rows,
            cols,
            entries: vec![0.0; rows * cols],
        }
    }

    /// Row `row` as a slice of `cols` entries.
    ///
    /// # Panics
    /// If `row >= self.rows`.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.entries[row * self.cols..][..self.cols]
    }

    /// Whether a column has only zeros.
    ///
    /// # Panics
    /// If `column >= self.cols`.
    #[must_use]
    pub fn is_zero_column(&self, column: usize) -> bool {
        (0..self.rows).all(|row| self.row(row)[column] == 0.0)
    }

    /// Row `row`, to be written.
    ///
    /// # Panics
    /// If `row >= self.rows`.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.entries[row * self.cols..][..self.cols]
    }
}

/// The five numbers that fix every tensor's shape; heads have dimension 2, so `d_model = 2 *
/// heads`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Number of layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of attention heads per layer.
    pub heads: usize,
    /// Number of gated neurons per layer.
    pub d_ffn: usize,
    /// Number of tokens.
    pub vocab: usize,
}

/// One layer: attention, then the gated feed-forward network.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeights {
    /// `[3 * d_model, d_model]`: query rows, key rows, value rows; head `h` owns rows `2h` and `2h
    /// + 1` of each third.
    pub in_proj: Matrix,
    /// `[d_model, d_model]`.
    pub out_proj: Matrix,
    /// `[2 * d_ffn, d_model]`: gate rows, then value rows.
    pub ff_in: Matrix,
    /// `[d_model, d_ffn]`.
    pub ff_out: Matrix,
}

/// All matrices of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Embedding, `[vocab, d_model]`.
    pub tok: Matrix,
    /// The layers, first to last.
    pub layers: Vec<LayerWeights>,
    /// Unembedding, `[vocab, d_model]`.
    pub head: Matrix,
}
