//! Lowering of operators to short instruction sequences: divisions of words, signs of floating
//! point, and strength reduction of 64-bit products and quotients.

use wasmparser::Operator;
use weightware_isa::Op;

use super::function::Function;
use super::operators::refuse;
use crate::error::Error;
use crate::width::Bits;

/// `a b -- a / b`, unsigned.
const QUOTIENT: &[Op] = &[Op::DivDigits, Op::DivResult];

/// `a b -- a % b`, unsigned: `a - b * q`.
const REMAINDER: &[Op] = &[Op::DivDigits, Op::I32Bswap, Op::I32Mul, Op::I32Sub];

/// Sign bits of floating point numbers.
const SIGN32: u32 = 1 << 31;
const SIGN64: u64 = 1 << 63;

impl Function<'_, '_> {
    /// Appends the instruction sequence of an operator.
    pub(crate) fn sequence(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        match operator {
            Operator::I32DivU | Operator::I32RemU | Operator::I32DivS | Operator::I32RemS => {
                self.division(operator);
            }
            Operator::F32Abs => self.with(Bits::Word(!SIGN32), Op::I32And),
            Operator::F32Neg => self.with(Bits::Word(SIGN32), Op::I32Xor),
            Operator::F64Abs => self.with(Bits::Double(!SIGN64), Op::I64And),
            Operator::F64Neg => self.with(Bits::Double(SIGN64), Op::I64Xor),
            Operator::F32Copysign => self.copysign(
                [Bits::Word(SIGN32), Bits::Word(!SIGN32)],
                [Op::I32And, Op::I32Or],
            ),
            Operator::F64Copysign => self.copysign(
                [Bits::Double(SIGN64), Bits::Double(!SIGN64)],
                [Op::I64And, Op::I64Or],
            ),
            _ => return Err(refuse(operator)),
        }
        Ok(())
    }

    /// Appends an operation whose right operand is a constant.
    fn with(&mut self, bits: Bits, op: Op) {
        self.constant(bits);
        self.instruction(op);
    }

    fn copysign(&mut self, [sign, magnitude]: [Bits; 2], [and, or]: [Op; 2]) {
        let word = self.scratch(0);
        self.with(sign, and);
        let width = self.pop();
        self.linker.code.emit(width.local_set(), word);
        self.with(magnitude, and);
        self.linker.code.emit(width.local_get(), word);
        self.push(width);
        self.instruction(or);
    }

    /// Strength reduction: a shift or a mask, if the right operand is a constant power of two.
    /// Returns whether the operator was reduced.
    pub(crate) fn reduce(&mut self, operator: &Operator<'_>) -> bool {
        let reduced: fn(u64) -> (u64, Op) = match operator {
            Operator::I64Mul => |value| (value.trailing_zeros().into(), Op::I64Shl),
            Operator::I64DivU => |value| (value.trailing_zeros().into(), Op::I64ShrU),
            Operator::I64RemU => |value| (value - 1, Op::I64And),
            _ => return false,
        };
        let Some(value) = self.linker.code.take_power_of_two() else {
            return false;
        };
        self.pop();
        let (right, op) = reduced(value);
        self.with(Bits::Double(right), op);
        true
    }

    fn division(&mut self, operator: &Operator<'_>) {
        self.pop();
        let constant = self.linker.code.take_constant();
        let remainder = matches!(operator, Operator::I32RemU | Operator::I32RemS);
        let sequence = if remainder { REMAINDER } else { QUOTIENT };
        let signed = matches!(operator, Operator::I32DivS | Operator::I32RemS);
        match (constant, signed) {
            (Some(divisor), false) => self.divide_by(divisor, remainder),
            (Some(divisor), true) => self.divide_magnitude_by(divisor, remainder),
            (None, false) => sequence.iter().for_each(|&op| self.linker.code.op(op)),
            (None, true) => self.divide_magnitudes(sequence, remainder),
        }
    }

    /// `a -- a / divisor` or `a -- a % divisor`, unsigned.
    fn divide_by(&mut self, divisor: u32, remainder: bool) {
        let code = &mut self.linker.code;
        match (divisor.is_power_of_two(), remainder) {
            (true, false) => {
                code.constant(divisor.trailing_zeros());
                code.op(Op::I32ShrU);
            }
            (true, true) => {
                code.constant(divisor - 1);
                code.op(Op::I32And);
            }
            (false, _) => {
                code.constant(divisor);
                let sequence = if remainder { REMAINDER } else { QUOTIENT };
                sequence.iter().for_each(|&op| code.op(op));
            }
        }
    }

    /// `a -- a / divisor` or `a -- a % divisor`, signed: divides the magnitudes, then sets the
    /// sign. A remainder has the sign of `a`, a quotient that of `a ^ divisor`.
    fn divide_magnitude_by(&mut self, divisor: u32, remainder: bool) {
        let word = self.scratch(0);
        let code = &mut self.linker.code;
        code.emit(Op::LocalTee, word);
        code.op(Op::I32Abs);
        self.divide_by(divisor.cast_signed().unsigned_abs(), remainder);
        let code = &mut self.linker.code;
        code.emit(Op::LocalGet, word);
        if divisor.cast_signed() < 0 && !remainder {
            code.constant(divisor);
            code.op(Op::I32Xor);
        }
        code.op(Op::I32WithSign);
    }

    /// `a b -- a / b` or `a b -- a % b`, signed: divides the magnitudes, then sets the sign.
    fn divide_magnitudes(&mut self, sequence: &[Op], remainder: bool) {
        let (a, b) = (self.scratch(0), self.scratch(1));
        let code = &mut self.linker.code;
        code.emit(Op::LocalSet, b);
        code.emit(Op::LocalTee, a);
        code.op(Op::I32Abs);
        code.emit(Op::LocalGet, b);
        code.op(Op::I32Abs);
        sequence.iter().for_each(|&op| code.op(op));
        code.emit(Op::LocalGet, a);
        if !remainder {
            code.emit(Op::LocalGet, b);
            code.op(Op::I32Xor);
        }
        code.op(Op::I32WithSign);
    }
}
