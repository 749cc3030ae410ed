//! Errors of decoding general models.

use thiserror::Error;

/// The reason why a general decoder cannot be made, or why it cannot read a token.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct Error(Kind);

#[derive(Debug, Error)]
pub(super) enum Kind {
    #[error("the model is inconsistent: {0}")]
    Model(#[source] weightware_model::Error),
    #[error(
        "the sparse engine needs heads of dimension 2 or 3, and the model has {0}: use the softmax engine"
    )]
    HeadDimension(usize),
    #[error("a sparse engine uses 1 key at least: state a number from 1")]
    NoKeys,
    #[error("a mass error is a number from 0 up to 1, and {0} is not")]
    MassError(f64),
    #[error("token {token} is not in the vocabulary of {vocab}")]
    Token { token: u32, vocab: usize },
    #[error(
        "the model has learned positions for {most} tokens, and the sequence would have {wanted}: shorten it"
    )]
    Context { wanted: usize, most: usize },
    #[error("layer {layer}, head {head}: {source}")]
    Head {
        layer: usize,
        head: usize,
        source: weightware_hull::Error,
    },
    #[error("a number of layer {layer} is not finite: the model diverges on this sequence")]
    NotFinite { layer: usize },
    #[error("the sequence has ended, or an error has left it incomplete: begin another")]
    NoSequence,
    #[error("a sequence of {len} tokens cannot be taken back to {wanted}")]
    Truncate { len: usize, wanted: usize },
    #[error("an empty sequence has no next token: give a prompt of one token at least")]
    NoPrompt,
    #[error("the models have {draft} and {verifier} tokens: use two models of one vocabulary")]
    Vocabularies { draft: usize, verifier: usize },
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(kind)
    }
}
