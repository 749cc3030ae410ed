//! The vocabulary: every token, its id and its string.

use std::collections::HashMap;
use std::fmt;

use crate::{Commit, Op, Trap};

/// The carry or borrow from a result byte into the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flag {
    /// No carry and no borrow.
    None,
    /// The sum of the bytes was 256 or more: `08+`.
    Carry,
    /// The difference of the bytes was below 0: `08-`.
    Borrow,
}

/// A token, by its meaning to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Token {
    /// The first token of every prompt. Its embedding is zero, so a lookup that finds it returns 0.
    Begin,
    /// `{`, before the first instruction.
    Open,
    /// `}`, after the last instruction; executed, it halts.
    Close,
    /// An opcode.
    Op(Op),
    /// A byte of an immediate, of a data section, or of a result.
    Byte(u8, Flag),
    /// The end of an ordinary instruction.
    Commit(Commit),
    /// The end of a call: the caller's frame size.
    Call(u8),
    /// The end of a return: the caller's frame size.
    Return(u8),
    /// The end of an output instruction: the byte written.
    Out(u8),
    /// The end of an output instruction for the standard error: the byte written.
    Err(u8),
    /// The end of a data section.
    Loaded,
    /// The program has ended.
    Halt,
    /// The program has ended, and the four bytes before are its exit code.
    Exit,
    /// The program has trapped.
    Trap(Trap),
    /// The last token of a prompt whose program can go on in another context: from a number of
    /// tokens on, jumps are interrupted.
    Ready,
    /// The end of `interrupt`: jumps are not interrupted.
    Interrupted,
    /// The end of `step`: the next jump is interrupted.
    Stepping,
    /// The end of `continue`: from a number of tokens on, jumps are interrupted.
    Continued,
    /// The end of `save`: jumps to the three bytes before the token. The part of the trace that
    /// begins with this line becomes the end of the next context's prompt.
    Saving,
    /// The end of a context: the run goes on in another one.
    Turned,
    /// The program's state does not fit into a context.
    Refused,
}

impl Token {
    /// The byte token without a flag.
    #[must_use]
    pub const fn byte(byte: u8) -> Self {
        Token::Byte(byte, Flag::None)
    }

    /// All tokens in id order.
    pub fn all() -> impl Iterator<Item = Token> {
        let flags = [Flag::None, Flag::Carry, Flag::Borrow];
        let bytes = flags
            .into_iter()
            .flat_map(|flag| (0..=255).map(move |byte| Token::Byte(byte, flag)));
        [Token::Begin, Token::Open, Token::Close]
            .into_iter()
            .chain(Op::ALL.iter().map(|&op| Token::Op(op)))
            .chain(bytes)
            .chain(Commit::ALL.into_iter().map(Token::Commit))
            .chain((1..=255).map(Token::Call))
            .chain((1..=255).map(Token::Return))
            .chain((0..=255).map(Token::Out))
            .chain((0..=255).map(Token::Err))
            .chain([Token::Loaded, Token::Halt, Token::Exit])
            .chain(Trap::ALL.into_iter().map(Token::Trap))
            .chain([
                Token::Ready,
                Token::Interrupted,
                Token::Stepping,
                Token::Continued,
                Token::Saving,
                Token::Turned,
                Token::Refused,
            ])
    }

    /// Whether this token closes an instruction, so that the next token begins another one.
    #[must_use]
    pub const fn ends_instruction(self) -> bool {
        !matches!(
            self,
            Token::Begin | Token::Open | Token::Op(_) | Token::Byte(..)
        )
    }

    /// Whether a run ends with this token.
    #[must_use]
    pub const fn ends_run(self) -> bool {
        matches!(
            self,
            Token::Halt | Token::Exit | Token::Trap(_) | Token::Turned | Token::Refused
        )
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Token::Begin => f.write_str("<begin>"),
            Token::Open => f.write_str("{"),
            Token::Close => f.write_str("}"),
            Token::Op(op) => write!(f, "{op}"),
            Token::Byte(byte, Flag::None) => write!(f, "{byte:02x}"),
            Token::Byte(byte, Flag::Carry) => write!(f, "{byte:02x}+"),
            Token::Byte(byte, Flag::Borrow) => write!(f, "{byte:02x}-"),
            Token::Commit(commit) => write!(f, "{commit}"),
            Token::Call(frame) => write!(f, "call({frame})"),
            Token::Return(frame) => write!(f, "return({frame})"),
            Token::Out(byte) => write!(f, "out({byte:02x})"),
            Token::Err(byte) => write!(f, "err({byte:02x})"),
            Token::Loaded => f.write_str("loaded"),
            Token::Halt => f.write_str("halt"),
            Token::Exit => f.write_str("halt(exit)"),
            Token::Trap(trap) => write!(f, "trap({})", trap.name()),
            Token::Ready => f.write_str("ready"),
            Token::Interrupted => f.write_str("interrupted"),
            Token::Stepping => f.write_str("stepping"),
            Token::Continued => f.write_str("continued"),
            Token::Saving => f.write_str("saving"),
            Token::Turned => f.write_str("turned"),
            Token::Refused => f.write_str("refused"),
        }
    }
}

/// The tokens by id and by string.
///
/// ```
/// use weightware_isa::{Op, Token, Vocabulary};
///
/// let vocabulary = Vocabulary::new();
/// let id = vocabulary.id(Token::Op(Op::I32Add));
/// assert_eq!(vocabulary.token(id), Some(Token::Op(Op::I32Add)));
/// assert_eq!(vocabulary.parse("i32.add"), Some(Token::Op(Op::I32Add)));
/// assert!(vocabulary.len() < 2000);
/// ```
#[derive(Debug, Clone)]
pub struct Vocabulary {
    tokens: Vec<Token>,
    ids: HashMap<Token, u32>,
    by_string: HashMap<String, Token>,
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self::new()
    }
}

impl Vocabulary {
    /// All tokens of the machine with their ids and strings, the same for every program and
    /// profile.
    #[must_use]
    pub fn new() -> Self {
        let tokens: Vec<Token> = Token::all().collect();
        let ids = tokens
            .iter()
            .zip(0..)
            .map(|(&token, id)| (token, id))
            .collect();
        let by_string = tokens
            .iter()
            .map(|&token| (token.to_string(), token))
            .collect();
        Self {
            tokens,
            ids,
            by_string,
        }
    }

    /// The number of tokens.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a vocabulary is never empty")]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// All tokens in id order.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The id of a token.
    ///
    /// # Panics
    /// If the machine never generates such a token (`call(0)`, a commit outside [`Commit::ALL`]).
    #[must_use]
    pub fn id(&self, token: Token) -> u32 {
        *self
            .ids
            .get(&token)
            .unwrap_or_else(|| panic!("{token} is not in the vocabulary"))
    }

    /// The token with that id.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<Token> {
        self.tokens.get(id as usize).copied()
    }

    /// The token with that string.
    #[must_use]
    pub fn parse(&self, string: &str) -> Option<Token> {
        self.by_string.get(string).copied()
    }
}
