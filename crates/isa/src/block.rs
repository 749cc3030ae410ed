//! Programs as blocks of code in a model's weights, to which a prompt jumps.
//!
//! ```text
//! start  stores of the data: i32.const ADDRESS, i64.const BYTES, i64.store 0; 4, 2, 1 bytes at the end
//! first  the code without its leading sections
//!        end
//! prompt { section INPUT, br start } INPUT loaded
//! ```
//! Stores, unlike memory in the weights, leave the data to this program alone: to another one, the
//! same addresses are zero. A context saves what is stored, as it saves what a prompt writes. The
//! address is a constant, and no offset of the store: tables of the weights hold constants byte by
//! byte, and offsets as numbers, whose sums come to a limit sooner.

use std::sync::Arc;

use crate::error::{Error, Kind};
use crate::{Instruction, Op, Program, Resident};

/// The pages that a store of the data may reach: as many as an instruction names.
const PAGES: u8 = u8::MAX;

/// The instructions that store bytes, eight at a time.
fn stores(first: u32, bytes: &[u8]) -> impl Iterator<Item = Instruction> {
    let mut at = first;
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (op, width) = match rest.len() {
            0 => return None,
            1 => (Op::I32Store8, 1),
            2..4 => (Op::I32Store16, 2),
            4..8 => (Op::I32Store, 4),
            _ => (Op::I64Store, 8),
        };
        let (chunk, after) = rest.split_at(width);
        let mut value = [0; 8];
        value[..width].copy_from_slice(chunk);
        let [low, high] = [0, 4].map(|at| [0, 1, 2, 3].map(|byte| value[at + byte]));
        let op_of = |op, immediate| Instruction { op, immediate };
        let store = Instruction::with_byte(op, 0, PAGES);
        let address = Instruction::new(Op::I32Const, at);
        at += width as u32;
        rest = after;
        Some(match width {
            8 => vec![
                address,
                op_of(Op::I64Const, low),
                op_of(Op::I64ConstHigh, high),
                store,
            ],
            _ => vec![address, op_of(Op::I32Const, low), store],
        })
    })
    .flatten()
}

impl Program {
    /// The instruction of a number: one of the program's own, or of the library in the weights.
    #[must_use]
    pub fn instruction(&self, number: usize) -> Option<Instruction> {
        let resident = self.resident.as_ref();
        let own = self.code.get(number).copied();
        own.or_else(|| resident?.library_instruction(number))
    }

    /// The instructions that store the data of all sections except the last `inputs`.
    ///
    /// # Errors
    /// If an instruction does not reach data.
    fn stored(&self, inputs: usize) -> Result<Vec<Instruction>, Error> {
        let moved = self.sections.len().saturating_sub(inputs);
        let sections = self.code.iter().zip(&self.sections).take(moved);
        let end = u32::from(PAGES) << 16;
        let mut code = vec![];
        for (section, bytes) in sections {
            if u64::from(section.low()) + bytes.len() as u64 > u64::from(end) {
                return Err(Error::new(Kind::FarData { end }));
            }
            code.extend(stores(section.low(), bytes));
        }
        Ok(code)
    }

    /// The number from which on a program counts its instructions, leading sections included, if
    /// its [block](Program::into_block) shall begin at a number.
    ///
    /// # Errors
    /// If an instruction does not reach data.
    pub fn first_in_block(&self, start: u32, inputs: usize) -> Result<u32, Error> {
        let stored = self.stored(inputs)?.len() as u32;
        Ok(start + stored - self.sections.len() as u32)
    }

    /// The program as a block of code that begins at a number, and the program in the prompt that
    /// jumps to the block. Sections stay in the prompt if they hold input: the last `inputs`.
    ///
    /// The program's numbers count from the one that [`first_in_block`](Program::first_in_block)
    /// returns.
    ///
    /// ```
    /// use weightware_isa::{Interpreter, LIBRARY_AT, Program};
    ///
    /// let text = "{ section 07 00 00 00 i32.const 00 00 00 00 i32.load8_u 07 00 00 ff
    ///     output 00 00 00 00 } 2a loaded";
    /// let program: Program = text.parse()?;
    /// let program = program.into_block(LIBRARY_AT, 0)?;
    /// let prompt: Vec<String> = program.prompt().map(|token| token.to_string()).collect();
    /// assert_eq!(prompt.join(" "), "{ br 00 00 10 00 }");
    /// let mut run = Interpreter::new(&program);
    /// run.run(100)?;
    /// assert_eq!(run.output(), [0x2a]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If an instruction does not reach data.
    pub fn into_block(self, start: u32, inputs: usize) -> Result<Self, Error> {
        let mut block = self.stored(inputs)?;
        let leading = self.sections.len();
        block.extend(&self.code[leading..]);
        // A handler begins with the end of the program.
        if self.turns.is_none() {
            block.push(Instruction::new(Op::End, 0));
        }
        let kept = leading - leading.min(inputs);
        let jump = Instruction::new(Op::Br, start);
        let heads = self.code[kept..leading].iter().copied();
        let code = heads.chain([jump]).collect();
        let mut resident = self.resident.unwrap_or_default();
        resident.library.push((start, Arc::from(block)));
        resident.library.sort_by_key(|(first, _)| *first);
        Ok(Self {
            code,
            sections: self.sections[kept..].to_vec(),
            turns: self.turns,
            resident: Some(Resident {
                code: false,
                ..resident
            }),
        })
    }
}
