//! Errors of the folder and of the tokens.

use std::path::{Path, PathBuf};

/// A folder that cannot be loaded, or a sequence of tokens that cannot be run.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("{}: cannot read", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: unexpected JSON", path.display())]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("{}: cannot read tensors", path.display())]
    Tensors {
        path: PathBuf,
        source: candle_core::Error,
    },
    #[error("{}: {reason}", path.display())]
    Folder { path: PathBuf, reason: String },
    #[error("token {token} at position {position}: the vocabulary has {vocab} tokens")]
    Token {
        position: usize,
        token: u32,
        vocab: usize,
    },
    #[error(
        "position {context}: the model has learned positions for {context} tokens, the sequence \
         has {length}; shorten it"
    )]
    TooLong { length: usize, context: usize },
    #[error("the prompt is empty")]
    EmptyPrompt,
    #[error("a logit at position {position} is not finite")]
    NotFinite { position: usize },
    #[error("the tensor library refused an operation")]
    Compute(#[source] candle_core::Error),
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl Error {
    /// The file at fault, if the model folder is.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &*self.0 {
            Kind::Read { path, .. }
            | Kind::Json { path, .. }
            | Kind::Tensors { path, .. }
            | Kind::Folder { path, .. } => Some(path),
            _ => None,
        }
    }

    /// The position at fault, if one token or its logits are.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        match *self.0 {
            Kind::Token { position, .. } | Kind::NotFinite { position } => Some(position),
            Kind::TooLong { context, .. } => Some(context),
            _ => None,
        }
    }
}
