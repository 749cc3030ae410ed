//! Rows of the weights without their zeros.

use weightware_model::Matrix;

/// One weight that is not zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// The column: which number it multiplies.
    pub input: u16,
    /// The weight.
    pub weight: f64,
}

/// The weights of a row that are not zero, in the order in which their products are added: that of
/// the matrix's columns.
///
/// A sum that starts at +0 is never -0, and adding a zero product does not change it: the product
/// with a row has the bits of the dense one.
pub type Row = Vec<Entry>;

/// A row from all its weights.
///
/// # Panics
/// If there are more than 65,536, the most that a [valid](weightware_model::Model::validate) model
/// has.
pub fn row(weights: impl IntoIterator<Item = f64>) -> Row {
    weights
        .into_iter()
        .enumerate()
        .filter(|&(_, weight)| weight != 0.0)
        .map(|(input, weight)| Entry {
            input: u16::try_from(input).expect("rows have at most 65,536 weights"),
            weight,
        })
        .collect()
}

/// Row `index` of a matrix, without its zeros.
///
/// # Panics
/// If the matrix has no such row.
#[must_use]
pub fn row_of(matrix: &Matrix, index: usize) -> Row {
    row(matrix.row(index).iter().copied())
}
