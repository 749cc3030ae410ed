//! Matrices of weights, in the layout of PyTorch.

/// A dense matrix, row-major, `[out, in]` like the weight of `nn.Linear`.
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
    /// The matrix of `rows * cols` zeros.
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

    /// Row `row` as a mutable slice of `cols` entries.
    ///
    /// # Panics
    /// If `row >= self.rows`.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.entries[row * self.cols..][..self.cols]
    }

    /// The entries of row `row` that are not zero, with their columns, in the order of the columns.
    ///
    /// # Panics
    /// If `row >= self.rows`.
    pub fn nonzeros(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let entries = self.row(row).iter().copied().enumerate();
        entries.filter(|&(_, entry)| entry != 0.0)
    }

    /// Whether all entries of row `row` are zero.
    ///
    /// # Panics
    /// If `row >= self.rows`.
    #[must_use]
    pub fn row_is_zero(&self, row: usize) -> bool {
        self.nonzeros(row).next().is_none()
    }

    /// Whether all entries of column `col` are zero.
    ///
    /// # Panics
    /// If `col >= self.cols`.
    #[must_use]
    pub fn column_is_zero(&self, col: usize) -> bool {
        assert!(col < self.cols, "column {col} of {}", self.cols);
        (0..self.rows).all(|row| self.row(row)[col] == 0.0)
    }
}

/// The five numbers of a model's shape. Heads have dimension 2, so `d_model = 2 * heads`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Number of layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of attention heads per layer.
    pub heads: usize,
    /// Number of gated neurons of the widest layer. Other layers may have fewer: see
    /// [`LayerWeights::neurons`].
    pub d_ffn: usize,
    /// Number of tokens in the vocabulary; ids are below it.
    pub vocab: usize,
}

/// One layer: attention, then the gated feed-forward network.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeights {
    /// `[3 * d_model, d_model]`: query rows, key rows, value rows; head `h` has the rows `2h` and
    /// `2h + 1` of each third.
    pub in_proj: Matrix,
    /// `[d_model, d_model]`.
    pub out_proj: Matrix,
    /// `[2 * neurons, d_model]`: gate rows, then value rows.
    pub ff_in: Matrix,
    /// `[d_model, neurons]`.
    pub ff_out: Matrix,
}

impl LayerWeights {
    /// The number of gated neurons of the layer.
    #[must_use]
    pub fn neurons(&self) -> usize {
        self.ff_out.cols
    }
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
