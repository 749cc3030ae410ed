//! The error type of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

/// An unreadable or inconsistent folder, an inconsistent model, or a text with words that are not
/// tokens. Its display names the place and the remedy.
#[derive(Debug)]
pub struct Error {
    kind: Box<Kind>,
}

#[derive(Debug)]
enum Kind {
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    Format {
        path: PathBuf,
        source: Box<dyn StdError + Send + Sync>,
        remedy: &'static str,
    },
    Invalid {
        path: Option<PathBuf>,
        what: String,
        remedy: &'static str,
    },
    UnknownWord {
        word: String,
        index: usize,
    },
}

impl Error {
    fn new(kind: Kind) -> Self {
        Self {
            kind: Box::new(kind),
        }
    }

    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::new(Kind::Io {
            path: path.to_owned(),
            source,
        })
    }

    pub(crate) fn format(
        path: &Path,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
        remedy: &'static str,
    ) -> Self {
        Self::new(Kind::Format {
            path: path.to_owned(),
            source: source.into(),
            remedy,
        })
    }

    pub(crate) fn invalid(what: impl Into<String>, remedy: &'static str) -> Self {
        Self::new(Kind::Invalid {
            path: None,
            what: what.into(),
            remedy,
        })
    }

    pub(crate) fn unknown_word(word: &str, index: usize) -> Self {
        Self::new(Kind::UnknownWord {
            word: word.to_owned(),
            index,
        })
    }

    /// Adds the file to an error that does not name one yet.
    pub(crate) fn in_file(mut self, file: &Path) -> Self {
        if let Kind::Invalid { path, .. } = &mut *self.kind {
            path.get_or_insert_with(|| file.to_owned());
        }
        self
    }

    /// The file at fault, if a file is.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &*self.kind {
            Kind::Io { path, .. } | Kind::Format { path, .. } => Some(path),
            Kind::Invalid { path, .. } => path.as_deref(),
            Kind::UnknownWord { .. } => None,
        }
    }

    /// Whether the file system is at fault, not the file's content.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(*self.kind, Kind::Io { .. })
    }

    /// The word that is not a token and its index among the words of the text, if that is the
    /// error.
    #[must_use]
    pub fn as_unknown_word(&self) -> Option<(&str, usize)> {
        match &*self.kind {
            Kind::UnknownWord { word, index } => Some((word, *index)),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.kind {
            Kind::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Kind::Format {
                path,
                source,
                remedy,
            } => {
                let source = source.to_string();
                let said = excerpt(&source, MOST_OF_A_MESSAGE);
                write!(f, "{}: {said}; {remedy}", path.display())
            }
            Kind::Invalid { path, what, remedy } => {
                if let Some(path) = path {
                    write!(f, "{}: ", path.display())?;
                }
                write!(f, "{what}; {remedy}")
            }
            Kind::UnknownWord { word, index } => {
                write!(
                    f,
                    "word {index}, {}, is not in the vocabulary",
                    quoted(word)
                )
            }
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.kind {
            Kind::Io { source, .. } => Some(source),
            Kind::Format { source, .. } => Some(&**source),
            Kind::Invalid { .. } | Kind::UnknownWord { .. } => None,
        }
    }
}

/// A parser's message may quote a part of the file, so it is cut to this length.
const MOST_OF_A_MESSAGE: usize = 300;

/// The beginning of an untrusted text, without characters that control a terminal.
fn excerpt(text: &str, most: usize) -> String {
    let escape = |c: char| {
        if c.is_control() {
            c.escape_debug().to_string()
        } else {
            c.to_string()
        }
    };
    let mut short: String = text.chars().take(most).map(escape).collect();
    if text.chars().nth(most).is_some() {
        short.push_str("...");
    }
    short
}

/// The beginning of a string of a file, quoted.
pub(crate) fn quoted(string: &str) -> String {
    const MOST: usize = 60;
    let short: String = string.chars().take(MOST).collect();
    let more = if short.len() < string.len() {
        "..."
    } else {
        ""
    };
    format!("{short:?}{more}")
}
