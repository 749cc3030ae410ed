//! The error type of this crate.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Settings that make no sense, a file that cannot be read or written, or a failed computation. Its
/// display names the place, the problem and the remedy.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// A result of this crate.
pub type Result<T> = core::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("{}: {source}; check the path, its permissions and the space on the disk", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{place}: {problem}; {remedy}")]
    Invalid {
        place: String,
        problem: String,
        remedy: &'static str,
    },
    #[error("tensors: {0}; this is a defect of the program, unless memory ran out")]
    Candle(#[from] candle_core::Error),
    #[error(transparent)]
    Model(#[from] weightware_model::Error),
}

impl Error {
    /// A file that cannot be read or written.
    #[must_use]
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self(Box::new(Kind::Io {
            path: path.to_owned(),
            source,
        }))
    }

    /// A folder that has a run already.
    #[must_use]
    pub fn occupied(dir: &Path) -> Self {
        let problem = "it has a checkpoint of a run";
        Self::invalid(dir.display(), problem, "pass --resume, or another --out")
    }

    pub(crate) fn invalid(
        place: impl Display,
        problem: impl Display,
        remedy: &'static str,
    ) -> Self {
        let (place, problem) = (place.to_string(), problem.to_string());
        Self(Box::new(Kind::Invalid {
            place,
            problem,
            remedy,
        }))
    }
}

impl From<candle_core::Error> for Error {
    fn from(source: candle_core::Error) -> Self {
        Self(Box::new(source.into()))
    }
}

impl From<weightware_model::Error> for Error {
    fn from(source: weightware_model::Error) -> Self {
        Self(Box::new(source.into()))
    }
}
