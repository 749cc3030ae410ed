//! The meaning of the four immediate bytes of each opcode.

use crate::Op;

/// How an opcode reads its immediate bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Immediate {
    /// The immediate is not used.
    Unused,
    /// A 32-bit word.
    Word,
    /// Three bytes: a word's index, or the address at which a data section begins. The fourth is
    /// zero.
    Index,
    /// Three bytes: the index of an instruction, or of `}`. The fourth is zero.
    Target,
    /// Three bytes: the offset of a memory access. The fourth: the memory's size in pages.
    Access,
    /// Three bytes: the index of the callee's first instruction. The fourth: the caller's frame
    /// size.
    Call,
}

impl Op {
    /// The number of bytes of memory that the instruction reads or writes; `None` if it is no load
    /// and no store.
    ///
    /// ```
    /// use weightware_isa::Op;
    ///
    /// assert_eq!(Op::I64Load32U.access_bytes(), Some(4));
    /// assert_eq!(Op::I32Store8.access_bytes(), Some(1));
    /// assert_eq!(Op::Section.access_bytes(), None);
    /// ```
    #[must_use]
    pub const fn access_bytes(self) -> Option<u8> {
        Some(match self {
            Op::I32Load8S | Op::I32Load8U | Op::I64Load8S | Op::I64Load8U => 1,
            Op::I32Load16S | Op::I32Load16U | Op::I64Load16S | Op::I64Load16U => 2,
            Op::I32Load | Op::I64Load32S | Op::I64Load32U => 4,
            Op::I64Load => 8,
            // A store writes the bytes of its trace.
            Op::I32Store | Op::I32Store8 | Op::I32Store16 => self.spec().bytes as u8,
            Op::I64Store | Op::I64Store8 | Op::I64Store16 | Op::I64Store32 => {
                self.spec().bytes as u8
            }
            _ => return None,
        })
    }

    /// How this opcode reads its immediate bytes.
    #[must_use]
    pub const fn immediate_kind(self) -> Immediate {
        match self {
            Op::I32Const | Op::I64Const | Op::I64ConstHigh => Immediate::Word,
            Op::LocalGet | Op::LocalSet | Op::LocalTee => Immediate::Index,
            Op::LocalGet64 | Op::LocalSet64 | Op::LocalTee64 => Immediate::Index,
            Op::GlobalGet | Op::GlobalSet | Op::GlobalGet64 | Op::GlobalSet64 => Immediate::Index,
            Op::Section | Op::Dump | Op::Probe => Immediate::Index,
            Op::LocalGetRaw | Op::LocalSetRaw => Immediate::Index,
            Op::I32Load | Op::I32Load8S | Op::I32Load8U => Immediate::Access,
            Op::I32Load16S | Op::I32Load16U => Immediate::Access,
            Op::I64Load | Op::I64Load8S | Op::I64Load8U => Immediate::Access,
            Op::I64Load16S | Op::I64Load16U => Immediate::Access,
            Op::I64Load32S | Op::I64Load32U => Immediate::Access,
            Op::I32Store | Op::I32Store8 | Op::I32Store16 => Immediate::Access,
            Op::I64Store | Op::I64Store8 | Op::I64Store16 | Op::I64Store32 => Immediate::Access,
            Op::Br | Op::BrIf | Op::BrUnless | Op::Resume | Op::Save => Immediate::Target,
            Op::Call => Immediate::Call,
            _ => Immediate::Unused,
        }
    }
}
