//! The error of parsing an engine's name, and of making a decoder.

use thiserror::Error;

use crate::Engine;

/// The reason why a decoder cannot be made, or why a name is not that of an engine.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct Error(Kind);

#[derive(Debug, Error)]
enum Kind {
    #[error("the model is inconsistent: {0}")]
    Model(#[source] weightware_model::Error),
    #[error(
        "config.json states that the model needs softmax attention, which the {0} engine does not compute; use the softmax \
         engine, or force this one and expect other tokens"
    )]
    NeedsSoftmax(&'static str),
    #[error(
        "layer {layer} has {neurons} neurons that belong to no table, and engines take up to {most}: use a model with narrower \
         layers"
    )]
    TooWide {
        layer: usize,
        neurons: usize,
        most: usize,
    },
    #[error(
        "the {0} engine is not in this build: build with `--features {0}`, or use the plan engine"
    )]
    Lacking(&'static str),
    #[error("the engines of this build are {}", Engine::available().map(Engine::name).collect::<Vec<_>>().join(", "))]
    UnknownEngine,
}

impl Error {
    pub(crate) fn model(error: weightware_model::Error) -> Self {
        Self(Kind::Model(error))
    }

    pub(crate) fn needs_softmax(engine: &'static str) -> Self {
        Self(Kind::NeedsSoftmax(engine))
    }

    pub(crate) fn too_wide(layer: usize, neurons: usize, most: usize) -> Self {
        Self(Kind::TooWide {
            layer,
            neurons,
            most,
        })
    }

    pub(crate) fn lacking(engine: &'static str) -> Self {
        Self(Kind::Lacking(engine))
    }

    pub(crate) fn unknown_engine() -> Self {
        Self(Kind::UnknownEngine)
    }

    /// Whether [`DecoderOptions::force`](crate::DecoderOptions::force) would avoid the error.
    #[must_use]
    pub fn can_be_forced(&self) -> bool {
        matches!(self.0, Kind::NeedsSoftmax(_))
    }
}
