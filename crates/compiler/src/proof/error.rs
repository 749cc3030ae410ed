//! Errors of proofs.

use weightware_analysis::Bailout;

use crate::schedule::ScheduleError;

/// The reason for which nothing can be proved about a model.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The schedule does not fit the machine.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The analysis refuses the weights.
    #[error("the weights cannot be analysed: {0:?}")]
    Refused(Bailout),
}

impl From<Bailout> for ProofError {
    fn from(bailout: Bailout) -> Self {
        Self::Refused(bailout)
    }
}
