//! Mutation testing of the weights: one non-zero weight at a time is changed, and the corpus must
//! notice.
//!
//! A mutation is noticed by *tokens* if some run generates another token than the plain
//! interpreter, or stops. It is noticed by the *certificate* if the certificate or its problems
//! change. Some of the others cannot be noticed: `reasons` has their classes. The rest are gaps in
//! the corpus, or dead weights.

mod corpus;
mod names;
mod place;
mod programs;
mod reasons;
mod slots;

use weightware::{Certificate, certify};
use weightware_model::Model;

pub use corpus::Corpus;
pub use names::Names;
pub use place::{Group, Part, Place, groups};
pub use reasons::COUNTS;

use self::reasons::Grounds;
use crate::random::Random;

/// The change of a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Doubles the weight.
    Scale,
    /// Sets the weight to zero.
    Zero,
    /// Exchanges the weight with the next one of its row; the last one with the first.
    Swap,
}

impl Mutation {
    /// All mutations.
    pub const ALL: [Self; 3] = [Self::Scale, Self::Zero, Self::Swap];

    /// Applies the mutation. A second `Swap` undoes it; the others are undone by the old weight.
    fn apply(self, row: &mut [f64], col: usize) {
        match self {
            Self::Scale => row[col] *= 2.0,
            Self::Zero => row[col] = 0.0,
            Self::Swap => {
                let next = (col + 1) % row.len();
                row.swap(col, next);
            }
        }
    }
}

/// The result of a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A token differs, or a run stops.
    Tokens,
    /// The certificate differs.
    Certificate,
    /// A slot of the residual stream holds another number, but no token differs.
    Slots,
    /// The mutation cannot be noticed, for this reason.
    Silent(&'static str),
    /// Nothing noticed the mutation.
    Unnoticed,
}

/// A corpus, and the model whose weights are changed.
#[derive(Debug, Clone)]
pub struct Mutator<'c> {
    corpus: &'c Corpus,
    model: Model,
    certificate: Certificate,
    names: Names,
}

impl<'c> Mutator<'c> {
    /// Creates a mutator of this model.
    #[must_use]
    pub fn new(corpus: &'c Corpus, model: Model) -> Self {
        let certificate = certify(&model);
        Self {
            corpus,
            model,
            certificate,
            names: Names::default(),
        }
    }

    /// Changes a weight, checks who notices, and restores it. `None` for a swap of equal weights.
    pub fn fate(&mut self, place: Place, mutation: Mutation) -> Option<Fate> {
        let row = place.row_of(&mut self.model);
        let before = row.to_vec();
        mutation.apply(row, place.col);
        if *row == before[..] {
            return None;
        }
        let fate = if self.corpus.notices(&self.model, place) {
            Fate::Tokens
        } else if certify(&self.model) != self.certificate {
            Fate::Certificate
        } else if self.corpus.notices_in_slots(&self.model) {
            Fate::Slots
        } else {
            Fate::Unnoticed
        };
        place.row_of(&mut self.model).copy_from_slice(&before);
        let grounds = Grounds {
            model: &self.model,
            certificate: &self.certificate,
            names: &self.names,
        };
        Some(match (fate, grounds.reason(place, mutation, &before)) {
            (Fate::Unnoticed, Some(reason)) => Fate::Silent(reason),
            (fate, _) => fate,
        })
    }

    /// The original weight.
    #[must_use]
    pub fn weight(&self, place: Place) -> f64 {
        place.row_of(&mut self.model.clone())[place.col]
    }
}

/// A sample of a group's places, or all of them; a function of the seed.
#[must_use]
pub fn sample(mut places: Vec<Place>, count: usize, random: &mut Random) -> Vec<Place> {
    while places.len() > count {
        let at = random.below(places.len() as u64);
        places.swap_remove(usize::try_from(at).expect("an index"));
    }
    places
}
