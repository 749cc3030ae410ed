//! Reading a trace: its lines, what it puts out and how it ends.

use std::fmt;

use crate::{Effect, Token, Trap};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It reached the end of the program.
    Halted,
    /// It executed `exit`, with that code.
    Exited(u32),
    /// It trapped.
    Trapped(Trap),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Halted => f.write_str("halted"),
            Outcome::Exited(code) => write!(f, "exited with code {code}"),
            Outcome::Trapped(trap) => write!(f, "trapped: {}", trap.message()),
        }
    }
}

/// The tokens of one executed instruction. Displayed, they are joined by spaces: `03 00 00 00 commit(+1,sts=1,bt=0)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    tokens: &'a [Token],
}

impl<'a> Line<'a> {
    /// The tokens, at least one and at most [`TraceReader::LONGEST_LINE`].
    #[must_use]
    pub fn tokens(self) -> &'a [Token] {
        self.tokens
    }

    /// The end token; none if the line was cut because it was too long.
    #[must_use]
    pub fn end(self) -> Option<Token> {
        self.tokens
            .last()
            .copied()
            .filter(|token| token.ends_instruction())
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, token) in self.tokens.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{token}")?;
        }
        Ok(())
    }
}

/// Reads the tokens that follow a prompt, one at a time: lines, output and outcome.
///
/// Any stream of tokens can be read, also one that no program makes: [`malformed`](TraceReader::malformed) tells where
/// the first token stands that cannot be in a trace at its place. Room does not grow with the stream but for the output.
///
/// ```
/// use weightware_isa::{Outcome, TraceReader, Vocabulary};
///
/// let vocabulary = Vocabulary::new();
/// let mut reader = TraceReader::new();
/// let mut lines = Vec::new();
/// for token in "03 00 00 00 commit(+1,sts=1,bt=0) out(03) halt".split(' ') {
///     lines.extend(reader.feed(vocabulary.parse(token).unwrap()).map(|line| line.to_string()));
/// }
/// assert_eq!(lines, ["03 00 00 00 commit(+1,sts=1,bt=0)", "out(03)", "halt"]);
/// assert_eq!(reader.output(), [3]);
/// assert_eq!(reader.outcome(), Some(Outcome::Halted));
/// ```
#[derive(Debug, Clone)]
pub struct TraceReader {
    /// The line's tokens, as many as its length says.
    line: [Token; Self::LONGEST_LINE],
    length: usize,
    /// The next token begins a line.
    complete: bool,
    output: Vec<u8>,
    stderr: Vec<u8>,
    outcome: Option<Outcome>,
    tokens: u64,
    lines: u64,
    malformed: Option<u64>,
}

impl TraceReader {
    /// A line without an end token is cut behind so many tokens. No instruction makes more.
    pub const LONGEST_LINE: usize = 16;

    /// A reader at the beginning of a trace.
    #[must_use]
    pub fn new() -> Self {
        Self {
            line: [Token::Begin; Self::LONGEST_LINE],
            length: 0,
            complete: false,
            output: Vec::new(),
            stderr: Vec::new(),
            outcome: None,
            tokens: 0,
            lines: 0,
            malformed: None,
        }
    }

    /// Reads a token. Returns the line that it completes. Tokens behind the outcome are not read.
    #[inline]
    pub fn feed(&mut self, token: Token) -> Option<Line<'_>> {
        if self.outcome.is_some() {
            return None;
        }
        if self.complete {
            (self.length, self.complete) = (0, false);
        }
        let line = &self.line[..self.length];
        // Most tokens are bytes: they follow one another and end nothing.
        let complete = if matches!(token, Token::Byte(..)) && line.len() < MOST_BYTES {
            false
        } else {
            if !follows(line, token) {
                self.malformed.get_or_insert(self.tokens);
            }
            match token {
                Token::Halt => self.outcome = Some(Outcome::Halted),
                Token::Exit => self.outcome = Some(Outcome::Exited(last_word(line))),
                Token::Trap(trap) => self.outcome = Some(Outcome::Trapped(trap)),
                Token::Out(byte) => self.output.push(byte),
                Token::Err(byte) => self.stderr.push(byte),
                _ => {}
            }
            token.ends_instruction() || line.len() + 1 == Self::LONGEST_LINE
        };
        self.line[self.length] = token;
        self.length += 1;
        self.tokens += 1;
        if !complete {
            return None;
        }
        self.complete = true;
        self.lines += 1;
        Some(self.line())
    }

    fn line(&self) -> Line<'_> {
        Line {
            tokens: &self.line[..self.length],
        }
    }

    /// The line that has begun and is not complete; what is left of a trace that was broken off.
    #[must_use]
    pub fn unfinished(&self) -> Option<Line<'_>> {
        (!self.complete && self.length > 0).then(|| self.line())
    }

    /// The bytes put out so far on the standard output: those of `out(XX)`.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// The bytes put out so far on the standard error: those of `err(XX)`.
    #[must_use]
    pub fn stderr(&self) -> &[u8] {
        &self.stderr
    }

    /// How the run ended, if it did.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// Tokens read so far.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Lines completed so far: executed instructions, and `}`.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The index of the first token that cannot stand where it does in the trace of any program.
    #[must_use]
    pub fn malformed(&self) -> Option<u64> {
        self.malformed
    }
}

impl Default for TraceReader {
    fn default() -> Self {
        Self::new()
    }
}

/// No instruction makes more bytes than these.
const MOST_BYTES: usize = 15;

/// Whether some instruction makes a line that begins so.
fn follows(line: &[Token], token: Token) -> bool {
    let bytes = line.len();
    match token {
        Token::Byte(..) => bytes < MOST_BYTES,
        Token::Commit(commit) => matches!(
            (commit.delta, commit.stored, commit.effect, bytes),
            (0, true, Effect::None, 4 | 7 | 8 | 15)
                | (1 | -1 | -2, true, Effect::None, 4 | 8)
                | (1, true, Effect::Skip, 8)
                | (_, false, Effect::Jump, 3)
                | (_, false, Effect::Grow, 4)
                | (-2, false, Effect::None, 1 | 2 | 4 | 8)
                | (-1, false, Effect::None, 0 | 4 | 8)
                | (0, false, Effect::None, 4 | 8)
        ),
        Token::Exit => bytes == 4,
        Token::Call(_) | Token::Return(_) => bytes == 3,
        Token::Out(_) | Token::Err(_) | Token::Halt | Token::Trap(_) => bytes == 0,
        Token::Begin | Token::Open | Token::Close | Token::Op(_) | Token::Loaded => false,
    }
}

/// The last four bytes of a line, little-endian, 0 where there is none.
fn last_word(line: &[Token]) -> u32 {
    line.iter()
        .rev()
        .take(4)
        .fold(0, |word, token| match token {
            Token::Byte(byte, _) => word << 8 | u32::from(*byte),
            _ => word << 8,
        })
}
