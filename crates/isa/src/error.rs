//! Errors of invalid programs, each with its place and a remedy.

use std::fmt;

use crate::{Op, Turns};

/// An invalid program or program text.
///
/// The error names the place if it is known: line, column and token of a text, the instruction of a
/// program. Its display ends with a [remedy](Error::remedy).
///
/// ```
/// use weightware_isa::Program;
///
/// let error = "{ i32.cosnt 03 00 00 00 }".parse::<Program>().unwrap_err();
/// assert_eq!((error.line(), error.column(), error.token()), (Some(1), Some(3), Some("i32.cosnt")));
/// assert_eq!(
///     error.to_string(),
///     "line 1, column 3: `i32.cosnt`: this is not an opcode; write `i32.const` if that is meant"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Box<Kind>,
    instruction: Option<usize>,
    place: Option<Place>,
    token: Option<String>,
}

/// The line and column of a token, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    NoOpen,
    Preamble(String),
    NotAnOpcode(Option<&'static str>),
    SurplusByte,
    MissingByte { op: Op, number: usize },
    NoClose,
    InWeights,
    NotSectionByte,
    OpenSection(usize),
    TooLong,
    Sections { declared: usize, given: usize },
    LateSection,
    Target { target: usize, length: usize },
    TargetOp { target: usize, op: Op },
    NoResume,
    NoCall,
    NoHighWord,
    NoLowWord,
    ResumeIndex { wanted: usize },
    NoFrame,
    FourthByte,
    Turns,
    Saved,
    Handler { handler: u32 },
    ShortSection,
    FarData { end: u32 },
}

impl Error {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind: Box::new(kind),
            instruction: None,
            place: None,
            token: None,
        }
    }

    pub(crate) fn at_instruction(self, instruction: usize) -> Self {
        Self {
            instruction: Some(instruction),
            ..self
        }
    }

    pub(crate) fn at_place(self, place: Place) -> Self {
        Self {
            place: Some(place),
            ..self
        }
    }

    pub(crate) fn at_token(self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self
        }
    }

    /// The line of the text, counted from 1; `None` if the error is not about a place in a text.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.place.map(|place| place.line)
    }

    /// The column in characters, counted from 1; `None` as for [`line`](Error::line).
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.place.map(|place| place.column)
    }

    /// The token of the text that is wrong, in full; `None` if the text ended too early.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The index of the instruction that is wrong, if the tokens are well formed.
    #[must_use]
    pub fn instruction(&self) -> Option<usize> {
        self.instruction
    }

    /// The remedy: how to correct the program.
    #[must_use]
    pub fn remedy(&self) -> String {
        match &*self.kind {
            Kind::NoOpen => "put `{` before the first instruction".into(),
            Kind::Preamble(wanted) => format!("write `{wanted}` here, or begin the text with `{{`"),
            Kind::NotAnOpcode(Some(name)) => format!("write `{name}` if that is meant"),
            Kind::NotAnOpcode(None) => "write an opcode, or `}` after the last instruction".into(),
            Kind::SurplusByte => "give every opcode exactly four immediate bytes".into(),
            Kind::MissingByte { op, .. } => {
                format!("give `{op}` exactly four bytes of two hex digits")
            }
            Kind::NoClose => "put `}` after the last instruction".into(),
            Kind::InWeights => "put `}` right after `{`".into(),
            Kind::NotSectionByte => {
                "write bytes of two hex digits and close them by `loaded`".into()
            }
            Kind::OpenSection(_) => "close it by `loaded`".into(),
            Kind::TooLong => "shorten the program: branches hold 24-bit indexes".into(),
            Kind::Sections { .. } => {
                "write, after `}`, bytes and `loaded` for each leading `section`".into()
            }
            Kind::LateSection => "move it before all other instructions".into(),
            Kind::Target { length, .. } => format!("go to an index from 0 to {length}"),
            Kind::TargetOp {
                op: Op::Resume,
                target,
            } => format!("go to {} after it", target + 1),
            Kind::TargetOp { .. } => "go to an instruction that can be executed".into(),
            Kind::NoResume => "put `resume` after the call".into(),
            Kind::NoCall => "put a call before it, or remove it".into(),
            Kind::NoHighWord => "put `i64.const_high` after it".into(),
            Kind::NoLowWord => "put `i64.const` before it, or remove it".into(),
            Kind::ResumeIndex { wanted } => format!("let its immediate be {wanted}"),
            Kind::NoFrame => {
                "let the fourth byte be the caller's frame size in words, at least 1".into()
            }
            Kind::FourthByte => "let the fourth byte be 00".into(),
            Kind::Turns => {
                "write three bytes and `ready` once, after all data sections".into()
            }
            Kind::Saved => {
                "after `ready` write nothing, or the trace of the context before, from `saving` to `turned`".into()
            }
            Kind::Handler { .. } => "end the prompt with the same three bytes and `ready`".into(),
            Kind::ShortSection => {
                format!("append zeros: {} bytes are needed", Turns::FIRST_SECTION)
            }
            Kind::FarData { .. } => "link with a smaller stack and a smaller memory".into(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::NoOpen => f.write_str("the program does not begin with `{`"),
            Kind::Preamble(_) => f.write_str("this is not the preamble's next token"),
            Kind::NotAnOpcode(_) => f.write_str("this is not an opcode"),
            Kind::SurplusByte => f.write_str("a byte stands where an opcode belongs"),
            Kind::MissingByte { op, number } => {
                write!(f, "immediate byte {number} of `{op}` is missing")
            }
            Kind::NoClose => f.write_str("the text ends before `}`"),
            Kind::InWeights => {
                f.write_str("the model has the instructions in its weights, and none in a prompt")
            }
            Kind::NotSectionByte => f.write_str("this is neither a byte nor `loaded`"),
            Kind::OpenSection(number) => write!(f, "the text ends inside data section {number}"),
            Kind::TooLong => f.write_str("the program has more than 2^24 - 1 instructions"),
            Kind::Sections { declared, given } => {
                write!(
                    f,
                    "{given} data sections for {declared} leading `section` instructions"
                )
            }
            Kind::LateSection => f.write_str("a `section` follows another instruction"),
            Kind::Target { target, length } => {
                write!(
                    f,
                    "the target {target} lies outside the program of {length} instructions"
                )
            }
            Kind::TargetOp { target, op } => write!(f, "the target {target} is `{op}`"),
            Kind::NoResume => f.write_str("no `resume` follows the call"),
            Kind::NoCall => f.write_str("this `resume` follows no call"),
            Kind::NoHighWord => f.write_str("no high word follows the constant"),
            Kind::NoLowWord => f.write_str("this high word follows no `i64.const`"),
            Kind::ResumeIndex { .. } => f.write_str("this does not hold the index after itself"),
            Kind::NoFrame => f.write_str("the frame size of the call is 0"),
            Kind::FourthByte => f.write_str("only three bytes of this immediate are read"),
            Kind::Turns => f.write_str("no data section ends like this"),
            Kind::Saved => f.write_str("the trace of the context before is not complete"),
            Kind::Handler { handler } => {
                write!(f, "only the preamble names the handler {handler}")
            }
            Kind::ShortSection => {
                f.write_str("the first data section of a program with a handler is too short")
            }
            Kind::FarData { end } => {
                write!(
                    f,
                    "there is data from address {end} on, where no instruction stores any"
                )
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        if let Some(instruction) = self.instruction {
            write!(f, "instruction {instruction}: ")?;
        }
        if let Some(token) = &self.token {
            write!(f, "`{}`: ", excerpt(token))?;
        }
        write!(f, "{}; {}", self.kind, self.remedy())
    }
}

impl std::error::Error for Error {}

/// The beginning of a word from an untrusted text: short, and without characters that control a
/// terminal.
fn excerpt(word: &str) -> String {
    const MOST: usize = 40;
    let mut text: String = word
        .chars()
        .take(MOST)
        .flat_map(char::escape_debug)
        .collect();
    if word.chars().nth(MOST).is_some() {
        text.push_str("...");
    }
    text
}
