//! The semantics of the instructions that end in a commit.

use super::arithmetic::{self, Count};
use super::{FaultKind, Interpreter, Stop, Value};
use crate::{Commit, Instruction, Op, Trap};

impl Interpreter<'_> {
    /// Executes an instruction that ends in a commit, and returns the commit: `commit` itself,
    /// except for branches not taken.
    pub(super) fn ordinary(
        &mut self,
        instruction: Instruction,
        commit: Commit,
    ) -> Result<Commit, Stop> {
        let low = instruction.low() as usize;
        let width = instruction.op.spec().width;
        match instruction.op {
            Op::I32Const => self.word(instruction.immediate())?,
            Op::I64Const => {
                let next = self.instruction(self.cursor);
                let high = next
                    .filter(|next| next.op == Op::I64ConstHigh)
                    .ok_or(Stop::Fault(FaultKind::NoHighWord))?;
                self.cursor += 1;
                let high = u64::from(high.immediate()) << 32;
                self.double(high | u64::from(instruction.immediate()))?;
            }
            Op::LocalGet | Op::LocalGet64 => self.get(self.frame + low, width)?,
            Op::LocalSet | Op::LocalSet64 => self.set(self.frame + low, width)?,
            Op::LocalTee | Op::LocalTee64 => self.tee(self.frame + low, width)?,
            Op::GlobalGet | Op::GlobalGet64 => self.get(low, width)?,
            Op::GlobalSet | Op::GlobalSet64 => self.set(low, width)?,
            Op::I32Add => self.sum(arithmetic::add::<4>, u64::wrapping_add)?,
            Op::I32Sub => self.sum(arithmetic::sub::<4>, u64::wrapping_sub)?,
            Op::I64Add => self.sum(arithmetic::add::<8>, u64::wrapping_add)?,
            Op::I64Sub => self.sum(arithmetic::sub::<8>, u64::wrapping_sub)?,
            Op::I32And => self.binary(|a, b| a & b)?,
            Op::I32Or => self.binary(|a, b| a | b)?,
            Op::I32Xor => self.binary(|a, b| a ^ b)?,
            Op::I32Shl => self.binary(|a, b| a.wrapping_shl(b))?,
            Op::I32ShrU => self.binary(|a, b| a.wrapping_shr(b))?,
            Op::I32ShrS => self.binary(|a, b| (a as i32).wrapping_shr(b) as u32)?,
            Op::I32Rotl => self.binary(|a, b| a.rotate_left(b & 31))?,
            Op::I32Rotr => self.binary(|a, b| a.rotate_right(b & 31))?,
            Op::I64And => self.binary64(|a, b| a & b)?,
            Op::I64Or => self.binary64(|a, b| a | b)?,
            Op::I64Xor => self.binary64(|a, b| a ^ b)?,
            Op::I64Shl => self.binary64(|a, b| a.wrapping_shl(b as u32))?,
            Op::I64ShrU => self.binary64(|a, b| a.wrapping_shr(b as u32))?,
            Op::I64ShrS => self.binary64(|a, b| (a as i64).wrapping_shr(b as u32) as u64)?,
            Op::I64Rotl => self.binary64(|a, b| a.rotate_left((b & 63) as u32))?,
            Op::I64Rotr => self.binary64(|a, b| a.rotate_right((b & 63) as u32))?,
            Op::I32Mul => self.binary(u32::wrapping_mul)?,
            Op::I32MulHigh => {
                let low = self.pop()?;
                let pair = self.pop64()?;
                let (a, b) = (pair as u32, (pair >> 32) as u32);
                if low != a.wrapping_mul(b) {
                    return Err(Stop::Fault(FaultKind::NotAProduct));
                }
                self.word(((u64::from(a) * u64::from(b)) >> 32) as u32)?;
            }
            Op::DivDigits => {
                let (a, b) = self.pop_two()?;
                let quotient = a.checked_div(b).ok_or(Stop::Trap(Trap::DivideByZero))?;
                self.stack.extend([Value::I32(a), Value::I32(b)]);
                self.word(quotient.swap_bytes())?;
            }
            Op::DivResult => {
                let digits = self.pop()?;
                self.pop_two()?;
                self.word(digits.swap_bytes())?;
            }
            Op::I32Bswap => {
                let a = self.pop()?;
                self.word(a.swap_bytes())?;
            }
            Op::I32Abs => self.abs::<4>()?,
            Op::I64Abs => self.abs::<8>()?,
            Op::I32WithSign => self.with_sign::<4>()?,
            Op::I64WithSign => self.with_sign::<8>()?,
            Op::I32Extend8S => {
                let a = self.pop()?;
                self.word(a as i8 as u32)?;
            }
            Op::I32Extend16S => {
                let a = self.pop()?;
                self.word(a as i16 as u32)?;
            }
            Op::I64Extend8S => {
                let a = self.pop64()?;
                self.double(a as i8 as u64)?;
            }
            Op::I64Extend16S => {
                let a = self.pop64()?;
                self.double(a as i16 as u64)?;
            }
            Op::I64Extend32S => {
                let a = self.pop64()?;
                self.double(a as i32 as u64)?;
            }
            Op::I64ExtendI32S => {
                let a = self.pop()?;
                self.double(a as i32 as u64)?;
            }
            Op::I64ExtendI32U => {
                let a = self.pop()?;
                self.double(a.into())?;
            }
            Op::I32WrapI64 => {
                let a = self.pop64()?;
                self.word(a as u32)?;
            }
            Op::I64High => {
                let a = self.pop64()?;
                self.word((a >> 32) as u32)?;
            }
            Op::I64Join => {
                let (low, high) = self.pop_two()?;
                self.double(u64::from(low) | u64::from(high) << 32)?;
            }
            Op::I32Clz | Op::I64Clz => self.count(Count::Leading, width)?,
            Op::I32Ctz | Op::I64Ctz => self.count(Count::Trailing, width)?,
            Op::I32Popcnt | Op::I64Popcnt => self.count(Count::Ones, width)?,
            Op::I32Eqz => {
                let a = self.pop()?;
                self.word(u32::from(a == 0))?;
            }
            Op::I64Eqz => {
                let a = self.pop64()?;
                self.word(u32::from(a == 0))?;
            }
            Op::I32Eq => self.binary(|a, b| u32::from(a == b))?,
            Op::I32Ne => self.binary(|a, b| u32::from(a != b))?,
            Op::I32LtS => self.binary(|a, b| u32::from((a as i32) < (b as i32)))?,
            Op::I32LtU => self.binary(|a, b| u32::from(a < b))?,
            Op::I32GtS => self.binary(|a, b| u32::from((a as i32) > (b as i32)))?,
            Op::I32GtU => self.binary(|a, b| u32::from(a > b))?,
            Op::I32LeS => self.binary(|a, b| u32::from((a as i32) <= (b as i32)))?,
            Op::I32LeU => self.binary(|a, b| u32::from(a <= b))?,
            Op::I32GeS => self.binary(|a, b| u32::from((a as i32) >= (b as i32)))?,
            Op::I32GeU => self.binary(|a, b| u32::from(a >= b))?,
            Op::I64Eq => self.compare64(|a, b| a == b)?,
            Op::I64Ne => self.compare64(|a, b| a != b)?,
            Op::I64LtS => self.compare64(|a, b| (a as i64) < (b as i64))?,
            Op::I64LtU => self.compare64(|a, b| a < b)?,
            Op::I64GtS => self.compare64(|a, b| (a as i64) > (b as i64))?,
            Op::I64GtU => self.compare64(|a, b| a > b)?,
            Op::I64LeS => self.compare64(|a, b| (a as i64) <= (b as i64))?,
            Op::I64LeU => self.compare64(|a, b| a <= b)?,
            Op::I64GeS => self.compare64(|a, b| (a as i64) >= (b as i64))?,
            Op::I64GeU => self.compare64(|a, b| a >= b)?,
            Op::I32Load8S | Op::I32Load16S => self.load(instruction, true)?,
            Op::I64Load8S | Op::I64Load16S | Op::I64Load32S => self.load(instruction, true)?,
            Op::I32Load | Op::I32Load8U | Op::I32Load16U => self.load(instruction, false)?,
            Op::I64Load | Op::I64Load8U | Op::I64Load16U | Op::I64Load32U => {
                self.load(instruction, false)?;
            }
            Op::I32Store | Op::I32Store8 | Op::I32Store16 => self.store(instruction)?,
            Op::I64Store | Op::I64Store8 | Op::I64Store16 | Op::I64Store32 => {
                self.store(instruction)?;
            }
            Op::MemoryGrown => {
                self.grown = self.pop()?;
                self.write(self.grown.into(), 4);
            }
            Op::Br => self.jump(instruction.low()),
            Op::BrIf | Op::BrUnless => {
                let condition = self.pop()? != 0;
                if condition != (instruction.op == Op::BrIf) {
                    return Ok(commit.not_taken());
                }
                self.jump(instruction.low());
            }
            Op::BrStack => {
                let index = self.pop()?;
                self.jump(index);
            }
            Op::Drop => {
                self.pop_value()?;
            }
            Op::FrameGet => self.word(self.frame as u32)?,
            Op::DepthGet => self.word(self.stack.len() as u32)?,
            Op::Probe => self.probe(low)?,
            Op::LocalGetRaw => self.get_raw(self.frame + low),
            Op::LocalSetRaw => self.set_raw(self.frame + low)?,
            Op::Select | Op::Select64 => {
                let condition = self.pop()?;
                let b = self.pop_value()?.expect(width)?;
                let a = self.pop_value()?.expect(width)?;
                self.result(Value::of_width(width, if condition != 0 { a } else { b }));
            }
            Op::I64ConstHigh
            | Op::Call
            | Op::Resume
            | Op::Return
            | Op::Output
            | Op::OutputErr
            | Op::Exit
            | Op::Section
            | Op::Interrupt
            | Op::Dump
            | Op::Save
            | Op::Step
            | Op::Continue
            | Op::Turn
            | Op::End
            | Op::Refuse
            | Op::Unreachable
            | Op::TrapOutOfBounds
            | Op::TrapDivideByZero
            | Op::TrapIntegerOverflow
            | Op::TrapInvalidConversion
            | Op::TrapUndefinedElement
            | Op::TrapUninitializedElement
            | Op::TrapIndirectCallType
            | Op::TrapCallStackExhausted => {
                unreachable!("{} does not end in a commit", instruction.op)
            }
        }
        Ok(commit)
    }
}
