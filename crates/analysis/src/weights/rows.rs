//! Sparse rows of weight matrices.

use weightware_model::Matrix;

/// A nonzero weight of a sparse row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// The column: the index of the number that the weight multiplies.
    pub input: u32,
    /// The weight, which is not zero.
    pub weight: f64,
}

/// A sparse row: its nonzero weights in the order of the matrix's columns, in which their products
/// are added.
///
/// A sum that starts at +0 is never -0, and adding a zero product does not change it. So the dot
/// product with a sparse row equals the dense one bit for bit.
pub type Row = Vec<Entry>;

/// The sparse row of all weights of a row.
///
/// # Panics
/// If there are more than 2^32.
pub fn row(weights: impl IntoIterator<Item = f64>) -> Row {
    weights
        .into_iter()
        .enumerate()
        .filter(|&(_, weight)| weight != 0.0)
        .map(|(input, weight)| Entry {
            input: u32::try_from(input).expect("rows have fewer than 2^32 weights"),
            weight,
        })
        .collect()
}

/// The sparse row at an index of a matrix.
///
/// # Panics
/// If the matrix has no such row.
#[must_use]
pub fn row_of(matrix: &Matrix, index: usize) -> Row {
    row(matrix.row(index).iter().copied())
}
