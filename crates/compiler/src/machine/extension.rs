//! Extensions: groups of instructions that a machine can leave out, and the groups that each
//! instruction needs.

use std::str::FromStr;

use weightware_isa::{EndToken, Op};

use super::columns::{Class, op_columns};

/// A module of the machine: a group of instructions that can be left out. Every set of modules
/// makes a machine, since none needs another. High words of products exist if both `Multiply` and
/// `Wide` do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extension {
    /// Traps: memory accesses out of bounds and calls beyond the last frame end the run.
    Traps,
    /// Bitwise and, or and xor.
    Bits,
    /// Shifts and rotations.
    Shift,
    /// Multiplication.
    Multiply,
    /// Unsigned division, magnitudes and signs, from which signed division and remainders are
    /// built.
    Divide,
    /// Sign and zero extension.
    Extend,
    /// clz, ctz and popcnt.
    Count,
    /// 64-bit comparisons, and joining two words.
    Wide,
    /// Contexts that turn: interrupted jumps, and the instructions with which a program writes down
    /// its state. Numbers of the state are output if there is `Multiply`, too.
    Turn,
}

impl Extension {
    /// The name of what every machine has.
    pub const CORE: &'static str = "core";

    /// All extensions.
    pub const ALL: [Extension; 9] = [
        Extension::Traps,
        Extension::Bits,
        Extension::Shift,
        Extension::Multiply,
        Extension::Divide,
        Extension::Extend,
        Extension::Count,
        Extension::Wide,
        Extension::Turn,
    ];

    /// Its name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Extension::Traps => "traps",
            Extension::Bits => "bits",
            Extension::Shift => "shift",
            Extension::Multiply => "multiply",
            Extension::Divide => "divide",
            Extension::Extend => "extend",
            Extension::Count => "count",
            Extension::Wide => "wide",
            Extension::Turn => "turn",
        }
    }

    /// The extensions without which a machine executes an instruction wrong: it decodes other
    /// tokens, and does not notice. The core needs none.
    ///
    /// ```
    /// use weightware_compiler::machine::Extension;
    /// use weightware_isa::Op;
    ///
    /// assert_eq!(Extension::needed_by(Op::I32Add), []);
    /// assert_eq!(Extension::needed_by(Op::I32Xor), [Extension::Bits]);
    /// assert_eq!(Extension::needed_by(Op::I64GtS), [Extension::Wide]);
    /// ```
    #[must_use]
    pub fn needed_by(op: Op) -> &'static [Extension] {
        let spec = op.spec();
        match spec.end {
            EndToken::Loaded if op == Op::Dump => return &[Extension::Turn],
            EndToken::Stepping | EndToken::Continued | EndToken::Saving | EndToken::Turned => {
                return &[Extension::Turn];
            }
            // These have no class, or are never executed.
            EndToken::Trap(_) | EndToken::Loaded => return &[],
            _ => {}
        }
        match op_columns(op).class {
            Class::And | Class::Or | Class::Xor => &[Extension::Bits],
            Class::Shl | Class::ShrU | Class::ShrS | Class::Rotl | Class::Rotr => {
                &[Extension::Shift]
            }
            Class::Shl64 | Class::ShrU64 | Class::ShrS64 | Class::Rotl64 | Class::Rotr64 => {
                &[Extension::Shift]
            }
            Class::Mul => &[Extension::Multiply],
            Class::MulHigh => &[Extension::Multiply, Extension::Wide],
            Class::DivDigits | Class::Reverse | Class::Abs | Class::WithSign => {
                &[Extension::Divide]
            }
            Class::Extend | Class::ExtendUnsigned => &[Extension::Extend],
            Class::Clz | Class::Ctz | Class::Popcnt => &[Extension::Count],
            Class::Join | Class::Eqz64 => &[Extension::Wide],
            Class::Compare | Class::CompareSigned => match spec.width {
                8 => &[Extension::Wide],
                _ => &[],
            },
            // Their accesses and calls are right, but not stopped beyond the last page or frame.
            Class::Load | Class::LoadSigned | Class::Store | Class::Call => &[Extension::Traps],
            // Every class is named, so that a new one does not compile before it has a row here.
            Class::None | Class::Immediate | Class::BrIf | Class::BrUnless => &[],
            Class::LocalGet | Class::LocalSet | Class::GlobalGet | Class::GlobalSet => &[],
            Class::Pop | Class::Select | Class::Return | Class::Eqz => &[],
            Class::Add | Class::Sub => &[],
            Class::Number => &[Extension::Turn, Extension::Multiply],
            Class::Dump | Class::Probe => &[Extension::Turn],
        }
    }
}

impl FromStr for Extension {
    type Err = UnknownExtension;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Extension::ALL.into_iter();
        all.find(|extension| extension.name() == name)
            .ok_or_else(|| UnknownExtension(name.to_owned()))
    }
}

/// A name that no extension has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no module {0:?} of the machine")]
pub struct UnknownExtension(String);
