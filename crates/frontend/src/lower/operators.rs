//! The table of operators: the lowering of each WebAssembly operator.

use wasmparser::Operator;
use weightware_isa::Op;

use crate::error::Error;

/// The lowering of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lowering {
    /// No instruction: the operator changes only types, or nothing.
    Nothing,
    /// A constant.
    Constant,
    /// Accesses of locals and globals.
    Variable,
    /// Operators on values of any type.
    Parametric,
    /// Blocks, branches and calls.
    Control,
    /// Accesses of memory, and operators that depend on its layout.
    Memory,
    /// The machine instruction of the same name.
    Direct(Op),
    /// A few instructions in place of the operator.
    Sequence,
    /// A call of the runtime library's routine with the operator's name.
    Routine,
    /// A shift or a mask if the right operand is a constant power of two, else the routine.
    ReducedRoutine,
    /// Not supported.
    Refused,
}

macro_rules! operators {
    (
        Direct: $($direct:ident)*;
        $($lowering:ident: $($operator:ident)*;)*
    ) => {
        impl Lowering {
            /// Classifies an operator.
            pub(crate) fn of(operator: &Operator<'_>) -> Self {
                match operator {
                    $($(Operator::$operator { .. } => Lowering::$lowering,)*)*
                    $(Operator::$direct { .. } => Lowering::Direct(Op::$direct),)*
                    _ => Lowering::Refused,
                }
            }
        }

        /// The supported operators, by the parser's names.
        #[cfg(test)]
        const TABLE: &[(&str, Lowering)] = &[
            $($((stringify!($operator), Lowering::$lowering),)*)*
            $((stringify!($direct), Lowering::Direct(Op::$direct)),)*
        ];
    };
}

operators! {
    Direct:
        I32Clz I32Ctz I32Popcnt
        I32Add I32Sub I32Mul I32And I32Or I32Xor I32Shl I32ShrS I32ShrU I32Rotl I32Rotr
        I32Eqz I32Eq I32Ne I32LtS I32LtU I32GtS I32GtU I32LeS I32LeU I32GeS I32GeU
        I32Extend8S I32Extend16S I32WrapI64
        I64Clz I64Ctz I64Popcnt
        I64Add I64Sub I64And I64Or I64Xor I64Shl I64ShrS I64ShrU I64Rotl I64Rotr
        I64Eqz I64Eq I64Ne I64LtS I64LtU I64GtS I64GtU I64LeS I64LeU I64GeS I64GeU
        I64Extend8S I64Extend16S I64Extend32S I64ExtendI32S I64ExtendI32U;
    Control:
        Unreachable Block Loop If Else End Br BrIf BrTable Return Call CallIndirect;
    Parametric:
        Drop Select TypedSelect;
    Variable:
        LocalGet LocalSet LocalTee GlobalGet GlobalSet;
    Constant:
        I32Const I64Const F32Const F64Const;
    Nothing:
        Nop I32ReinterpretF32 I64ReinterpretF64 F32ReinterpretI32 F64ReinterpretI64;
    Memory:
        I32Load I32Load8S I32Load8U I32Load16S I32Load16U
        I64Load I64Load8S I64Load8U I64Load16S I64Load16U I64Load32S I64Load32U
        F32Load F64Load
        I32Store I32Store8 I32Store16 I64Store I64Store8 I64Store16 I64Store32 F32Store F64Store
        MemorySize MemoryInit DataDrop;
    Sequence:
        I32DivS I32DivU I32RemS I32RemU
        F32Abs F32Neg F32Copysign F64Abs F64Neg F64Copysign;
    ReducedRoutine:
        I64Mul I64DivU I64RemU;
    Routine:
        I64DivS I64RemS
        F32Eq F32Ne F32Lt F32Gt F32Le F32Ge
        F32Add F32Sub F32Mul F32Div F32Sqrt F32Min F32Max F32Ceil F32Floor F32Trunc F32Nearest
        F64Eq F64Ne F64Lt F64Gt F64Le F64Ge
        F64Add F64Sub F64Mul F64Div F64Sqrt F64Min F64Max F64Ceil F64Floor F64Trunc F64Nearest
        I32TruncF32S I32TruncF32U I32TruncF64S I32TruncF64U
        I64TruncF32S I64TruncF32U I64TruncF64S I64TruncF64U
        I32TruncSatF32S I32TruncSatF32U I32TruncSatF64S I32TruncSatF64U
        I64TruncSatF32S I64TruncSatF32U I64TruncSatF64S I64TruncSatF64U
        F32ConvertI32S F32ConvertI32U F32ConvertI64S F32ConvertI64U F32DemoteF64
        F64ConvertI32S F64ConvertI32U F64ConvertI64S F64ConvertI64U F64PromoteF32
        MemoryGrow MemoryCopy MemoryFill;
}

/// The error for an operator that is not supported.
pub(crate) fn refuse(operator: &Operator<'_>) -> Error {
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;
    use crate::lower::runtime_library;
    use crate::module::operator_name;

    /// The table as text: an operator and its lowering on each line.
    fn table() -> String {
        let mut text = String::new();
        for &(operator, lowering) in TABLE {
            let name = operator_name::spell(operator);
            let lowering = match lowering {
                Lowering::Nothing => "nothing".to_owned(),
                Lowering::Constant => "constant".to_owned(),
                Lowering::Variable => "variable".to_owned(),
                Lowering::Parametric => "parametric".to_owned(),
                Lowering::Control => "control".to_owned(),
                Lowering::Memory => "memory".to_owned(),
                Lowering::Direct(op) => format!("direct {op}"),
                Lowering::Sequence => "sequence".to_owned(),
                Lowering::Routine => format!("routine {name}"),
                Lowering::ReducedRoutine => format!("shift or mask, or routine {name}"),
                Lowering::Refused => "refused".to_owned(),
            };
            let _ = writeln!(text, "{name:20} {lowering}");
        }
        text
    }

    /// `BLESS=1` writes the file.
    #[test]
    fn the_table_is_that_of_the_file() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/operators.txt");
        let actual = table();
        if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
            std::fs::write(&path, &actual).expect("the file can be written");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(actual, expected, "{}: BLESS=1 writes it", path.display());
    }

    #[test]
    fn every_operator_is_named_once() {
        let names: HashSet<&str> = TABLE.iter().map(|&(operator, _)| operator).collect();
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn direct_operators_have_the_name_of_their_instruction() {
        for &(operator, lowering) in TABLE {
            if let Lowering::Direct(op) = lowering {
                assert_eq!(operator_name::spell(operator), op.spec().name);
            }
        }
    }

    #[test]
    fn operators_have_a_routine_exactly_if_the_table_says_so() {
        let has_routine = |name: &str| {
            [runtime_library::routines(), runtime_library::floats()]
                .iter()
                .any(|library| library.exported_function(name).is_some())
        };
        for &(operator, lowering) in TABLE {
            let name = operator_name::spell(operator);
            // These two need an argument that depends on the memory, so they name their routines.
            let by_name = matches!(operator, "MemorySize" | "MemoryInit");
            let expected =
                matches!(lowering, Lowering::Routine | Lowering::ReducedRoutine) || by_name;
            assert_eq!(has_routine(&name), expected, "{name}");
        }
    }
}
