//! Operators that are one instruction.

use wasmparser::Operator;
use weightware_isa::Op;

macro_rules! same_names {
    ($operator:expr, $($name:ident)*) => {
        match $operator {
            $(Operator::$name { .. } => Some(Op::$name),)*
            _ => None,
        }
    };
}

/// The instruction of an operator that the machine has itself, accesses of memory aside.
pub(crate) fn native(operator: &Operator<'_>) -> Option<Op> {
    same_names!(operator,
        I32Add I32Sub I32And I32Or I32Xor I32Shl I32ShrS I32ShrU I32Rotl I32Rotr I32Mul
        I32Extend8S I32Extend16S I32Clz I32Ctz I32Popcnt
        I32Eqz I32Eq I32Ne I32LtS I32LtU I32GtS I32GtU I32LeS I32LeU I32GeS I32GeU
        I64Add I64Sub I64And I64Or I64Xor I64Shl I64ShrS I64ShrU I64Rotl I64Rotr
        I64Extend8S I64Extend16S I64Extend32S I64ExtendI32S I64ExtendI32U I32WrapI64
        I64Clz I64Ctz I64Popcnt
        I64Eqz I64Eq I64Ne I64LtS I64LtU I64GtS I64GtU I64LeS I64LeU I64GeS I64GeU
    )
}
