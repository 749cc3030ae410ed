//! Rewriting of modules: removes features that cannot be lowered yet and that the generator cannot
//! leave out, and works around a bug of the independent engine.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, Instruction, MemArg, Module, ValType};

/// The rewriting to apply.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rewriting {
    /// Replaces `i64` by `i32`. The module stays valid, and computes something else. It must have
    /// no floats.
    pub(super) narrow: bool,
    /// Makes `memory.grow` fail always.
    pub(super) fixed_memory: bool,
    /// Replaces the condition of a `select` by another expression of equal value: wasmi 2.0.0
    /// wrongly fuses a comparison with a following `select`.
    pub(super) guard_select: bool,
}

impl Rewriting {
    /// Rewrites a module.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn apply(mut self, wasm: &[u8]) -> Result<Vec<u8>, String> {
        let mut module = Module::new();
        let done = self.parse_core_module(&mut module, wasmparser::Parser::new(0), wasm);
        done.map_err(|error| error.to_string())?;
        Ok(module.finish())
    }
}

impl Reencode for Rewriting {
    type Error = Infallible;

    fn val_type(&mut self, ty: wasmparser::ValType) -> Result<ValType, Error<Infallible>> {
        match ty {
            wasmparser::ValType::I64 if self.narrow => Ok(ValType::I32),
            ty => wasm_encoder::reencode::utils::val_type(self, ty),
        }
    }

    fn instruction<'a>(
        &mut self,
        operator: wasmparser::Operator<'a>,
    ) -> Result<Instruction<'a>, Error<Infallible>> {
        let instruction = wasm_encoder::reencode::utils::instruction(self, operator)?;
        Ok(match self.narrow {
            true => narrower(instruction),
            false => instruction,
        })
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), Error<Infallible>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        for operator in body.get_operators_reader()? {
            let instruction = self.instruction(operator?)?;
            match instruction {
                Instruction::MemoryGrow(_) if self.fixed_memory => {
                    function.instruction(&Instruction::Drop);
                    function.instruction(&Instruction::I32Const(-1));
                    continue;
                }
                Instruction::Select | Instruction::TypedSelect(_) if self.guard_select => {
                    function.instruction(&Instruction::I32Const(0));
                    function.instruction(&Instruction::I32Or);
                }
                _ => {}
            }
            function.instruction(&instruction);
        }
        code.function(&function);
        Ok(())
    }
}

/// An instruction without operands of its own, by its name.
macro_rules! same {
    ($instruction:expr, $($wide:ident $narrow:ident,)*) => {
        match $instruction {
            $(Instruction::$wide => Instruction::$narrow,)*
            other => other,
        }
    };
}

fn narrower(instruction: Instruction<'_>) -> Instruction<'_> {
    let word = |arg: MemArg| MemArg {
        align: arg.align.min(2),
        ..arg
    };
    match instruction {
        Instruction::I64Const(value) => Instruction::I32Const(value as i32),
        Instruction::I64Load(arg) => Instruction::I32Load(word(arg)),
        Instruction::I64Load8S(arg) => Instruction::I32Load8S(arg),
        Instruction::I64Load8U(arg) => Instruction::I32Load8U(arg),
        Instruction::I64Load16S(arg) => Instruction::I32Load16S(arg),
        Instruction::I64Load16U(arg) => Instruction::I32Load16U(arg),
        Instruction::I64Load32S(arg) | Instruction::I64Load32U(arg) => Instruction::I32Load(arg),
        Instruction::I64Store(arg) => Instruction::I32Store(word(arg)),
        Instruction::I64Store8(arg) => Instruction::I32Store8(arg),
        Instruction::I64Store16(arg) => Instruction::I32Store16(arg),
        Instruction::I64Store32(arg) => Instruction::I32Store(arg),
        instruction => same!(instruction,
            I64Eqz I32Eqz, I64Eq I32Eq, I64Ne I32Ne, I64LtS I32LtS, I64LtU I32LtU, I64GtS I32GtS,
            I64GtU I32GtU, I64LeS I32LeS, I64LeU I32LeU, I64GeS I32GeS, I64GeU I32GeU,
            I64Clz I32Clz, I64Ctz I32Ctz, I64Popcnt I32Popcnt, I64Add I32Add, I64Sub I32Sub,
            I64Mul I32Mul, I64DivS I32DivS, I64DivU I32DivU, I64RemS I32RemS, I64RemU I32RemU,
            I64And I32And, I64Or I32Or, I64Xor I32Xor, I64Shl I32Shl, I64ShrS I32ShrS,
            I64ShrU I32ShrU, I64Rotl I32Rotl, I64Rotr I32Rotr, I64Extend8S I32Extend8S,
            I64Extend16S I32Extend16S, I64Extend32S Nop, I64ExtendI32S Nop, I64ExtendI32U Nop,
            I32WrapI64 Nop,
        ),
    }
}
