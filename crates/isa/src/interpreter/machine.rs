//! The interpreter's stack, words, memory and cursor.

use super::{FaultKind, Interpreter, Stop};
use crate::{Instruction, Token, Trap};

/// Bytes in a page of memory.
const PAGE: u64 = 1 << 16;

impl Interpreter<'_> {
    pub(super) fn top(&self) -> Result<u32, Stop> {
        self.stack
            .last()
            .copied()
            .ok_or(Stop::Fault(FaultKind::Underflow))
    }

    pub(super) fn pop(&mut self) -> Result<u32, Stop> {
        self.stack.pop().ok_or(Stop::Fault(FaultKind::Underflow))
    }

    /// The two topmost operands, the top second.
    pub(super) fn pop_two(&mut self) -> Result<(u32, u32), Stop> {
        let b = self.pop()?;
        Ok((self.pop()?, b))
    }

    /// Puts the low `count` bytes of a word on the trace.
    pub(super) fn write(&mut self, word: u32, count: usize) {
        let bytes = word.to_le_bytes();
        self.pending
            .extend(bytes[..count].iter().copied().map(Token::byte));
    }

    /// Pushes a word and puts its bytes on the trace.
    pub(super) fn result(&mut self, word: u32) {
        self.stack.push(word);
        self.write(word, 4);
    }

    pub(super) fn binary(&mut self, compute: impl FnOnce(u32, u32) -> u32) -> Result<(), Stop> {
        let (a, b) = self.pop_two()?;
        self.result(compute(a, b));
        Ok(())
    }

    /// Goes to the instruction that the immediate names.
    pub(super) fn jump(&mut self, instruction: Instruction) {
        self.cursor = instruction.low() as usize;
        self.write(instruction.low(), 3);
    }

    /// Pushes a local or global.
    pub(super) fn get_word(&mut self, index: usize) -> Result<(), Stop> {
        let word = self
            .words
            .get(index)
            .ok_or(Stop::Fault(FaultKind::Unwritten(index)))?;
        self.result(word);
        Ok(())
    }

    /// Copies the top of the stack to a local or global.
    pub(super) fn set_word(&mut self, index: usize) -> Result<(), Stop> {
        let word = self.top()?;
        self.words.set(index, Some(word));
        self.write(word, 4);
        Ok(())
    }

    pub(super) fn load(
        &mut self,
        instruction: Instruction,
        size: usize,
        extend: impl FnOnce(u32) -> u32,
    ) -> Result<(), Stop> {
        let base = self.pop()?;
        let address = address(instruction, base, size)?;
        let mut bytes = [0; 4];
        for (byte, address) in bytes[..size].iter_mut().zip(address..) {
            *byte = self.memory.get(address);
        }
        self.result(extend(u32::from_le_bytes(bytes)));
        Ok(())
    }

    pub(super) fn store(&mut self, instruction: Instruction, size: usize) -> Result<(), Stop> {
        let (base, word) = self.pop_two()?;
        let address = address(instruction, base, size)?;
        for (&byte, address) in word.to_le_bytes()[..size].iter().zip(address..) {
            self.memory.set(address, byte);
        }
        self.write(word, size);
        Ok(())
    }
}

/// Where an access begins, if all of it lies inside the memory.
fn address(instruction: Instruction, base: u32, size: usize) -> Result<usize, Stop> {
    let address = u64::from(base) + u64::from(instruction.low());
    let limit = PAGE * u64::from(instruction.immediate[3]);
    if address + size as u64 > limit {
        return Err(Stop::Trap(Trap::OutOfBounds));
    }
    Ok(address as usize)
}
