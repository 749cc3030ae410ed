//! The error of the lowering: a problem, its place in the module, a remedy.

use std::fmt;

/// The reason why a module cannot be lowered, and its place in the module.
///
/// It displays the instruction, the function, the byte offset in the binary, the problem, and a
/// remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    problem: String,
    remedy: Option<String>,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorKind {
    Invalid,
    Unsupported,
    Later,
    TooLarge,
}

/// A place in a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: Option<u64>,
    pub(crate) function: Option<(u32, String)>,
    pub(crate) instruction: Option<String>,
}

impl Error {
    fn new(kind: ErrorKind, problem: impl Into<String>) -> Self {
        let inner = Inner {
            kind,
            problem: problem.into(),
            remedy: None,
            place: Place::default(),
        };
        Self {
            inner: Box::new(inner),
        }
    }

    /// The module is malformed or breaks WebAssembly's rules.
    pub(crate) fn invalid(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, problem)
    }

    /// The module is valid, but the machine or this crate cannot run it.
    pub(crate) fn unsupported(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, problem)
    }

    /// The module is valid only in a later version of WebAssembly.
    pub(crate) fn later(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Later, problem)
    }

    /// The program would exceed the machine's limits.
    pub(crate) fn too_large(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::TooLarge, problem)
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.inner.remedy = Some(remedy.into());
        self
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.inner.place = place;
        self
    }

    pub(crate) fn at_offset(mut self, offset: u64) -> Self {
        self.inner.place.offset = Some(offset);
        self
    }

    /// The byte offset of the problem in the binary. For a module given as text, this is the binary
    /// that the text encodes.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        self.inner.place.offset
    }

    /// The index of the function that has the problem, imported functions counted first.
    #[must_use]
    pub fn function(&self) -> Option<u32> {
        self.inner.place.function.as_ref().map(|&(index, _)| index)
    }

    /// The name of the function that has the problem.
    #[must_use]
    pub fn function_name(&self) -> Option<&str> {
        let function = self.inner.place.function.as_ref();
        function.map(|(_, name)| name.as_str())
    }

    /// The name of the instruction that has the problem, as WebAssembly's text format spells it.
    #[must_use]
    pub fn instruction(&self) -> Option<&str> {
        self.inner.place.instruction.as_deref()
    }

    /// Whether the module is malformed or breaks WebAssembly's rules, so that no engine would run
    /// it.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.inner.kind == ErrorKind::Invalid
    }

    /// Whether the module is valid, but needs a feature that is not supported.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        matches!(self.inner.kind, ErrorKind::Unsupported | ErrorKind::Later)
    }

    /// Whether the module is valid only in a version of WebAssembly later than 2.0: it uses
    /// threads, exceptions, garbage collection, several memories or another proposal that 2.0 does
    /// not have. For such a module [`Error::is_unsupported`] is true as well. Unsupported parts of
    /// 2.0, such as SIMD, do not count here: they are refused where they are reachable.
    #[must_use]
    pub fn needs_later_version(&self) -> bool {
        self.inner.kind == ErrorKind::Later
    }

    /// Whether the program would exceed the machine's limits.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.inner.kind == ErrorKind::TooLarge
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            problem,
            remedy,
            place,
            ..
        } = &*self.inner;
        let mut parts = Vec::new();
        if let Some(instruction) = &place.instruction {
            parts.push(format!("`{instruction}`"));
        }
        if let Some((index, name)) = &place.function {
            parts.push(format!(
                "in function {index} `{}`",
                excerpt(name, MOST_OF_A_NAME)
            ));
        }
        if let Some(offset) = place.offset {
            parts.push(format!("at byte {offset:#x}"));
        }
        if !parts.is_empty() {
            write!(f, "{}: ", parts.join(" "))?;
        }
        for (line, number) in problem.lines().zip(0..) {
            let end = if number > 0 { "\n" } else { "" };
            write!(f, "{end}{}", excerpt(line, MOST_OF_A_LINE))?;
        }
        match remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Characters of a name that are displayed.
const MOST_OF_A_NAME: usize = 60;
/// Characters of a line that are displayed. A problem in a text quotes the line.
const MOST_OF_A_LINE: usize = 1_000;

/// The beginning of untrusted text, with control characters escaped.
fn excerpt(text: &str, most: usize) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_debug().to_string(),
        false => c.to_string(),
    };
    shorten(text, most, escape)
}

/// A name from a module as part of an error: shortened, with control characters escaped.
pub(crate) fn printable(name: &str) -> String {
    const LIMIT: usize = 120;
    shorten(name, LIMIT, |c| c.escape_debug().to_string())
}

/// The first characters of a text, escaped; `...` marks a truncated text.
fn shorten(text: &str, most: usize, escape: impl FnMut(char) -> String) -> String {
    let mut short: String = text.chars().take(most).map(escape).collect();
    if text.chars().nth(most).is_some() {
        short.push_str("...");
    }
    short
}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        let offset = error.offset();
        let error = match error.message() {
            message if message.starts_with("unexpected end") => {
                Error::invalid(format!("{message}: the file is truncated"))
                    .remedy("build it or copy it again")
            }
            message => Error::invalid(message.to_owned()),
        };
        error.at_offset(offset)
    }
}
