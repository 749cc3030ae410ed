//! The engines of general models.

use weightware_hull::Budget;

use super::error::Kind;

/// The algorithm by which heads attend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Engine {
    /// Softmax over all keys, by a scan in the model's arithmetic. `O(n)` per token.
    Softmax,
    /// Softmax over the best keys alone, found in nested hulls: heads of dimension 2 or 3.
    /// `O(k + log n)` per token where keys lie on few hulls.
    Sparse(Budget),
}

impl Engine {
    /// Refuses budgets that are none, and heads of a dimension that the engine cannot run.
    pub(super) fn check(self, head_dim: usize) -> Result<(), Kind> {
        let Self::Sparse(budget) = self else {
            return Ok(());
        };
        match budget {
            Budget::Keys(0) => Err(Kind::NoKeys),
            Budget::MassError(error) if !(0.0..1.0).contains(&error) => Err(Kind::MassError(error)),
            _ if !(2..=3).contains(&head_dim) => Err(Kind::HeadDimension(head_dim)),
            _ => Ok(()),
        }
    }
}
