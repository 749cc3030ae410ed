//! Peephole optimisation: as instructions are appended, the last ones are replaced by equivalent
//! ones of fewer tokens.
//!
//! A pattern matches adjacent instructions. A bound label is an instruction too, so no pattern
//! contains a jump target, except at its beginning.

use weightware_isa::{Instruction, Op};

use super::builder::Builder;
use super::inst::{Inst, InstKind};
use crate::width::Bits;

impl Builder {
    /// The last machine instruction (`back` = 0), or one before it.
    fn nth_last_op(&self, back: usize) -> Option<Instruction> {
        match self.nth_last(back)?.kind {
            InstKind::Op(instruction) => Some(instruction),
            _ => None,
        }
    }

    fn last_is(&self, op: Op) -> bool {
        self.nth_last_op(0).is_some_and(|last| last.op == op)
    }

    fn nth_last_is(&self, back: usize, instruction: Instruction) -> bool {
        self.nth_last_op(back) == Some(instruction)
    }

    /// The word that the last instruction pushes, if it is a constant.
    fn last_constant(&self) -> Option<u32> {
        let last = self.nth_last_op(0)?;
        (last.op == Op::I32Const).then(|| last.immediate())
    }

    /// The 64-bit constant that an instruction pushes.
    fn nth_last_double(&self, back: usize) -> Option<u64> {
        match self.nth_last(back)?.kind {
            InstKind::Wide(value) => Some(value),
            _ => None,
        }
    }

    /// Removes the last instruction if it pushes a constant word.
    pub(crate) fn take_constant(&mut self) -> Option<u32> {
        let value = self.last_constant()?;
        self.remove_last(1);
        Some(value)
    }

    /// Removes the last instruction if it pushes a 64-bit constant that is a power of two.
    pub(crate) fn take_power_of_two(&mut self) -> Option<u64> {
        let value = self.nth_last_double(0)?;
        value.is_power_of_two().then(|| {
            self.remove_last(1);
            value
        })
    }

    /// Removes the last instruction if it is `op local`, and returns whether it was.
    pub(crate) fn take_set(&mut self, op: Op, local: u32) -> bool {
        let found = self.nth_last_is(0, Instruction::new(op, local));
        if found {
            self.remove_last(1);
        }
        found
    }

    /// Appends an instruction without an immediate, or rewrites the last instructions so that they
    /// have its effect too.
    pub(crate) fn op(&mut self, op: Op) {
        self.emit(op, 0);
    }

    /// Appends an instruction, or rewrites the last instructions so that they have its effect too.
    pub(crate) fn emit(&mut self, op: Op, immediate: u32) {
        if !self.rewrite(op, immediate) {
            self.append(InstKind::Op(Instruction::new(op, immediate)));
        }
    }

    /// Rewrites the last instructions so that they have the effect of one more, if a pattern
    /// matches. Returns whether one did.
    fn rewrite(&mut self, op: Op, immediate: u32) -> bool {
        if op == Op::Drop && self.nth_last(0).is_some_and(Inst::only_pushes) {
            self.remove_last(1);
            return true;
        }
        if let Some(value) = self.nth_last_double(0) {
            return self.rewrite_double(op, value);
        }
        let Some(last) = self.nth_last_op(0) else {
            return false;
        };
        let same = last.immediate() == immediate;
        match (op, last.op) {
            (Op::LocalGet, Op::LocalSet) if same => self.replace_last(Op::LocalTee),
            (Op::LocalGet64, Op::LocalSet64) if same => self.replace_last(Op::LocalTee64),
            (Op::Drop, Op::LocalTee) => self.replace_last(Op::LocalSet),
            (Op::Drop, Op::LocalTee64) => self.replace_last(Op::LocalSet64),
            (Op::I32Eqz, condition) => match inverse(condition) {
                Some(inverse) => self.replace_last(inverse),
                None => return false,
            },
            (Op::I32WrapI64, Op::I64ExtendI32S | Op::I64ExtendI32U) => self.remove_last(1),
            (Op::I32WrapI64, Op::I64ShrU) => match self.nth_last_double(1) {
                Some(count @ 33..64) => {
                    self.remove_last(2);
                    self.op(Op::I64High);
                    self.constant(count as u32 - 32);
                    self.op(Op::I32ShrU);
                }
                _ => return false,
            },
            (_, Op::I32Const) => return self.rewrite_word(op, last.immediate()),
            _ => return false,
        }
        true
    }

    /// Rewrites an operation whose right operand is a constant word, pushed by the last
    /// instruction.
    fn rewrite_word(&mut self, op: Op, value: u32) -> bool {
        let before = self.nth_last_op(1);
        if let Some(before) = before
            && before.op == Op::I32Const
            && let Some(result) = fold(op, before.immediate(), value)
        {
            self.remove_last(2);
            self.constant(result);
            return true;
        }
        match op {
            Op::I32Eq if value == 0 => {
                self.remove_last(1);
                self.op(Op::I32Eqz);
            }
            Op::I32Add | Op::I32Sub | Op::I32Or | Op::I32Xor if value == 0 => self.remove_last(1),
            Op::I32Shl | Op::I32ShrS | Op::I32ShrU if value.is_multiple_of(32) => {
                self.remove_last(1);
            }
            // Compilers for WebAssembly without sign-extension operators emit this sequence.
            Op::I32ShrS
                if matches!(value, 16 | 24)
                    && before.is_some_and(|before| before.op == Op::I32Shl)
                    && self.nth_last_is(2, Instruction::new(Op::I32Const, value)) =>
            {
                self.remove_last(3);
                self.op(match value {
                    24 => Op::I32Extend8S,
                    _ => Op::I32Extend16S,
                });
            }
            Op::I64ExtendI32U => {
                self.remove_last(1);
                self.bits(Bits::Double(value.into()));
            }
            Op::I64ExtendI32S => {
                self.remove_last(1);
                self.bits(Bits::Double(value.cast_signed() as u64));
            }
            _ => return false,
        }
        true
    }

    /// Rewrites an operation whose right operand is a 64-bit constant, pushed by the last
    /// instruction.
    fn rewrite_double(&mut self, op: Op, value: u64) -> bool {
        let replacement: &[Op] = match (op, value) {
            (Op::I64ShrU, 32) => &[Op::I64High, Op::I64ExtendI32U],
            (Op::I64ShrS, 32) => &[Op::I64High, Op::I64ExtendI32S],
            (Op::I64And, 0xffff_ffff) => &[Op::I32WrapI64, Op::I64ExtendI32U],
            (Op::I64Eq, 0) => &[Op::I64Eqz],
            (Op::I64Add | Op::I64Sub | Op::I64Or | Op::I64Xor, 0) => &[],
            (Op::I32WrapI64, _) => {
                self.remove_last(1);
                self.constant(value as u32);
                return true;
            }
            _ => return false,
        };
        self.remove_last(1);
        replacement.iter().for_each(|&op| self.op(op));
        true
    }

    /// Simplifies the condition on the stack and returns the branch for the simplified condition.
    pub(super) fn simplify_condition(&mut self, op: Op) -> Op {
        let inverted = match op {
            Op::BrIf => Op::BrUnless,
            Op::BrUnless => Op::BrIf,
            _ => return op,
        };
        if self.last_is(Op::I32Eqz) {
            self.remove_last(1);
            return inverted;
        }
        if self.last_is(Op::I32Ne) && self.nth_last_is(1, Instruction::new(Op::I32Const, 0)) {
            self.remove_last(2);
        }
        op
    }
}

/// Constant folding: the result of an operation on two constants.
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

/// The negated comparison.
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
