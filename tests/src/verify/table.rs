//! The arithmetic instructions of the machine, with their meanings in Rust.

use weightware_isa::Op;

use super::Operands;

/// An instruction of WebAssembly, or one of the machine only.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// The machine's instructions for it, all with immediates of 0.
    pub ops: &'static [Op],
    /// The function that it computes.
    pub meaning: Meaning,
}

/// A function of operands, the top of the stack last. `None` is a trap.
#[derive(Debug, Clone, Copy)]
pub enum Meaning {
    /// A function of one operand.
    Unary(fn(u32) -> Option<u32>),
    /// A function of two operands.
    Binary(fn(u32, u32) -> Option<u32>),
    /// A function of two operands and a condition.
    Select(fn(u32, u32, u32) -> u32),
    /// A function of one 64-bit operand.
    Unary64(fn(u64) -> Option<u64>),
    /// A function of two 64-bit operands.
    Binary64(fn(u64, u64) -> Option<u64>),
    /// A comparison of two 64-bit operands, whose result is 0 or 1 in 32 bits.
    Compare64(fn(u64, u64) -> bool),
    /// A function of two 64-bit operands and a 32-bit condition.
    Select64(fn(u64, u64, u32) -> u64),
    /// A function from 64 bits to 32.
    Narrow(fn(u64) -> u32),
    /// A function from 32 bits to 64.
    Widen(fn(u32) -> u64),
    /// A function of two 32-bit operands to 64 bits.
    Join(fn(u32, u32) -> u64),
}

impl Meaning {
    /// The widths of the operands in bytes.
    #[must_use]
    pub fn widths(self) -> &'static [u8] {
        match self {
            Self::Unary(_) | Self::Widen(_) => &[4],
            Self::Binary(_) | Self::Join(_) => &[4, 4],
            Self::Select(_) => &[4, 4, 4],
            Self::Unary64(_) | Self::Narrow(_) => &[8],
            Self::Binary64(_) | Self::Compare64(_) => &[8, 8],
            Self::Select64(_) => &[8, 8, 4],
        }
    }

    /// The number of operands.
    #[must_use]
    pub fn arity(self) -> usize {
        self.widths().len()
    }

    /// The result for these operands, of which the last ones are taken, each cut to its width.
    #[must_use]
    pub fn of(self, [a, b, c]: Operands) -> Option<u64> {
        let [x, y, z] = [a, b, c].map(|operand| operand as u32);
        match self {
            Self::Unary(meaning) => meaning(z).map(u64::from),
            Self::Binary(meaning) => meaning(y, z).map(u64::from),
            Self::Select(meaning) => Some(meaning(x, y, z).into()),
            Self::Unary64(meaning) => meaning(c),
            Self::Binary64(meaning) => meaning(b, c),
            Self::Compare64(meaning) => Some(meaning(b, c).into()),
            Self::Select64(meaning) => Some(meaning(a, b, z)),
            Self::Narrow(meaning) => Some(meaning(c).into()),
            Self::Widen(meaning) => Some(meaning(z)),
            Self::Join(meaning) => Some(meaning(y, z)),
        }
    }
}

/// All instructions of the table.
pub const ROWS: [Row; 69] = [
    Row {
        name: "i32.add",
        ops: &[Op::I32Add],
        meaning: Meaning::Binary(|a, b| Some(a.wrapping_add(b))),
    },
    Row {
        name: "i32.sub",
        ops: &[Op::I32Sub],
        meaning: Meaning::Binary(|a, b| Some(a.wrapping_sub(b))),
    },
    Row {
        name: "i32.mul",
        ops: &[Op::I32Mul],
        meaning: Meaning::Binary(|a, b| Some(a.wrapping_mul(b))),
    },
    Row {
        name: "i32.div_u",
        ops: &[Op::DivDigits, Op::DivResult],
        meaning: Meaning::Binary(u32::checked_div),
    },
    Row {
        name: "i32.rem_u",
        ops: &[Op::DivDigits, Op::I32Bswap, Op::I32Mul, Op::I32Sub],
        meaning: Meaning::Binary(u32::checked_rem),
    },
    Row {
        name: "i32.and",
        ops: &[Op::I32And],
        meaning: Meaning::Binary(|a, b| Some(a & b)),
    },
    Row {
        name: "i32.or",
        ops: &[Op::I32Or],
        meaning: Meaning::Binary(|a, b| Some(a | b)),
    },
    Row {
        name: "i32.xor",
        ops: &[Op::I32Xor],
        meaning: Meaning::Binary(|a, b| Some(a ^ b)),
    },
    Row {
        name: "i32.shl",
        ops: &[Op::I32Shl],
        meaning: Meaning::Binary(|a, b| Some(a << (b % 32))),
    },
    Row {
        name: "i32.shr_u",
        ops: &[Op::I32ShrU],
        meaning: Meaning::Binary(|a, b| Some(a >> (b % 32))),
    },
    Row {
        name: "i32.shr_s",
        ops: &[Op::I32ShrS],
        meaning: Meaning::Binary(|a, b| Some((a.cast_signed() >> (b % 32)).cast_unsigned())),
    },
    Row {
        name: "i32.rotl",
        ops: &[Op::I32Rotl],
        meaning: Meaning::Binary(|a, b| Some(a.rotate_left(b % 32))),
    },
    Row {
        name: "i32.rotr",
        ops: &[Op::I32Rotr],
        meaning: Meaning::Binary(|a, b| Some(a.rotate_right(b % 32))),
    },
    Row {
        name: "i32.with_sign",
        ops: &[Op::I32WithSign],
        meaning: Meaning::Binary(|a, s| match (s.cast_signed() < 0, a.cast_signed() < 0) {
            (true, _) => Some(a.wrapping_neg()),
            (false, negative) => (!negative).then_some(a),
        }),
    },
    Row {
        name: "i32.abs",
        ops: &[Op::I32Abs],
        meaning: Meaning::Unary(|a| Some(a.cast_signed().unsigned_abs())),
    },
    Row {
        name: "i32.eq",
        ops: &[Op::I32Eq],
        meaning: Meaning::Binary(|a, b| Some(u32::from(a == b))),
    },
    Row {
        name: "i32.ne",
        ops: &[Op::I32Ne],
        meaning: Meaning::Binary(|a, b| Some(u32::from(a != b))),
    },
    Row {
        name: "i32.lt_u",
        ops: &[Op::I32LtU],
        meaning: Meaning::Binary(|a, b| Some(u32::from(a < b))),
    },
    Row {
        name: "i32.lt_s",
        ops: &[Op::I32LtS],
        meaning: Meaning::Binary(|a, b| Some(u32::from(a.cast_signed() < b.cast_signed()))),
    },
    Row {
        name: "i32.le_u",
        ops: &[Op::I32LeU],
        meaning: Meaning::Binary(|a, b| Some(u32::from(a <= b))),
    },
    Row {
        name: "i32.le_s",
        ops: &[Op::I32LeS],
        meaning: Meaning::Binary(|a, b| Some(u32::from(a.cast_signed() <= b.cast_signed()))),
    },
    Row {
        name: "i32.gt_u",
        ops: &[Op::I32GtU],
        meaning: Meaning::Binary(|a, b| Some(u32::from(a > b))),
    },
    Row {
        name: "i32.gt_s",
        ops: &[Op::I32GtS],
        meaning: Meaning::Binary(|a, b| Some(u32::from(a.cast_signed() > b.cast_signed()))),
    },
    Row {
        name: "i32.ge_u",
        ops: &[Op::I32GeU],
        meaning: Meaning::Binary(|a, b| Some(u32::from(a >= b))),
    },
    Row {
        name: "i32.ge_s",
        ops: &[Op::I32GeS],
        meaning: Meaning::Binary(|a, b| Some(u32::from(a.cast_signed() >= b.cast_signed()))),
    },
    Row {
        name: "i32.clz",
        ops: &[Op::I32Clz],
        meaning: Meaning::Unary(|a| Some(a.leading_zeros())),
    },
    Row {
        name: "i32.ctz",
        ops: &[Op::I32Ctz],
        meaning: Meaning::Unary(|a| Some(a.trailing_zeros())),
    },
    Row {
        name: "i32.popcnt",
        ops: &[Op::I32Popcnt],
        meaning: Meaning::Unary(|a| Some(a.count_ones())),
    },
    Row {
        name: "i32.extend8_s",
        ops: &[Op::I32Extend8S],
        meaning: Meaning::Unary(|a| Some(i32::from(a as i8).cast_unsigned())),
    },
    Row {
        name: "i32.extend16_s",
        ops: &[Op::I32Extend16S],
        meaning: Meaning::Unary(|a| Some(i32::from(a as i16).cast_unsigned())),
    },
    Row {
        name: "i64.add",
        ops: &[Op::I64Add],
        meaning: Meaning::Binary64(|a, b| Some(a.wrapping_add(b))),
    },
    Row {
        name: "i64.sub",
        ops: &[Op::I64Sub],
        meaning: Meaning::Binary64(|a, b| Some(a.wrapping_sub(b))),
    },
    Row {
        name: "i64.and",
        ops: &[Op::I64And],
        meaning: Meaning::Binary64(|a, b| Some(a & b)),
    },
    Row {
        name: "i64.or",
        ops: &[Op::I64Or],
        meaning: Meaning::Binary64(|a, b| Some(a | b)),
    },
    Row {
        name: "i64.xor",
        ops: &[Op::I64Xor],
        meaning: Meaning::Binary64(|a, b| Some(a ^ b)),
    },
    Row {
        name: "i64.shl",
        ops: &[Op::I64Shl],
        meaning: Meaning::Binary64(|a, b| Some(a << (b % 64))),
    },
    Row {
        name: "i64.shr_u",
        ops: &[Op::I64ShrU],
        meaning: Meaning::Binary64(|a, b| Some(a >> (b % 64))),
    },
    Row {
        name: "i64.shr_s",
        ops: &[Op::I64ShrS],
        meaning: Meaning::Binary64(|a, b| Some((a.cast_signed() >> (b % 64)).cast_unsigned())),
    },
    Row {
        name: "i64.rotl",
        ops: &[Op::I64Rotl],
        meaning: Meaning::Binary64(|a, b| Some(a.rotate_left((b % 64) as u32))),
    },
    Row {
        name: "i64.rotr",
        ops: &[Op::I64Rotr],
        meaning: Meaning::Binary64(|a, b| Some(a.rotate_right((b % 64) as u32))),
    },
    Row {
        name: "i64.with_sign",
        ops: &[Op::I64WithSign],
        meaning: Meaning::Binary64(|a, s| match (s.cast_signed() < 0, a.cast_signed() < 0) {
            (true, _) => Some(a.wrapping_neg()),
            (false, negative) => (!negative).then_some(a),
        }),
    },
    Row {
        name: "i64.abs",
        ops: &[Op::I64Abs],
        meaning: Meaning::Unary64(|a| Some(a.cast_signed().unsigned_abs())),
    },
    Row {
        name: "i64.eq",
        ops: &[Op::I64Eq],
        meaning: Meaning::Compare64(|a, b| a == b),
    },
    Row {
        name: "i64.ne",
        ops: &[Op::I64Ne],
        meaning: Meaning::Compare64(|a, b| a != b),
    },
    Row {
        name: "i64.lt_u",
        ops: &[Op::I64LtU],
        meaning: Meaning::Compare64(|a, b| a < b),
    },
    Row {
        name: "i64.lt_s",
        ops: &[Op::I64LtS],
        meaning: Meaning::Compare64(|a, b| a.cast_signed() < b.cast_signed()),
    },
    Row {
        name: "i64.le_u",
        ops: &[Op::I64LeU],
        meaning: Meaning::Compare64(|a, b| a <= b),
    },
    Row {
        name: "i64.le_s",
        ops: &[Op::I64LeS],
        meaning: Meaning::Compare64(|a, b| a.cast_signed() <= b.cast_signed()),
    },
    Row {
        name: "i64.gt_u",
        ops: &[Op::I64GtU],
        meaning: Meaning::Compare64(|a, b| a > b),
    },
    Row {
        name: "i64.gt_s",
        ops: &[Op::I64GtS],
        meaning: Meaning::Compare64(|a, b| a.cast_signed() > b.cast_signed()),
    },
    Row {
        name: "i64.ge_u",
        ops: &[Op::I64GeU],
        meaning: Meaning::Compare64(|a, b| a >= b),
    },
    Row {
        name: "i64.ge_s",
        ops: &[Op::I64GeS],
        meaning: Meaning::Compare64(|a, b| a.cast_signed() >= b.cast_signed()),
    },
    Row {
        name: "i64.clz",
        ops: &[Op::I64Clz],
        meaning: Meaning::Unary64(|a| Some(a.leading_zeros().into())),
    },
    Row {
        name: "i64.ctz",
        ops: &[Op::I64Ctz],
        meaning: Meaning::Unary64(|a| Some(a.trailing_zeros().into())),
    },
    Row {
        name: "i64.popcnt",
        ops: &[Op::I64Popcnt],
        meaning: Meaning::Unary64(|a| Some(a.count_ones().into())),
    },
    Row {
        name: "i64.extend8_s",
        ops: &[Op::I64Extend8S],
        meaning: Meaning::Unary64(|a| Some(i64::from(a as i8).cast_unsigned())),
    },
    Row {
        name: "i64.extend16_s",
        ops: &[Op::I64Extend16S],
        meaning: Meaning::Unary64(|a| Some(i64::from(a as i16).cast_unsigned())),
    },
    Row {
        name: "i64.extend32_s",
        ops: &[Op::I64Extend32S],
        meaning: Meaning::Unary64(|a| Some(i64::from(a as i32).cast_unsigned())),
    },
    Row {
        name: "i32.eqz",
        ops: &[Op::I32Eqz],
        meaning: Meaning::Unary(|a| Some(u32::from(a == 0))),
    },
    Row {
        name: "i32.bswap",
        ops: &[Op::I32Bswap],
        meaning: Meaning::Unary(|a| Some(a.swap_bytes())),
    },
    Row {
        name: "i64.eqz",
        ops: &[Op::I64Eqz],
        meaning: Meaning::Narrow(|a| u32::from(a == 0)),
    },
    Row {
        name: "i32.wrap_i64",
        ops: &[Op::I32WrapI64],
        meaning: Meaning::Narrow(|a| (a % (1 << 32)) as u32),
    },
    Row {
        name: "i64.high",
        ops: &[Op::I64High],
        meaning: Meaning::Narrow(|a| (a >> 32) as u32),
    },
    Row {
        name: "i32.mul_high",
        ops: &[
            Op::LocalTee64,
            Op::LocalGet64,
            Op::I32WrapI64,
            Op::LocalGet64,
            Op::I64High,
            Op::I32Mul,
            Op::I32MulHigh,
        ],
        meaning: Meaning::Narrow(|pair| (((pair % (1 << 32)) * (pair >> 32)) >> 32) as u32),
    },
    Row {
        name: "i64.extend_i32_s",
        ops: &[Op::I64ExtendI32S],
        meaning: Meaning::Widen(|a| i64::from(a.cast_signed()).cast_unsigned()),
    },
    Row {
        name: "i64.extend_i32_u",
        ops: &[Op::I64ExtendI32U],
        meaning: Meaning::Widen(u64::from),
    },
    Row {
        name: "i64.join",
        ops: &[Op::I64Join],
        meaning: Meaning::Join(|low, high| u64::from(low) | u64::from(high) << 32),
    },
    Row {
        name: "select",
        ops: &[Op::Select],
        meaning: Meaning::Select(|a, b, c| if c != 0 { a } else { b }),
    },
    Row {
        name: "select64",
        ops: &[Op::Select64],
        meaning: Meaning::Select64(|a, b, c| if c != 0 { a } else { b }),
    },
];
