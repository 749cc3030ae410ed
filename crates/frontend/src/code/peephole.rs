//! Rewritings of the last instructions: the same effect in fewer tokens.
//!
//! They look at what may be rewritten alone: nothing jumps into it.

use weightware_isa::{Instruction, Op};

use super::assembler::Assembler;
use crate::width::Bits;

impl Assembler {
    fn last(&self) -> Option<Instruction> {
        self.nth_last(0)
    }

    fn last_is(&self, op: Op) -> bool {
        self.last().is_some_and(|last| last.op == op)
    }

    pub(crate) fn constant(&mut self, value: u32) {
        self.push(Instruction::new(Op::I32Const, value));
    }

    pub(crate) fn bits(&mut self, bits: Bits) {
        match bits {
            Bits::Word(value) => self.constant(value),
            Bits::Double(value) => {
                self.push(Instruction::new(Op::I64Const, value as u32));
                self.push(Instruction::new(Op::I64ConstHigh, (value >> 32) as u32));
            }
        }
    }

    /// The word that the last instruction pushes, if it is a constant.
    fn last_constant(&self) -> Option<u32> {
        let last = self.last().filter(|last| last.op == Op::I32Const)?;
        Some(last.immediate())
    }

    /// The same of 64 bits.
    fn last_double(&self) -> Option<u64> {
        let high = self.last().filter(|last| last.op == Op::I64ConstHigh)?;
        let low = self.nth_last(1)?.immediate();
        Some(u64::from(high.immediate()) << 32 | u64::from(low))
    }

    /// Takes the instruction back that pushed a word, if it was a constant.
    pub(crate) fn take_constant(&mut self) -> Option<u32> {
        let value = self.last_constant()?;
        self.pop(1);
        Some(value)
    }

    /// The same of 64 bits.
    pub(crate) fn take_double(&mut self) -> Option<u64> {
        let value = self.last_double()?;
        self.pop(2);
        Some(value)
    }

    /// Takes the last instruction back if it is that `local.set`.
    pub(crate) fn take_set(&mut self, op: Op, local: u32) -> bool {
        let found = self.last() == Some(Instruction::new(op, local));
        if found {
            self.pop(1);
        }
        found
    }

    pub(crate) fn op(&mut self, op: Op) {
        self.emit(op, 0);
    }

    /// Appends an instruction, or changes the ones before it to the same effect.
    pub(crate) fn emit(&mut self, op: Op, immediate: u32) {
        let instruction = Instruction::new(op, immediate);
        let Some(last) = self.last() else {
            return self.push(instruction);
        };
        let same = last.immediate() == immediate;
        match (op, last.op) {
            (Op::LocalGet, Op::LocalSet) if same => self.replace_last(Op::LocalTee),
            (Op::LocalGet64, Op::LocalSet64) if same => self.replace_last(Op::LocalTee64),
            (Op::Drop, Op::LocalTee) => self.replace_last(Op::LocalSet),
            (Op::Drop, Op::LocalTee64) => self.replace_last(Op::LocalSet64),
            (Op::Drop, Op::I64ConstHigh) => self.pop(2),
            (Op::Drop, before) if pushes(before) => self.pop(1),
            (Op::I32Eqz, before) if inverse(before).is_some() => {
                self.replace_last(inverse(before).unwrap_or(before));
            }
            (Op::I32WrapI64, Op::I64ExtendI32S | Op::I64ExtendI32U) => self.pop(1),
            (Op::I32WrapI64, Op::I64ShrU) if self.shifted_by().is_some_and(|count| count > 32) => {
                let count = self.shifted_by().unwrap_or(32);
                self.pop(3);
                self.op(Op::I64High);
                self.constant(count - 32);
                self.op(Op::I32ShrU);
            }
            _ => {
                let constants = (self.last_constant(), self.last_double());
                let rewritten = match constants {
                    (Some(value), _) => self.with_word(op, value),
                    (_, Some(value)) => self.with_double(op, value),
                    _ => false,
                };
                if !rewritten {
                    self.push(instruction);
                }
            }
        }
    }

    /// The constant, below 64, that the last instruction shifts a 64-bit value by.
    fn shifted_by(&self) -> Option<u32> {
        let high = self
            .nth_last(1)
            .filter(|high| high.op == Op::I64ConstHigh)?;
        let count = self.nth_last(2)?.immediate();
        (high.immediate() == 0 && count < 64).then_some(count)
    }

    /// An operation whose right operand is a word that the last instruction pushes.
    fn with_word(&mut self, op: Op, value: u32) -> bool {
        let before = self.nth_last(1);
        if let Some(Instruction {
            op: Op::I32Const, ..
        }) = before
            && let Some(result) = fold(op, before.map_or(0, Instruction::immediate), value)
        {
            self.pop(2);
            self.constant(result);
            return true;
        }
        match op {
            Op::I32Eq if value == 0 => {
                self.pop(1);
                self.op(Op::I32Eqz);
            }
            Op::I32Add | Op::I32Sub | Op::I32Or | Op::I32Xor if value == 0 => self.pop(1),
            Op::I32Shl | Op::I32ShrS | Op::I32ShrU if value.is_multiple_of(32) => self.pop(1),
            // Compilers write a sign extension like this where WebAssembly has no instruction for it.
            Op::I32ShrS
                if matches!(value, 16 | 24)
                    && before.is_some_and(|before| before.op == Op::I32Shl)
                    && self.nth_last(2) == Some(Instruction::new(Op::I32Const, value)) =>
            {
                self.pop(3);
                self.op(match value {
                    24 => Op::I32Extend8S,
                    _ => Op::I32Extend16S,
                });
            }
            Op::I64ExtendI32U => {
                self.pop(1);
                self.bits(Bits::Double(value.into()));
            }
            Op::I64ExtendI32S => {
                self.pop(1);
                self.bits(Bits::Double(value.cast_signed() as u64));
            }
            _ => return false,
        }
        true
    }

    /// The same of 64 bits.
    fn with_double(&mut self, op: Op, value: u64) -> bool {
        match (op, value) {
            (Op::I64ShrU, 32) => {
                self.pop(2);
                self.op(Op::I64High);
                self.op(Op::I64ExtendI32U);
            }
            (Op::I64ShrS, 32) => {
                self.pop(2);
                self.op(Op::I64High);
                self.op(Op::I64ExtendI32S);
            }
            (Op::I64And, 0xffff_ffff) => {
                self.pop(2);
                self.op(Op::I32WrapI64);
                self.op(Op::I64ExtendI32U);
            }
            (Op::I64Eq, 0) => {
                self.pop(2);
                self.op(Op::I64Eqz);
            }
            (Op::I64Add | Op::I64Sub | Op::I64Or | Op::I64Xor, 0) => self.pop(2),
            (Op::I32WrapI64, _) => {
                self.pop(2);
                self.constant(value as u32);
            }
            _ => return false,
        }
        true
    }

    /// Makes the condition of a branch simpler and returns the branch that it is for.
    pub(crate) fn condition(&mut self, op: Op) -> Op {
        let inverted = match op {
            Op::BrIf => Op::BrUnless,
            Op::BrUnless => Op::BrIf,
            _ => return op,
        };
        if self.last_is(Op::I32Eqz) {
            self.pop(1);
            return inverted;
        }
        if self.last_is(Op::I32Ne) && self.nth_last(1) == Some(Instruction::new(Op::I32Const, 0)) {
            self.pop(2);
        }
        op
    }
}

/// Whether an instruction does nothing but push a value, without a trap.
fn pushes(op: Op) -> bool {
    matches!(
        op,
        Op::LocalGet | Op::GlobalGet | Op::I32Const | Op::LocalGet64 | Op::GlobalGet64
    )
}

/// An operation on two constants.
fn fold(op: Op, a: u32, b: u32) -> Option<u32> {
    Some(match op {
        Op::I32Add => a.wrapping_add(b),
        Op::I32Sub => a.wrapping_sub(b),
        Op::I32Mul => a.wrapping_mul(b),
        Op::I32And => a & b,
        Op::I32Or => a | b,
        Op::I32Xor => a ^ b,
        Op::I32Shl => a.wrapping_shl(b),
        Op::I32ShrU => a.wrapping_shr(b),
        Op::I32ShrS => a.cast_signed().wrapping_shr(b).cast_unsigned(),
        _ => return None,
    })
}

/// The comparison that is true where the other is false.
fn inverse(op: Op) -> Option<Op> {
    const PAIRS: [(Op, Op); 10] = [
        (Op::I32Eq, Op::I32Ne),
        (Op::I32LtS, Op::I32GeS),
        (Op::I32GtS, Op::I32LeS),
        (Op::I32LtU, Op::I32GeU),
        (Op::I32GtU, Op::I32LeU),
        (Op::I64Eq, Op::I64Ne),
        (Op::I64LtS, Op::I64GeS),
        (Op::I64GtS, Op::I64LeS),
        (Op::I64LtU, Op::I64GeU),
        (Op::I64GtU, Op::I64LeU),
    ];
    PAIRS.iter().find_map(|&(a, b)| match op {
        _ if op == a => Some(b),
        _ if op == b => Some(a),
        _ => None,
    })
}
