//! Invariants of every trace of any program, checked token by token in constant memory.
//!
//! - **Lines**: some instruction generates this number of bytes before that end token.
//! - **Flags**: only sums, differences and negations have flags, and some operands produce them.
//! - **Operands**: no instruction takes more operands than there are.
//! - **The top of the stack**: until an instruction pushes or pops, any copy of the top (output,
//!   stored or as an exit code) equals the last value stated for it.
//! - **Frames**: the program never returns from more calls, or by more words, than it entered.

use crate::{BLOCK, Commit, Effect, FRAME_LIMIT, Flag, Token};

/// No instruction generates more bytes than this.
pub(crate) const MOST_BYTES: usize = 15;

/// At most this many bytes of a line have flags.
const MOST_FLAGGED: usize = 8;

/// The state of the checker after a prefix of a trace.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// The last eight bytes, the latest in the highest place.
    word: u64,
    /// The kind of the flags in the line, which has only one kind.
    flag: Flag,
    /// Whether the line has no flags and the trace has not ended.
    open: bool,
    /// The number of operands on the stack.
    depth: u64,
    /// The topmost operand, known if `width` is not 0.
    top: u64,
    width: usize,
    /// Calls that have not returned, and the words of their callers' frames.
    calls: u64,
    words: u64,
}

impl Shape {
    /// The state before the first token.
    pub(crate) const fn new() -> Self {
        Self {
            word: 0,
            flag: Flag::None,
            open: true,
            depth: 0,
            top: 0,
            width: 0,
            calls: 0,
            words: 0,
        }
    }

    /// Whether any byte without a flag may follow the line's bytes, provided that there are fewer
    /// than [`MOST_BYTES`] of them.
    #[inline]
    pub(crate) fn takes_any_byte(&self) -> bool {
        self.open
    }

    /// Ends the trace: no more tokens may come.
    pub(crate) fn close(&mut self) {
        self.open = false;
    }

    /// Reads a byte.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.word = self.word >> 8 | u64::from(byte) << 56;
    }

    /// The last bytes, little-endian.
    #[inline]
    pub(crate) fn last(&self, width: usize) -> u64 {
        self.word >> (64 - 8 * width)
    }

    /// Reads a byte, and returns whether it can follow the line's bytes.
    pub(crate) fn byte(&mut self, line: &[Token], byte: u8, flag: Flag) -> bool {
        self.push(byte);
        let before = match line.last() {
            Some(&Token::Byte(_, flag)) => flag,
            _ => Flag::None,
        };
        // The carry into a byte is the flag of the byte before: 255 + 255 is fe+, 0 - 255 is 01-.
        let follows = match (before, flag) {
            (Flag::None, Flag::Carry) | (Flag::Borrow, Flag::None) => byte < 0xff,
            (Flag::None, Flag::Borrow) | (Flag::Carry, Flag::None) => byte > 0,
            (Flag::Carry, Flag::Borrow) | (Flag::Borrow, Flag::Carry) => false,
            (Flag::None, Flag::None)
            | (Flag::Carry, Flag::Carry)
            | (Flag::Borrow, Flag::Borrow) => true,
        };
        let alike = flag == Flag::None || self.flag == Flag::None || self.flag == flag;
        if flag != Flag::None {
            self.flag = flag;
            self.open = false;
        }
        let most = match self.flag {
            // A `dump` has the most bytes, and two operands.
            Flag::None if self.depth >= 2 => BLOCK as usize,
            Flag::None => MOST_BYTES,
            Flag::Carry | Flag::Borrow => MOST_FLAGGED,
        };
        follows && alike && line.len() < most
    }

    /// Reads a token other than a byte, and returns whether it can follow the line's bytes.
    #[inline]
    pub(crate) fn end(&mut self, line: &[Token], token: Token) -> bool {
        let flag = std::mem::replace(&mut self.flag, Flag::None);
        self.open = true;
        let bytes = line.len();
        match token {
            Token::Commit(commit) if commit.stored => self.stored(line, flag, commit),
            Token::Commit(commit) => flag == Flag::None && self.kept(bytes, commit),
            Token::Call(frame) => {
                self.calls += 1;
                self.words += u64::from(frame);
                (bytes, flag) == (3, Flag::None) && self.words <= FRAME_LIMIT.into()
            }
            Token::Return(frame) => {
                let (calls, words) = (self.calls, self.words);
                if (bytes, flag) != (3, Flag::None) || calls == 0 || words < frame.into() {
                    return false;
                }
                self.calls = calls - 1;
                self.words = words - u64::from(frame);
                // The remaining callers have frames of 1 to 255 words.
                (self.calls..=255 * self.calls).contains(&self.words)
            }
            Token::Out(byte) | Token::Err(byte) => {
                let top = self.is_top(4, self.top & !0xff | u64::from(byte));
                bytes == 0 && top && self.take(1)
            }
            Token::Exit => {
                let top = self.is_top(4, self.last(4));
                (bytes, flag) == (4, Flag::None) && top && self.take(1)
            }
            Token::Halt | Token::Trap(_) => bytes == 0,
            Token::Loaded => (bytes, flag) == (BLOCK as usize, Flag::None) && self.depth >= 2,
            Token::Interrupted => {
                self.depth += 1;
                (self.top, self.width) = (self.last(4), 4);
                (bytes, flag) == (4, Flag::None)
            }
            Token::Stepping | Token::Continued => (bytes, flag) == (3, Flag::None) && self.take(1),
            Token::Saving => (bytes, flag) == (3, Flag::None),
            Token::Turned | Token::Refused => bytes == 0,
            Token::Begin
            | Token::Open
            | Token::Close
            | Token::Op(_)
            | Token::Byte(..)
            | Token::Ready => false,
        }
    }

    /// The end of an instruction whose last bytes are the new top of the stack.
    #[inline]
    fn stored(&mut self, line: &[Token], flag: Flag, commit: Commit) -> bool {
        let plain = flag == Flag::None;
        let (width, possible) = match (commit.delta, commit.effect, line.len()) {
            (-1, Effect::None, width @ (4 | 8)) => (width, true),
            (1 | -2, Effect::None, width @ (4 | 8)) | (1, Effect::Skip, width @ 8) => {
                (width, plain)
            }
            (0, Effect::None, width @ (4 | 8)) => (width, plain || is_negation(line)),
            (0, Effect::None, 7) => (4, plain && is_count(line, 4)),
            (0, Effect::None, 15) => (8, plain && is_count(line, 8)),
            _ => return false,
        };
        // `delta` counts the new top, which is not taken.
        let taken = 1 - i64::from(commit.delta);
        if !possible || !self.take(taken.unsigned_abs()) {
            return false;
        }
        self.depth += 1;
        (self.top, self.width) = (self.last(width), width);
        true
    }

    /// The end of an instruction that leaves the stack unchanged, or pops from it.
    #[inline]
    fn kept(&mut self, bytes: usize, commit: Commit) -> bool {
        match (commit.delta, commit.effect, bytes) {
            (0, Effect::Jump, 3) => true,
            (-1, Effect::Jump, 3) | (-1, Effect::None, 0) => self.take(1),
            (0, Effect::None, 4 | 8) => self.depth > 0 && self.is_top(bytes, self.last(bytes)),
            (-1, Effect::None, 4 | 8) | (-1, Effect::Grow, 4) => {
                self.is_top(bytes, self.last(bytes)) && self.take(1)
            }
            (-2, Effect::None, 1 | 2 | 4 | 8) => self.begins_top(bytes) && self.take(2),
            _ => false,
        }
    }

    /// Whether the top of the stack may have this width and these bits. An instruction for values
    /// of either width reads or writes eight bytes, of which the last four are a value of four.
    #[inline]
    fn is_top(&self, width: usize, bits: u64) -> bool {
        match (self.width, width) {
            (0, _) => true,
            (4, 8) => self.top == bits >> 32,
            (8, 4) => self.top >> 32 == bits,
            (known, _) => (known, self.top) == (width, bits),
        }
    }

    /// Whether the last bytes may be the lowest of the top of the stack.
    #[inline]
    fn begins_top(&self, bytes: usize) -> bool {
        let low = |value: u64| value << (64 - 8 * bytes) >> (64 - 8 * bytes);
        let last = self.last(bytes);
        match self.width {
            0 => true,
            4 => bytes <= 4 && low(self.top) == last,
            _ => low(self.top) == last || bytes <= 4 && low(self.top >> 32) == last,
        }
    }

    /// Removes operands, and returns whether they were there.
    #[inline]
    fn take(&mut self, operands: u64) -> bool {
        self.width = 0;
        let left = self.depth.checked_sub(operands);
        self.depth = left.unwrap_or_default();
        left.is_some()
    }
}

/// Whether bytes with flags may be `0 - a`: zeros up to the first nonzero byte of `a`, and borrows
/// from there on.
fn is_negation(line: &[Token]) -> bool {
    let mut borrowed = line.iter().skip_while(|&&token| token == Token::byte(0));
    borrowed.all(|token| matches!(token, Token::Byte(_, Flag::Borrow)))
}

/// Whether bytes may be the counts of an instruction such as `clz`: one for the first byte of a
/// value, one for the first two and so on, then the zeros that make the last count a value of that
/// width.
fn is_count(line: &[Token], width: usize) -> bool {
    let (counts, rest) = line.split_at(width);
    let mut possible = counts.iter().zip(1..);
    let possible = possible.all(
        |(token, bytes)| matches!(*token, Token::Byte(count, _) if usize::from(count) <= 8 * bytes),
    );
    possible && rest.iter().all(|&token| token == Token::byte(0))
}
