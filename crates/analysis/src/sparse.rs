//! Rows of the weights without their zeros.

use weightware_model::Matrix;

/// One weight that is not zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    pub input: u16,
    pub weight: f64,
}

/// Weights that are not zero, in the order in which their products are added: that of a matrix's columns.
pub type Row = Vec<Entry>;

/// A row from all its weights.
pub fn row(weights: impl IntoIterator<Item = f64>) -> Row {
    weights
        .into_iter()
        .enumerate()
        .filter(|&(_, weight)| weight != 0.0)
        .map(|(input, weight)| Entry {
            input: input as u16,
            weight,
        })
        .collect()
}

/// Row `index` of a matrix.
pub fn row_of(matrix: &Matrix, index: usize) -> Row {
    row(matrix.row(index).iter().copied())
}
