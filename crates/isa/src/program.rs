//! Programs, and the prompts that hold them.

use std::collections::BTreeMap;
use std::sync::Arc;

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

    /// The instruction's five tokens.
    pub fn tokens(self) -> impl Iterator<Item = Token> {
        std::iter::once(Token::Op(self.op)).chain(self.immediate.map(Token::byte))
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
///     ..Program::default()
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
    /// How the program goes on in another context. `None`: it has one context.
    pub turns: Option<Turns>,
    /// The part of the program that the model has in its weights. `None`: the model has nothing of
    /// any program, and its prompts begin without a table of the operations.
    pub resident: Option<Resident>,
}

/// The part of a program that is in a model's weights instead of its prompt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Resident {
    /// Whether the instructions are in the weights. Then the prompt has none of them.
    pub code: bool,
    /// Bytes that the memory has before anything is written: their first address, and the bytes.
    pub memory: Vec<(u32, Vec<u8>)>,
    /// Code that programs may call: the number of its first instruction, [`LIBRARY_AT`] at least,
    /// and the instructions. Blocks are in ascending order.
    pub library: Vec<(u32, Arc<[Instruction]>)>,
}

/// The number of the first instruction of a library. Programs that call it have fewer instructions.
pub const LIBRARY_AT: u32 = 1 << 20;

impl Resident {
    /// The instruction of a library with that number.
    #[must_use]
    pub fn library_instruction(&self, number: usize) -> Option<Instruction> {
        self.library.iter().find_map(|(first, code)| {
            let at = number.checked_sub(*first as usize)?;
            code.get(at).copied()
        })
    }
}

/// How a program goes on when its context is full.
///
/// A jump that is interrupted leads to two instructions before the first one, in the preamble:
/// `interrupt`, and `br` to the handler. The handler saves the program's state in memory, and then
/// writes all memory to the trace.
///
/// The first context's prompt ends with the handler's three bytes and `ready`. A later one has
/// these right after `}`, instead of the data sections; then the part of the trace of the context
/// before in which the memory was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Turns {
    /// The instruction at which the handler begins.
    pub handler: u32,
    /// The end of the trace of the context before, from the line that ends with `saving` to
    /// `turned`. `None`: this is the first context.
    pub saved: Option<Vec<Token>>,
}

impl Turns {
    /// The least length of the first data section, in bytes.
    ///
    /// In a later context the lines of `ready` and `saving` stand where the first section's line
    /// stood. Their tokens, up to four, are read as its bytes. The memory there is restored, since
    /// the first context has written it.
    pub const FIRST_SECTION: usize = 4;
}

/// The bytes of a `dump`, and of the memory that a `probe` sees.
pub const BLOCK: u32 = 1024;

fn section(bytes: &[u8]) -> impl Iterator<Item = Token> {
    let bytes = bytes.iter().copied().map(Token::byte);
    bytes.chain(std::iter::once(Token::Loaded))
}

impl Program {
    /// The tokens before every prompt, which the network looks up: `<begin>`; for the bytes xy from
    /// 00 to ff the byte x & y; for the 16 nibbles the counts of their leading zeros, of their
    /// trailing zeros and of their ones; for a model with code in its weights all operations with
    /// the immediate 0; and the instructions [`Program::INTERRUPT`] and the one after it, with four
    /// zeros.
    pub fn preamble(&self) -> impl Iterator<Item = Token> + use<> {
        let handler = self.turns.as_ref().map_or(0, |turns| turns.handler);
        let entry = [
            Instruction::new(Op::Interrupt, 0),
            Instruction::new(Op::Br, handler),
        ];
        let entry = entry.into_iter().flat_map(Instruction::tokens);
        let operations = self.resident.is_some().then_some(Op::ALL);
        let operations = operations.into_iter().flatten();
        let operations = operations.flat_map(|&op| Instruction::new(op, 0).tokens());
        let tables = Self::tables().chain(operations);
        tables.chain(entry).chain([0; 4].map(Token::byte))
    }

    /// The tokens of the preamble that are the same for every program.
    fn tables() -> impl Iterator<Item = Token> {
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

    /// The index at which the table of the operations begins, in the preamble of a model with code
    /// in its weights. Each takes five tokens, in the order of [`Op::ALL`].
    pub const OPERATIONS_AT: usize = Self::NIBBLES_AT + 3 * 16;

    /// The number of tokens in a preamble without the table of the operations.
    pub const PREAMBLE_LEN: usize = Self::OPERATIONS_AT + 14;

    /// The number of tokens in a preamble with the table of the operations.
    pub const LONG_PREAMBLE_LEN: usize = Self::PREAMBLE_LEN + 5 * Op::ALL.len();

    /// The number of tokens in the program's preamble, which is the position of `{`.
    #[must_use]
    pub const fn preamble_len(&self) -> usize {
        match self.resident {
            None => Self::PREAMBLE_LEN,
            Some(_) => Self::LONG_PREAMBLE_LEN,
        }
    }

    /// The instructions in the prompt.
    #[must_use]
    pub fn code_in_prompt(&self) -> &[Instruction] {
        match &self.resident {
            Some(resident) if resident.code => &[],
            _ => &self.code,
        }
    }

    /// The index in the preamble of the three bytes that name the handler.
    pub const HANDLER_AT: usize = Self::PREAMBLE_LEN - 8;

    /// The number of the instruction in the preamble to which an interrupted jump leads. The
    /// program's own instructions are numbered from 0.
    pub const INTERRUPT: i64 = -3;

    /// The program with its code in the weights, and the data of its sections except the last
    /// `inputs`, whose bytes stay in the prompt. A section whose data is in the weights has no byte
    /// in the prompt; the first one keeps those that [contexts](Turns::FIRST_SECTION) need.
    ///
    /// ```
    /// use weightware_isa::Program;
    ///
    /// let program: Program = "{ section 07 00 00 00 i32.const 00 00 00 00 } 2a loaded".parse()?;
    /// let program = program.specialised(0);
    /// let prompt: Vec<String> = program.prompt().map(|token| token.to_string()).collect();
    /// assert_eq!(prompt.join(" "), "{ } loaded");
    /// assert_eq!(program.resident.unwrap().memory, [(7, vec![0x2a])]);
    /// # Ok::<(), weightware_isa::Error>(())
    /// ```
    #[must_use]
    pub fn specialised(mut self, inputs: usize) -> Self {
        let resident = self.resident.iter().flat_map(|part| &part.memory);
        let resident = resident.flat_map(|(first, run)| (*first..).zip(run.iter().copied()));
        let mut bytes: BTreeMap<u32, u8> = resident.collect();
        let moved = self.sections.len().saturating_sub(inputs);
        let first = match self.turns {
            Some(_) => Turns::FIRST_SECTION,
            None => 0,
        };
        let sections = self.code.iter().zip(&mut self.sections).take(moved);
        for ((instruction, section), number) in sections.zip(0..) {
            bytes.extend((instruction.low()..).zip(section.iter().copied()));
            section.truncate(if number == 0 { first } else { 0 });
        }
        let mut memory: Vec<(u32, Vec<u8>)> = vec![];
        for (address, byte) in bytes {
            match memory.last_mut() {
                Some((start, run)) if *start as usize + run.len() == address as usize => {
                    run.push(byte);
                }
                _ => memory.push((address, vec![byte])),
            }
        }
        let library = self.resident.map_or_else(Vec::new, |part| part.library);
        self.resident = Some(Resident {
            code: true,
            memory,
            library,
        });
        self
    }

    /// The prompt without the preamble: `{`, the instructions, `}`, then the bytes of each section
    /// and `loaded`. For later contexts see [`Turns`].
    pub fn prompt(&self) -> impl Iterator<Item = Token> {
        let saved = self.saved();
        self.prompt_until_saved(saved.is_some())
            .chain(saved.unwrap_or_default().iter().copied())
    }

    /// The end of the trace of the context before.
    pub(crate) fn saved(&self) -> Option<&[Token]> {
        self.turns.as_ref()?.saved.as_deref()
    }

    /// The prompt without the preamble, of the first context or of a later one, and there without
    /// the end of the trace of the context before.
    pub(crate) fn prompt_until_saved(&self, later: bool) -> impl Iterator<Item = Token> {
        let code = self.code_in_prompt().iter().copied();
        let code = code.flat_map(Instruction::tokens);
        let sections = match later {
            false => self.sections.as_slice(),
            true => &[],
        };
        let ready = self.turns.as_ref().map(|turns| {
            let [b0, b1, b2, _] = turns.handler.to_le_bytes().map(Token::byte);
            [b0, b1, b2, Token::Ready]
        });
        std::iter::once(Token::Open)
            .chain(code)
            .chain(std::iter::once(Token::Close))
            .chain(sections.iter().flat_map(|bytes| section(bytes)))
            .chain(ready.into_iter().flatten())
    }

    /// The whole prompt, preamble included.
    pub fn full_prompt(&self) -> impl Iterator<Item = Token> {
        self.preamble().chain(self.prompt())
    }
}
