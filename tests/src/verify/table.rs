//! The arithmetic instructions of the machine, and what they mean in Rust.

use weightware_isa::Op;

/// An instruction of WebAssembly, or one that only the machine has.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What the machine executes for it.
    pub ops: &'static [Op],
    /// What comes of its operands.
    pub meaning: Meaning,
}

/// What comes of operands, the top of the stack last. `None`: a trap, [`Trap::DivideByZero`](weightware_isa::Trap).
#[derive(Debug, Clone, Copy)]
pub enum Meaning {
    /// Of one.
    Unary(fn(u32) -> Option<u32>),
    /// Of two.
    Binary(fn(u32, u32) -> Option<u32>),
    /// Of three.
    Ternary(fn(u32, u32, u32) -> Option<u32>),
}

impl Meaning {
    /// How many operands there are.
    #[must_use]
    pub fn arity(self) -> usize {
        match self {
            Self::Unary(_) => 1,
            Self::Binary(_) => 2,
            Self::Ternary(_) => 3,
        }
    }

    /// What comes of these operands, of which the last ones are taken.
    #[must_use]
    pub fn of(self, [a, b, c]: [u32; 3]) -> Option<u32> {
        match self {
            Self::Unary(meaning) => meaning(c),
            Self::Binary(meaning) => meaning(b, c),
            Self::Ternary(meaning) => meaning(a, b, c),
        }
    }
}

const fn unary(op: &'static [Op], name: &'static str, meaning: fn(u32) -> Option<u32>) -> Row {
    let meaning = Meaning::Unary(meaning);
    Row {
        name,
        ops: op,
        meaning,
    }
}

const fn binary(
    op: &'static [Op],
    name: &'static str,
    meaning: fn(u32, u32) -> Option<u32>,
) -> Row {
    let meaning = Meaning::Binary(meaning);
    Row {
        name,
        ops: op,
        meaning,
    }
}

/// All of them.
pub const ROWS: [Row; 28] = [
    binary(&[Op::I32Add], "i32.add", |a, b| Some(a.wrapping_add(b))),
    binary(&[Op::I32Sub], "i32.sub", |a, b| Some(a.wrapping_sub(b))),
    binary(&[Op::I32Mul], "i32.mul", |a, b| Some(a.wrapping_mul(b))),
    binary(
        &[Op::DivDigits, Op::DivResult],
        "i32.div_u",
        u32::checked_div,
    ),
    binary(
        &[Op::DivDigits, Op::I32Bswap, Op::I32Mul, Op::I32Sub],
        "i32.rem_u",
        u32::checked_rem,
    ),
    binary(&[Op::I32And], "i32.and", |a, b| Some(a & b)),
    binary(&[Op::I32Or], "i32.or", |a, b| Some(a | b)),
    binary(&[Op::I32Xor], "i32.xor", |a, b| Some(a ^ b)),
    binary(&[Op::I32Shl], "i32.shl", |a, b| Some(a << (b % 32))),
    binary(&[Op::I32ShrU], "i32.shr_u", |a, b| Some(a >> (b % 32))),
    binary(&[Op::I32ShrS], "i32.shr_s", |a, b| {
        Some((a.cast_signed() >> (b % 32)).cast_unsigned())
    }),
    binary(&[Op::I32Rotl], "i32.rotl", |a, b| {
        Some(a.rotate_left(b % 32))
    }),
    binary(&[Op::I32Rotr], "i32.rotr", |a, b| {
        Some(a.rotate_right(b % 32))
    }),
    binary(&[Op::I32Eq], "i32.eq", |a, b| Some(u32::from(a == b))),
    binary(&[Op::I32Ne], "i32.ne", |a, b| Some(u32::from(a != b))),
    binary(&[Op::I32LtU], "i32.lt_u", |a, b| Some(u32::from(a < b))),
    binary(&[Op::I32LeU], "i32.le_u", |a, b| Some(u32::from(a <= b))),
    binary(&[Op::I32GtU], "i32.gt_u", |a, b| Some(u32::from(a > b))),
    binary(&[Op::I32GeU], "i32.ge_u", |a, b| Some(u32::from(a >= b))),
    binary(&[Op::I32LtS], "i32.lt_s", |a, b| {
        Some(u32::from(a.cast_signed() < b.cast_signed()))
    }),
    binary(&[Op::I32LeS], "i32.le_s", |a, b| {
        Some(u32::from(a.cast_signed() <= b.cast_signed()))
    }),
    binary(&[Op::I32GtS], "i32.gt_s", |a, b| {
        Some(u32::from(a.cast_signed() > b.cast_signed()))
    }),
    binary(&[Op::I32GeS], "i32.ge_s", |a, b| {
        Some(u32::from(a.cast_signed() >= b.cast_signed()))
    }),
    unary(&[Op::I32Eqz], "i32.eqz", |a| Some(u32::from(a == 0))),
    unary(&[Op::I32Extend8S], "i32.extend8_s", |a| {
        Some(i32::from(a as i8).cast_unsigned())
    }),
    unary(&[Op::I32Extend16S], "i32.extend16_s", |a| {
        Some(i32::from(a as i16).cast_unsigned())
    }),
    unary(&[Op::I32Bswap], "i32.bswap", |a| Some(a.swap_bytes())),
    Row {
        name: "select",
        ops: &[Op::Select],
        meaning: Meaning::Ternary(|a, b, c| Some(if c != 0 { a } else { b })),
    },
];
