//! Failures of the command, and exit codes.

use std::io;

use anyhow::Error;

use crate::screen::Stream;

pub(crate) const FAILED: u8 = 1;
pub(crate) const REFUSED: u8 = 2;
pub(crate) const UNCHECKED: u8 = 121;
pub(crate) const DERAILED: u8 = 122;
pub(crate) const DIFFERS: u8 = 123;
pub(crate) const BUDGET: u8 = 124;
pub(crate) const HORIZON: u8 = 125;
pub(crate) const INTERRUPTED: u8 = 130;
pub(crate) const TRAPPED: u8 = 134;
/// The exit code that a shell reports for a tool that SIGPIPE ended.
const CLOSED: u8 = 141;

/// Longest error text, in characters; what is beyond is cut from its middle.
const LONGEST: usize = 2_000;

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

#[derive(Debug)]
pub(crate) enum Failure {
    /// Arguments, a program or a model that cannot be used.
    Refused(Error),
    /// The system failed.
    Failed(Error),
    /// Nobody reads stdout any more, or the program's stderr. Not worth a word.
    Closed,
}

impl Failure {
    /// A write to stdout that failed.
    pub(crate) fn stdout(error: io::Error) -> Self {
        Self::output(error, Stream::Stdout)
    }

    /// A write to a stream that failed.
    pub(crate) fn output(error: io::Error, stream: Stream) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(Error::new(error).context(match stream {
                Stream::Stdout => "writing to stdout",
                Stream::Stderr => "writing to stderr",
            })),
        }
    }

    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Refused(_) => REFUSED,
            Self::Failed(_) => FAILED,
            Self::Closed => CLOSED,
        }
    }

    /// The text of the error and its causes.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Refused(error) | Self::Failed(error) => Some(printable(&chain(error))),
            Self::Closed => None,
        }
    }
}

/// The error and its causes, without what is said twice: some errors quote their cause.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() || cause.starts_with(&text) {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Without control characters, which a file could bring in, and not too long.
pub(crate) fn printable(text: &str) -> String {
    let length = text.chars().count();
    let cut = (length > LONGEST).then(|| LONGEST / 2..length - LONGEST / 2);
    let mut printable = String::with_capacity(text.len().min(LONGEST));
    for (index, c) in text.chars().enumerate() {
        match &cut {
            Some(cut) if index == cut.start => printable.push_str(" ... "),
            Some(cut) if cut.contains(&index) => {}
            _ if c.is_control() && c != '\n' => printable.extend(c.escape_default()),
            _ => printable.push(c),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_says_nothing_twice() {
        let quoting = Error::msg("no space").context("disk: no space; buy one");
        assert_eq!(chain(&quoting), "disk: no space; buy one");
        let naming = Error::msg("file: not found").context("file");
        assert_eq!(chain(&naming), "file: not found");
        let plain = Error::msg("bottom").context("middle").context("top");
        assert_eq!(chain(&plain), "top: middle: bottom");
    }

    #[test]
    fn texts_are_made_printable() {
        assert_eq!(printable("a\u{1b}[0m\nb"), "a\\u{1b}[0m\nb");
        let long = printable(&format!("{}{}", "é".repeat(5_000), "end"));
        assert!(long.ends_with("end") && long.chars().count() < LONGEST + 10);
    }
}
