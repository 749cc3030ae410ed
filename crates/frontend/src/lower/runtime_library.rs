//! Operators that the machine does not have: a few instructions in their place, or a call of a routine that is lowered
//! like any other function and bears the operator's name.
//!
//! The routines are two modules. `software/*.wat` has what needs the machine's own instructions, memory or globals;
//! `software/float.wasm` is `software/float.c`, compiled ahead. What they import is not WebAssembly's but the machine's:
//! `machine.NAME` is the instruction of that name, `trap.NAME` a trap, `layout.NAME` a number that is known when a module
//! is lowered, and memory 1 is the hidden data.

use std::sync::OnceLock;

use wasmparser::Operator;
use weightware_isa::Op;

use super::function::Function;
use crate::error::Error;
use crate::module::Module;
use crate::width::Bits;

/// The imported global of the routines that holds how many bytes of input there are.
pub(crate) const INPUT_LENGTH: u32 = 0;

/// The routines that are written for this machine.
pub(crate) fn routines() -> &'static Module<'static> {
    static BINARY: OnceLock<Vec<u8>> = OnceLock::new();
    static MODULE: OnceLock<Module<'static>> = OnceLock::new();
    MODULE.get_or_init(|| {
        let binary = BINARY.get_or_init(|| {
            let text = concat!(
                "(module",
                include_str!("../software/imports.wat"),
                include_str!("../software/wide.wat"),
                include_str!("../software/memory.wat"),
                include_str!("../software/input.wat"),
                include_str!("../software/wasi.wat"),
                ")",
            );
            wat::parse_str(text).unwrap_or_else(|error| panic!("the software's text: {error}"))
        });
        own(binary)
    })
}

/// The routines of floating point.
pub(crate) fn floats() -> &'static Module<'static> {
    static MODULE: OnceLock<Module<'static>> = OnceLock::new();
    MODULE.get_or_init(|| own(include_bytes!("../software/float.wasm")))
}

fn own(binary: &'static [u8]) -> Module<'static> {
    Module::parse_own(binary).unwrap_or_else(|error| panic!("the software: {error}"))
}

/// `a b -- a / b`, unsigned.
const QUOTIENT: &[Op] = &[Op::DivDigits, Op::DivResult];

/// `a b -- a % b`, unsigned: `a - b * q`.
const REMAINDER: &[Op] = &[Op::DivDigits, Op::I32Bswap, Op::I32Mul, Op::I32Sub];

/// Sign bits of floating point numbers.
const SIGN32: u32 = 1 << 31;
const SIGN64: u64 = 1 << 63;

impl Function<'_, '_> {
    /// Lowers an operator on numbers that is a few instructions, or a constant, and returns whether it was one.
    pub(crate) fn number(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I32Const { value } => self.constant(Bits::Word(value.cast_unsigned())),
            Operator::I64Const { value } => self.constant(Bits::Double(value.cast_unsigned())),
            Operator::F32Const { value } => self.constant(Bits::Word(value.bits())),
            Operator::F64Const { value } => self.constant(Bits::Double(value.bits())),
            Operator::I32ReinterpretF32
            | Operator::F32ReinterpretI32
            | Operator::I64ReinterpretF64
            | Operator::F64ReinterpretI64 => {}
            Operator::I32DivU | Operator::I32RemU | Operator::I32DivS | Operator::I32RemS => {
                self.pop();
                self.division(operator);
            }
            Operator::I64Mul | Operator::I64DivU | Operator::I64RemU => {
                return self.wide_by_constant(operator);
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
            _ => return false,
        }
        true
    }

    /// An operation with a constant.
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

    /// Lowers an operator as the call of the routine of its name.
    pub(crate) fn software(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        let name = crate::module::operator_name::instruction(operator);
        let Some(key) = self.linker.find_routine(&name) else {
            return Err(refusal(operator));
        };
        let entry = self.linker.request(key);
        self.linker.code.call(entry);
        let module = self.linker.module(key.unit);
        self.called(module.type_of(key.index))
    }

    /// Multiplication by a power of two, division by it, without a routine.
    fn wide_by_constant(&mut self, operator: &Operator<'_>) -> bool {
        let Some(value) = self.linker.code.take_power_of_two() else {
            return false;
        };
        self.pop();
        let shift = Bits::Double(value.trailing_zeros().into());
        match operator {
            Operator::I64Mul => self.with(shift, Op::I64Shl),
            Operator::I64DivU => self.with(shift, Op::I64ShrU),
            _ => self.with(Bits::Double(value - 1), Op::I64And),
        }
        true
    }

    fn division(&mut self, operator: &Operator<'_>) {
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

    /// The same, signed: the magnitudes, then the sign of the result, which is that of `a` or that of both.
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

    /// `a b -- a / b` or `a b -- a % b`, signed.
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

/// Why an operator is refused.
fn refusal(operator: &Operator<'_>) -> Error {
    use Operator as O;
    let (problem, remedy) = match operator {
        O::ReturnCall { .. } | O::ReturnCallIndirect { .. } => (
            "tail calls are not supported",
            "compile without -mtail-call",
        ),
        O::TableGet { .. }
        | O::TableSet { .. }
        | O::TableGrow { .. }
        | O::TableSize { .. }
        | O::TableFill { .. }
        | O::TableCopy { .. }
        | O::TableInit { .. }
        | O::ElemDrop { .. } => (
            "tables that change are not supported",
            "fill the table with element segments",
        ),
        O::RefNull { .. } | O::RefIsNull | O::RefFunc { .. } => (
            "references are not supported",
            "compile without -mreference-types",
        ),
        _ => (
            "this instruction is not supported",
            "compile with clang --target=wasm32 -mcpu=mvp",
        ),
    };
    Error::unsupported(problem).remedy(remedy)
}
