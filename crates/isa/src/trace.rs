//! A trace reader: lines, output and outcome of any stream of tokens.

use std::fmt;

use crate::shape::{MOST_BYTES, Shape};
use crate::{BLOCK, Flag, Token, Trap};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The run reached the end of the program.
    Halted,
    /// The run executed `exit`, with this code.
    Exited(u32),
    /// The run trapped.
    Trapped(Trap),
    /// The context ended, and the run goes on in another one.
    Turned,
    /// The program's state does not fit into a context.
    Refused,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Halted => f.write_str("halted"),
            Outcome::Exited(code) => write!(f, "exited with code {code}"),
            Outcome::Trapped(trap) => write!(f, "trapped: {}", trap.message()),
            Outcome::Turned => f.write_str("goes on in another context"),
            Outcome::Refused => f.write_str("stopped: its state does not fit into a context"),
        }
    }
}

/// The tokens of one executed instruction. Displayed, they are joined by spaces: `03 00 00 00
/// commit(+1,sts=1,bt=0)`.
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

    /// The end token; `None` if the line is not complete.
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
/// It can read any stream of tokens, also one that no program generates. Reading ends at the first
/// token that cannot follow the trace before it; that token has no effect, and
/// [`malformed`](TraceReader::malformed) returns its index. The reader checks which bytes an
/// instruction can generate, that popped operands and frames exist, and that copies of the top of
/// the stack equal it. Only the output makes the reader's memory grow.
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
    /// The first `length` elements are the tokens of the line that has begun. If it is 0, the first
    /// `completed` are those of the line before.
    line: Box<[Token; Self::LONGEST_LINE]>,
    length: usize,
    completed: usize,
    output: Vec<u8>,
    stderr: Vec<u8>,
    outcome: Option<Outcome>,
    /// The tokens of complete lines.
    tokens: u64,
    lines: u64,
    shape: Shape,
    malformed: Option<u64>,
}

impl TraceReader {
    /// The greatest number of tokens of an instruction: those of `dump`.
    pub const LONGEST_LINE: usize = BLOCK as usize + 1;

    /// A reader at the beginning of a trace.
    #[must_use]
    pub fn new() -> Self {
        Self {
            line: Box::new([Token::Begin; Self::LONGEST_LINE]),
            length: 0,
            completed: 0,
            output: Vec::new(),
            stderr: Vec::new(),
            outcome: None,
            tokens: 0,
            lines: 0,
            shape: Shape::new(),
            malformed: None,
        }
    }

    /// Reads a token and returns the line that it completes. Tokens after the outcome, or after a
    /// malformed one, are ignored.
    #[inline]
    pub fn feed(&mut self, token: Token) -> Option<Line<'_>> {
        // The fast path: most tokens are bytes, which end nothing.
        if let Token::Byte(byte, Flag::None) = token
            && self.length < MOST_BYTES
            && self.shape.takes_any_byte()
        {
            self.shape.push(byte);
            self.line[self.length] = token;
            self.length += 1;
            return None;
        }
        self.read(token)
    }

    /// Reads a token that may end a line or the trace.
    #[inline]
    fn read(&mut self, token: Token) -> Option<Line<'_>> {
        if self.ended() {
            return None;
        }
        let line = &self.line[..self.length];
        let follows = match token {
            Token::Byte(byte, flag) => self.shape.byte(line, byte, flag),
            _ => self.shape.end(line, token),
        };
        self.line[self.length] = token;
        if !follows {
            self.malformed = Some(self.tokens());
            self.shape.close();
        }
        self.length += 1;
        if !follows || matches!(token, Token::Byte(..)) {
            return None;
        }
        self.completed = std::mem::take(&mut self.length);
        self.tokens += self.completed as u64;
        self.lines += 1;
        match token {
            Token::Out(byte) => self.output.push(byte),
            Token::Err(byte) => self.stderr.push(byte),
            Token::Halt => self.end(Outcome::Halted),
            Token::Exit => self.end(Outcome::Exited(self.shape.last(4) as u32)),
            Token::Trap(trap) => self.end(Outcome::Trapped(trap)),
            Token::Turned => self.end(Outcome::Turned),
            Token::Refused => self.end(Outcome::Refused),
            _ => {}
        }
        self.last_line()
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
        self.shape.close();
    }

    /// Goes on with the trace of the next context, after one that ended with `turned`. Output and
    /// counts continue.
    pub fn turn(&mut self) {
        if self.outcome == Some(Outcome::Turned) {
            self.outcome = None;
            self.shape = Shape::new();
        }
    }

    /// The line that the last token has completed.
    #[must_use]
    pub fn last_line(&self) -> Option<Line<'_>> {
        let is_last = self.length == 0 && self.completed > 0;
        is_last.then(|| Line {
            tokens: &self.line[..self.completed],
        })
    }

    /// The line that has begun and is not complete: the rest of a trace that was cut short. If the
    /// trace is malformed, its last token is the malformed one.
    #[must_use]
    pub fn unfinished(&self) -> Option<Line<'_>> {
        let tokens = &self.line[..self.length];
        (!tokens.is_empty()).then_some(Line { tokens })
    }

    /// The bytes written so far to the standard output: those of `out(XX)`.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// The bytes written so far to the standard error: those of `err(XX)`.
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
        self.tokens + self.length as u64
    }

    /// Lines completed so far: executed instructions, and `}`.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The index of the token that no program can generate at its place in the trace. It is the
    /// last token read.
    #[must_use]
    pub fn malformed(&self) -> Option<u64> {
        self.malformed
    }

    /// Whether the reader ignores further tokens: there is an outcome, or a malformed token.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.outcome.is_some() || self.malformed.is_some()
    }
}

impl Default for TraceReader {
    fn default() -> Self {
        Self::new()
    }
}
