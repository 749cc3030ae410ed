//! The interpreter's stack, words, memory and cursor.

use super::arithmetic::{Count, counts, sub};
use super::{FaultKind, Interpreter, Stop, Value};
use crate::{Instruction, Token, Trap};

/// The bytes of a page of memory.
const PAGE: u64 = 1 << 16;

impl Interpreter<'_> {
    pub(super) fn pop_value(&mut self) -> Result<Value, Stop> {
        self.stack.pop().ok_or(Stop::Fault(FaultKind::Underflow))
    }

    /// Pops the top of the stack, a 32-bit value.
    pub(super) fn pop(&mut self) -> Result<u32, Stop> {
        Ok(self.pop_value()?.expect(4)? as u32)
    }

    /// Pops the top of the stack, a 64-bit value.
    pub(super) fn pop64(&mut self) -> Result<u64, Stop> {
        self.pop_value()?.expect(8)
    }

    /// Pops the two topmost operands and returns the top second.
    pub(super) fn pop_two(&mut self) -> Result<(u32, u32), Stop> {
        let b = self.pop()?;
        Ok((self.pop()?, b))
    }

    fn pop_two64(&mut self) -> Result<(u64, u64), Stop> {
        let b = self.pop64()?;
        Ok((self.pop64()?, b))
    }

    /// Appends the low `count` bytes of a value to the trace.
    pub(super) fn write(&mut self, bits: u64, count: usize) {
        let bytes = bits.to_le_bytes();
        self.pending
            .extend(bytes[..count].iter().copied().map(Token::byte));
    }

    /// Pushes a value and appends its bytes to the trace.
    pub(super) fn result(&mut self, value: Value) {
        self.stack.push(value);
        self.write(value.bits(), value.width().into());
    }

    pub(super) fn word(&mut self, word: u32) -> Result<(), Stop> {
        self.result(Value::I32(word));
        Ok(())
    }

    pub(super) fn double(&mut self, value: u64) -> Result<(), Stop> {
        self.result(Value::I64(value));
        Ok(())
    }

    pub(super) fn binary(&mut self, compute: impl FnOnce(u32, u32) -> u32) -> Result<(), Stop> {
        let (a, b) = self.pop_two()?;
        self.word(compute(a, b))
    }

    pub(super) fn binary64(&mut self, compute: impl FnOnce(u64, u64) -> u64) -> Result<(), Stop> {
        let (a, b) = self.pop_two64()?;
        self.double(compute(a, b))
    }

    pub(super) fn compare64(&mut self, compute: impl FnOnce(u64, u64) -> bool) -> Result<(), Stop> {
        let (a, b) = self.pop_two64()?;
        self.word(compute(a, b).into())
    }

    /// Pushes `a + b` or `a - b`, with its flags on the trace.
    pub(super) fn sum<const N: usize>(
        &mut self,
        bytewise: fn([u8; N], [u8; N]) -> [Token; N],
        result: impl FnOnce(u64, u64) -> u64,
    ) -> Result<(), Stop> {
        let width = N as u8;
        let b = self.pop_value()?.expect(width)?;
        let a = self.pop_value()?.expect(width)?;
        let bytes = |value: u64| {
            let mut bytes = [0; N];
            bytes.copy_from_slice(&value.to_le_bytes()[..N]);
            bytes
        };
        self.pending.extend(bytewise(bytes(a), bytes(b)));
        self.stack.push(Value::of_width(width, result(a, b)));
        Ok(())
    }

    pub(super) fn abs<const N: usize>(&mut self) -> Result<(), Stop> {
        let top = *self.stack.last().ok_or(Stop::Fault(FaultKind::Underflow))?;
        let bits = top.expect(N as u8)?;
        self.stack.pop();
        self.negate_if::<N>(bits, is_negative::<N>(bits));
        Ok(())
    }

    pub(super) fn with_sign<const N: usize>(&mut self) -> Result<(), Stop> {
        let sign = is_negative::<N>(self.pop_value()?.expect(N as u8)?);
        let bits = self.pop_value()?.expect(N as u8)?;
        if !sign && is_negative::<N>(bits) {
            return Err(Stop::Trap(Trap::IntegerOverflow));
        }
        self.negate_if::<N>(bits, sign);
        Ok(())
    }

    /// Pushes `-bits`, flagged as a difference, or `bits`.
    fn negate_if<const N: usize>(&mut self, bits: u64, negate: bool) {
        let value = Value::of_width(N as u8, bits);
        if !negate {
            return self.result(value);
        }
        let mut bytes = [0; N];
        bytes.copy_from_slice(&bits.to_le_bytes()[..N]);
        self.pending.extend(sub([0; N], bytes));
        self.stack
            .push(Value::of_width(N as u8, bits.wrapping_neg()));
    }

    /// Pushes the number of leading zeros, trailing zeros or ones. The trace gets the counts for
    /// the lowest byte, the lowest two bytes and so on, of which the last is the result, and zeros
    /// that make it a value.
    pub(super) fn count(&mut self, what: Count, width: u8) -> Result<(), Stop> {
        let bits = self.pop_value()?.expect(width)?;
        let counts = counts(what, &bits.to_le_bytes()[..usize::from(width)]);
        let total = counts.last().copied().unwrap_or_default();
        self.pending.extend(counts.into_iter().map(Token::byte));
        self.write(0, usize::from(width) - 1);
        self.stack.push(Value::of_width(width, total.into()));
        Ok(())
    }

    /// Continues at the instruction of that index.
    pub(super) fn jump(&mut self, index: u32) {
        let index = index & 0x00ff_ffff;
        self.cursor = index as usize;
        self.turning.jumped(index);
        self.write(index.into(), 3);
    }

    /// Pushes a local or global.
    pub(super) fn get(&mut self, index: usize, width: u8) -> Result<(), Stop> {
        let word = self
            .words
            .get(index)
            .ok_or(Stop::Fault(FaultKind::Unwritten(index)))?;
        let bits = word.value.expect(width)?;
        self.result(Value::of_width(width, bits));
        Ok(())
    }

    /// Sets a local or global to the top of the stack, which remains.
    pub(super) fn tee(&mut self, index: usize, width: u8) -> Result<(), Stop> {
        let value = *self.stack.last().ok_or(Stop::Fault(FaultKind::Underflow))?;
        let bits = value.expect(width)?;
        self.write(bits, width.into());
        let value = Value::of_width(width, bits);
        self.set_word(index, value, self.raw());
        Ok(())
    }

    /// Pops the top of the stack into a local or global.
    pub(super) fn set(&mut self, index: usize, width: u8) -> Result<(), Stop> {
        self.tee(index, width)?;
        self.pop_value()?;
        Ok(())
    }

    /// Executes a load, with sign extension if `sign` is set.
    pub(super) fn load(&mut self, instruction: Instruction, sign: bool) -> Result<(), Stop> {
        let (width, size) = (instruction.op.spec().bytes as u8, access_bytes(instruction));
        let base = self.pop()?;
        let address = self.address(instruction, base, size)?;
        let mut bytes = [0; 8];
        for (byte, address) in bytes[..size].iter_mut().zip(address..) {
            *byte = self.memory.get(address);
        }
        if sign && bytes[size - 1] >= 0x80 {
            bytes[size..].fill(0xff);
        }
        self.result(Value::of_width(width, u64::from_le_bytes(bytes)));
        Ok(())
    }

    pub(super) fn store(&mut self, instruction: Instruction) -> Result<(), Stop> {
        let (width, size) = (instruction.op.spec().width, access_bytes(instruction));
        let bits = self.pop_value()?.expect(width)?;
        let base = self.pop()?;
        let address = self.address(instruction, base, size)?;
        self.memory.write(address, &bits.to_le_bytes()[..size]);
        self.write(bits, size);
        Ok(())
    }

    /// The address of an access, if all of it lies inside the memory; otherwise the trap.
    pub(super) fn address(
        &self,
        instruction: Instruction,
        base: u32,
        size: usize,
    ) -> Result<usize, Stop> {
        let address = u64::from(base) + u64::from(instruction.low());
        let pages = u64::from(instruction.immediate[3]) + u64::from(self.grown);
        if address + size as u64 > PAGE * pages {
            return Err(Stop::Trap(Trap::OutOfBounds));
        }
        Ok(address as usize)
    }
}

fn access_bytes(instruction: Instruction) -> usize {
    instruction.op.access_bytes().map_or(0, usize::from)
}

/// Whether a number of N bytes is negative.
const fn is_negative<const N: usize>(bits: u64) -> bool {
    bits >> (8 * N - 1) & 1 == 1
}
