//! Programs, and the prompts that hold them.

use crate::{Op, Token};

/// An opcode and its four immediate bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// The opcode.
    pub op: Op,
    /// The immediate, little-endian.
    pub immediate: [u8; 4],
}

impl Instruction {
    /// An instruction with a 32-bit immediate.
    #[must_use]
    pub const fn new(op: Op, immediate: u32) -> Self {
        Self {
            op,
            immediate: immediate.to_le_bytes(),
        }
    }

    /// An instruction with a 24-bit immediate and a fourth byte: the pages of an access, the frame
    /// size of a call.
    ///
    /// # Panics
    /// If `low >= 2^24`.
    #[must_use]
    pub const fn with_byte(op: Op, low: u32, byte: u8) -> Self {
        assert!(low < 1 << 24, "an immediate beside a byte has 24 bits");
        let [b0, b1, b2, _] = low.to_le_bytes();
        Self {
            op,
            immediate: [b0, b1, b2, byte],
        }
    }

    /// The four bytes of the immediate as a number, the first byte the lowest.
    #[must_use]
    pub const fn immediate(self) -> u32 {
        u32::from_le_bytes(self.immediate)
    }

    /// The first three bytes of the immediate.
    #[must_use]
    pub const fn low(self) -> u32 {
        self.immediate() & 0x00ff_ffff
    }
}

/// A program and the bytes that its leading `section` instructions load.
///
/// ```
/// use weightware_isa::{Instruction, Op, Program};
///
/// let program = Program {
///     code: vec![
///         Instruction::new(Op::I32Const, 3),
///         Instruction::new(Op::I32Const, 5),
///         Instruction::new(Op::I32Add, 0),
///         Instruction::new(Op::Output, 0),
///     ],
///     sections: vec![],
/// };
/// let prompt: Vec<String> = program.prompt().map(|token| token.to_string()).collect();
/// assert_eq!(
///     prompt.join(" "),
///     "{ i32.const 03 00 00 00 i32.const 05 00 00 00 i32.add 00 00 00 00 output 00 00 00 00 }"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Program {
    /// The instructions. Execution begins with the first one after the leading `section`s; the end
    /// of the program halts.
    pub code: Vec<Instruction>,
    /// The bytes of each leading `section` instruction. In the prompt they follow `}`, each closed
    /// by `loaded`.
    pub sections: Vec<Vec<u8>>,
}

impl Program {
    /// The tokens before every prompt, which the network looks up: `<begin>`; for the bytes xy from
    /// 00 to ff the byte x & y; and for the 16 nibbles the counts of their leading zeros, of their
    /// trailing zeros and of their ones.
    pub fn preamble() -> impl Iterator<Item = Token> {
        let counts: [fn(u8) -> u32; 3] = [
            |nibble| (nibble << 4 | 8).leading_zeros(),
            |nibble| (nibble | 16).trailing_zeros(),
            u8::count_ones,
        ];
        let counts = counts
            .into_iter()
            .flat_map(|count| (0..16).map(move |nibble| count(nibble) as u8));
        let table = (0..=255).map(|byte: u8| byte >> 4 & byte).chain(counts);
        std::iter::once(Token::Begin).chain(table.map(Token::byte))
    }

    /// The index in the preamble at which the counts of the nibbles begin.
    pub const NIBBLES_AT: usize = 257;

    /// The number of tokens in the preamble.
    pub const PREAMBLE_LEN: usize = Self::NIBBLES_AT + 3 * 16;

    /// The prompt without the preamble: `{`, the instructions, `}`, then the bytes of each section
    /// and `loaded`.
    pub fn prompt(&self) -> impl Iterator<Item = Token> {
        let code = self.code.iter().flat_map(|instruction| {
            let bytes = instruction.immediate.into_iter().map(Token::byte);
            std::iter::once(Token::Op(instruction.op)).chain(bytes)
        });
        let sections = self.sections.iter().flat_map(|bytes| {
            bytes
                .iter()
                .copied()
                .map(Token::byte)
                .chain(std::iter::once(Token::Loaded))
        });
        std::iter::once(Token::Open)
            .chain(code)
            .chain(std::iter::once(Token::Close))
            .chain(sections)
    }

    /// The whole prompt, preamble included.
    pub fn full_prompt(&self) -> impl Iterator<Item = Token> {
        Self::preamble().chain(self.prompt())
    }
}
