//! Operators that the machine does not have: a few instructions in their place, or a call of a routine of the module in
//! `software/`, which is lowered like any other.

use std::sync::OnceLock;

use wasmparser::Operator;
use weightware_isa::Op;

use crate::function::Function;

/// The binary of the routines.
pub(crate) fn binary() -> &'static [u8] {
    static BINARY: OnceLock<Vec<u8>> = OnceLock::new();
    BINARY.get_or_init(|| {
        let text = concat!(
            "(module (import \"trap\" \"integer_overflow\" (func $integer_overflow))",
            include_str!("software/zeros.wat"),
            include_str!("software/popcnt.wat"),
            include_str!("software/signed.wat"),
            ")",
        );
        wat::parse_str(text).unwrap_or_else(|error| panic!("the software's text: {error}"))
    })
}

/// `a b -- a / b`, unsigned.
const QUOTIENT: &[Op] = &[Op::DivDigits, Op::DivResult];

/// `a b -- a % b`, unsigned: `a - b * q`.
const REMAINDER: &[Op] = &[Op::DivDigits, Op::I32Bswap, Op::I32Mul, Op::I32Sub];

impl Function<'_, '_> {
    /// Lowers an operator that needs more than one instruction and returns whether it is one.
    pub(crate) fn software(&mut self, operator: &Operator<'_>) -> bool {
        let asm = &mut self.linker.asm;
        match operator {
            Operator::I32DivU | Operator::I32RemU | Operator::I32DivS | Operator::I32RemS => {
                self.height -= 1;
                self.division(operator);
            }
            Operator::I32Clz => self.linker.call_software("clz"),
            Operator::I32Ctz => self.linker.call_software("ctz"),
            Operator::I32Popcnt => self.linker.call_software("popcnt"),
            Operator::MemorySize { .. } => {
                asm.constant(self.module.memory.unwrap_or(0));
                self.height += 1;
            }
            Operator::MemoryGrow { .. } => self.grow(),
            _ => return false,
        }
        true
    }

    fn division(&mut self, operator: &Operator<'_>) {
        let constant = self.linker.asm.take_constant();
        let remainder = matches!(operator, Operator::I32RemU | Operator::I32RemS);
        let (sequence, routine) = if remainder {
            (REMAINDER, "rem_s")
        } else {
            (QUOTIENT, "div_s")
        };
        let signed = matches!(operator, Operator::I32DivS | Operator::I32RemS);
        match (constant, signed) {
            (Some(divisor), false) => self.divide_by(divisor, remainder),
            (Some(divisor), true) if divisor.cast_signed() > 0 => {
                self.divide_magnitude_by(divisor, remainder);
            }
            (constant, _) => {
                if let Some(divisor) = constant {
                    self.linker.asm.constant(divisor);
                }
                if signed {
                    self.linker.call_software(routine);
                } else {
                    sequence.iter().for_each(|&op| self.linker.asm.op(op));
                }
            }
        }
    }

    /// `a -- a / divisor` or `a -- a % divisor`, unsigned.
    fn divide_by(&mut self, divisor: u32, remainder: bool) {
        let asm = &mut self.linker.asm;
        match (divisor.is_power_of_two(), remainder) {
            (true, false) => {
                asm.constant(divisor.trailing_zeros());
                asm.op(Op::I32ShrU);
            }
            (true, true) => {
                asm.constant(divisor - 1);
                asm.op(Op::I32And);
            }
            (false, _) => {
                asm.constant(divisor);
                let sequence = if remainder { REMAINDER } else { QUOTIENT };
                sequence.iter().for_each(|&op| asm.op(op));
            }
        }
    }

    /// The same, signed, for a positive divisor: the sign of the result is that of `a`.
    fn divide_magnitude_by(&mut self, divisor: u32, remainder: bool) {
        let word = self.scratch(0);
        let asm = &mut self.linker.asm;
        let (negative, end) = (asm.label(), asm.label());
        asm.emit(Op::LocalTee, word);
        asm.constant(0);
        asm.op(Op::I32LtS);
        asm.branch(Op::BrIf, negative);
        asm.emit(Op::LocalGet, word);
        self.divide_by(divisor, remainder);
        let asm = &mut self.linker.asm;
        asm.branch(Op::Br, end);
        asm.bind(negative);
        asm.constant(0);
        asm.constant(0);
        asm.emit(Op::LocalGet, word);
        asm.op(Op::I32Sub);
        self.divide_by(divisor, remainder);
        let asm = &mut self.linker.asm;
        asm.op(Op::I32Sub);
        asm.bind(end);
    }

    /// The memory never grows, which the specification permits: -1, or its size if it is to grow by nothing.
    fn grow(&mut self) {
        let pages = self.module.memory.unwrap_or(0);
        let word = self.scratch(0);
        let asm = &mut self.linker.asm;
        asm.emit(Op::LocalSet, word);
        asm.constant(u32::MAX);
        asm.constant(pages);
        asm.emit(Op::LocalGet, word);
        asm.op(Op::Select);
    }
}
