//! Widths of values. The machine distinguishes types by nothing else.

use wasmparser::ValType;
use weightware_isa::Op;

use crate::error::Error;

/// The width of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Width {
    /// `i32`, `f32`.
    Word,
    /// `i64`, `f64`.
    Double,
}

/// The bits of a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bits {
    Word(u32),
    Double(u64),
}

impl Bits {
    pub(crate) fn width(self) -> Width {
        match self {
            Bits::Word(_) => Width::Word,
            Bits::Double(_) => Width::Double,
        }
    }
}

impl Width {
    /// The width of a type.
    ///
    /// # Errors
    /// If the machine has no values of the type.
    pub(crate) fn of(ty: ValType) -> Result<Self, Error> {
        match ty {
            ValType::I32 | ValType::F32 => Ok(Width::Word),
            ValType::I64 | ValType::F64 => Ok(Width::Double),
            other => Err(
                Error::unsupported(format!("values of type {other} are not supported"))
                    .remedy("use numbers of 32 or 64 bits"),
            ),
        }
    }

    pub(crate) fn all(types: &[ValType]) -> Result<Vec<Self>, Error> {
        types.iter().map(|&ty| Width::of(ty)).collect()
    }

    /// A zero of this width.
    pub(crate) fn zero(self) -> Bits {
        match self {
            Width::Word => Bits::Word(0),
            Width::Double => Bits::Double(0),
        }
    }

    fn pick(self, word: Op, double: Op) -> Op {
        match self {
            Width::Word => word,
            Width::Double => double,
        }
    }

    pub(crate) fn local_get(self) -> Op {
        self.pick(Op::LocalGet, Op::LocalGet64)
    }

    pub(crate) fn local_set(self) -> Op {
        self.pick(Op::LocalSet, Op::LocalSet64)
    }

    pub(crate) fn local_tee(self) -> Op {
        self.pick(Op::LocalTee, Op::LocalTee64)
    }

    pub(crate) fn global_get(self) -> Op {
        self.pick(Op::GlobalGet, Op::GlobalGet64)
    }

    pub(crate) fn global_set(self) -> Op {
        self.pick(Op::GlobalSet, Op::GlobalSet64)
    }

    pub(crate) fn select(self) -> Op {
        self.pick(Op::Select, Op::Select64)
    }
}
