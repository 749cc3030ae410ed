//! Operators of floating point in the host's arithmetic, and operands for them.

#![allow(dead_code, reason = "every test uses a part")]

/// A value as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    I32,
    I64,
    F32,
    F64,
}

impl Type {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Type::I32 | Type::F32 => 4,
            Type::I64 | Type::F64 => 8,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Type::I32 => "i32",
            Type::I64 => "i64",
            Type::F32 => "f32",
            Type::F64 => "f64",
        }
    }

    /// The type of its bits.
    pub(crate) fn integer(self) -> &'static str {
        if self.bytes() == 4 { "i32" } else { "i64" }
    }
}

/// An operator: its operands, its result, and its function on bits. `None`: it traps.
pub(crate) struct Operator {
    pub(crate) name: &'static str,
    pub(crate) operands: &'static [Type],
    pub(crate) result: Type,
    pub(crate) compute: fn(u64, u64) -> Option<u64>,
}

fn d(bits: u64) -> f64 {
    f64::from_bits(bits)
}

fn s(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

/// The bits of a number; for NaN, the canonical ones.
fn of64(value: f64) -> Option<u64> {
    let nan = value.is_nan();
    Some(if nan { 0x7ff8 << 48 } else { value.to_bits() })
}

fn of32(value: f32) -> Option<u64> {
    let nan = value.is_nan();
    Some(if nan {
        0x7fc0_0000
    } else {
        value.to_bits().into()
    })
}

fn min64(a: f64, b: f64) -> f64 {
    match (a.is_nan() || b.is_nan(), a == b) {
        (true, _) => f64::NAN,
        (_, true) => f64::from_bits(a.to_bits() | b.to_bits()),
        _ => a.min(b),
    }
}

fn max64(a: f64, b: f64) -> f64 {
    -min64(-a, -b)
}

fn min32(a: f32, b: f32) -> f32 {
    min64(a.into(), b.into()) as f32
}

fn max32(a: f32, b: f32) -> f32 {
    max64(a.into(), b.into()) as f32
}

/// A conversion that traps unless the truncated value lies between the bounds, both excluded.
fn within(value: f64, below: f64, above: f64) -> Option<f64> {
    let whole = value.trunc();
    (whole > below && whole < above).then_some(whole)
}

const TWO31: f64 = (1_u64 << 31) as f64;
const TWO32: f64 = (1_u64 << 32) as f64;
const TWO63: f64 = (1_u64 << 63) as f64;

fn i32_of(value: f64) -> Option<u64> {
    within(value, -TWO31 - 1.0, TWO31).map(|whole| u64::from(whole as i32 as u32))
}

fn u32_of(value: f64) -> Option<u64> {
    within(value, -1.0, TWO32).map(|whole| u64::from(whole as u32))
}

fn i64_of(value: f64) -> Option<u64> {
    (-TWO63..TWO63)
        .contains(&value)
        .then_some(value as i64 as u64)
}

fn u64_of(value: f64) -> Option<u64> {
    within(value, -1.0, 2.0 * TWO63).map(|whole| whole as u64)
}

macro_rules! operators {
    ($(#[doc = $doc:literal])* $table:ident $($name:literal ($($operand:ident)*) $result:ident $compute:expr;)*) => {
        $(#[doc = $doc])*
        pub(crate) const $table: &[Operator] = &[
            $(Operator {
                name: $name,
                operands: &[$(Type::$operand),*],
                result: Type::$result,
                compute: $compute,
            },)*
        ];
    };
}

operators! {
    /// The operators of 64-bit integers.
    INTEGERS
    "i64.add" (I64 I64) I64 |a, b| Some(a.wrapping_add(b));
    "i64.sub" (I64 I64) I64 |a, b| Some(a.wrapping_sub(b));
    "i64.mul" (I64 I64) I64 |a, b| Some(a.wrapping_mul(b));
    "i64.div_s" (I64 I64) I64 |a, b| (a as i64).checked_div(b as i64).map(|q| q as u64);
    "i64.div_u" (I64 I64) I64 u64::checked_div;
    "i64.rem_s" (I64 I64) I64 |a, b| (b != 0).then(|| (a as i64).wrapping_rem(b as i64) as u64);
    "i64.rem_u" (I64 I64) I64 u64::checked_rem;
    "i64.and" (I64 I64) I64 |a, b| Some(a & b);
    "i64.or" (I64 I64) I64 |a, b| Some(a | b);
    "i64.xor" (I64 I64) I64 |a, b| Some(a ^ b);
    "i64.shl" (I64 I64) I64 |a, b| Some(a.wrapping_shl(b as u32));
    "i64.shr_s" (I64 I64) I64 |a, b| Some((a as i64).wrapping_shr(b as u32) as u64);
    "i64.shr_u" (I64 I64) I64 |a, b| Some(a.wrapping_shr(b as u32));
    "i64.rotl" (I64 I64) I64 |a, b| Some(a.rotate_left((b & 63) as u32));
    "i64.rotr" (I64 I64) I64 |a, b| Some(a.rotate_right((b & 63) as u32));
    "i64.clz" (I64) I64 |a, _| Some(a.leading_zeros().into());
    "i64.ctz" (I64) I64 |a, _| Some(a.trailing_zeros().into());
    "i64.popcnt" (I64) I64 |a, _| Some(a.count_ones().into());
    "i64.extend8_s" (I64) I64 |a, _| Some(a as i8 as u64);
    "i64.extend16_s" (I64) I64 |a, _| Some(a as i16 as u64);
    "i64.extend32_s" (I64) I64 |a, _| Some(a as i32 as u64);
    "i64.extend_i32_s" (I32) I64 |a, _| Some(a as i32 as u64);
    "i64.extend_i32_u" (I32) I64 |a, _| Some(a as u32 as u64);
    "i32.wrap_i64" (I64) I32 |a, _| Some(a & 0xffff_ffff);
    "i64.eqz" (I64) I32 |a, _| Some((a == 0).into());
    "i64.eq" (I64 I64) I32 |a, b| Some((a == b).into());
    "i64.ne" (I64 I64) I32 |a, b| Some((a != b).into());
    "i64.lt_s" (I64 I64) I32 |a, b| Some(((a as i64) < b as i64).into());
    "i64.lt_u" (I64 I64) I32 |a, b| Some((a < b).into());
    "i64.gt_s" (I64 I64) I32 |a, b| Some((a as i64 > b as i64).into());
    "i64.gt_u" (I64 I64) I32 |a, b| Some((a > b).into());
    "i64.le_s" (I64 I64) I32 |a, b| Some((a as i64 <= b as i64).into());
    "i64.le_u" (I64 I64) I32 |a, b| Some((a <= b).into());
    "i64.ge_s" (I64 I64) I32 |a, b| Some((a as i64 >= b as i64).into());
    "i64.ge_u" (I64 I64) I32 |a, b| Some((a >= b).into());
}

/// The operators that both types of floating point have: a name, a type, the conversions from and
/// to its bits, minimum, maximum.
macro_rules! floats {
    ($table:ident $ty:literal $type:ident $value:ident $bits:ident $min:ident $max:ident) => {
        floats! {
            $table $ty
            "add" ($type $type) $type |a, b| $bits($value(a) + $value(b));
            "sub" ($type $type) $type |a, b| $bits($value(a) - $value(b));
            "mul" ($type $type) $type |a, b| $bits($value(a) * $value(b));
            "div" ($type $type) $type |a, b| $bits($value(a) / $value(b));
            "min" ($type $type) $type |a, b| $bits($min($value(a), $value(b)));
            "max" ($type $type) $type |a, b| $bits($max($value(a), $value(b)));
            "sqrt" ($type) $type |a, _| $bits($value(a).sqrt());
            "ceil" ($type) $type |a, _| $bits($value(a).ceil());
            "floor" ($type) $type |a, _| $bits($value(a).floor());
            "trunc" ($type) $type |a, _| $bits($value(a).trunc());
            "nearest" ($type) $type |a, _| $bits($value(a).round_ties_even());
            "eq" ($type $type) I32 |a, b| Some(($value(a) == $value(b)).into());
            "ne" ($type $type) I32 |a, b| Some(($value(a) != $value(b)).into());
            "lt" ($type $type) I32 |a, b| Some(($value(a) < $value(b)).into());
            "gt" ($type $type) I32 |a, b| Some(($value(a) > $value(b)).into());
            "le" ($type $type) I32 |a, b| Some(($value(a) <= $value(b)).into());
            "ge" ($type $type) I32 |a, b| Some(($value(a) >= $value(b)).into());
        }
    };
    ($table:ident $ty:literal $($name:literal ($($operand:ident)*) $result:ident $compute:expr;)*) => {
        const $table: &[Operator] = &[
            $(Operator {
                name: concat!($ty, ".", $name),
                operands: &[$(Type::$operand),*],
                result: Type::$result,
                compute: $compute,
            },)*
        ];
    };
}

floats!(DOUBLE "f64" F64 d of64 min64 max64);
floats!(SINGLE "f32" F32 s of32 min32 max32);

/// The operators of floating point that are software.
pub(crate) fn operators() -> impl Iterator<Item = &'static Operator> {
    DOUBLE.iter().chain(SINGLE).chain(CONVERSIONS)
}

operators! {
    /// Conversions from and to floating point.
    CONVERSIONS
    "f64.promote_f32" (F32) F64 |a, _| of64(s(a).into());
    "f32.demote_f64" (F64) F32 |a, _| of32(d(a) as f32);
    "f64.convert_i32_s" (I32) F64 |a, _| of64((a as i32).into());
    "f64.convert_i32_u" (I32) F64 |a, _| of64((a as u32).into());
    "f64.convert_i64_s" (I64) F64 |a, _| of64(a as i64 as f64);
    "f64.convert_i64_u" (I64) F64 |a, _| of64(a as f64);
    "f32.convert_i32_s" (I32) F32 |a, _| of32(a as i32 as f32);
    "f32.convert_i32_u" (I32) F32 |a, _| of32(a as u32 as f32);
    "f32.convert_i64_s" (I64) F32 |a, _| of32(a as i64 as f32);
    "f32.convert_i64_u" (I64) F32 |a, _| of32(a as f32);
    "i32.trunc_f64_s" (F64) I32 |a, _| i32_of(d(a));
    "i32.trunc_f64_u" (F64) I32 |a, _| u32_of(d(a));
    "i64.trunc_f64_s" (F64) I64 |a, _| i64_of(d(a));
    "i64.trunc_f64_u" (F64) I64 |a, _| u64_of(d(a));
    "i32.trunc_f32_s" (F32) I32 |a, _| i32_of(s(a).into());
    "i32.trunc_f32_u" (F32) I32 |a, _| u32_of(s(a).into());
    "i64.trunc_f32_s" (F32) I64 |a, _| i64_of(s(a).into());
    "i64.trunc_f32_u" (F32) I64 |a, _| u64_of(s(a).into());
    "i32.trunc_sat_f64_s" (F64) I32 |a, _| Some(u64::from(d(a) as i32 as u32));
    "i32.trunc_sat_f64_u" (F64) I32 |a, _| Some(u64::from(d(a) as u32));
    "i64.trunc_sat_f64_s" (F64) I64 |a, _| Some(d(a) as i64 as u64);
    "i64.trunc_sat_f64_u" (F64) I64 |a, _| Some(d(a) as u64);
    "i32.trunc_sat_f32_s" (F32) I32 |a, _| Some(u64::from(s(a) as i32 as u32));
    "i32.trunc_sat_f32_u" (F32) I32 |a, _| Some(u64::from(s(a) as u32));
    "i64.trunc_sat_f32_s" (F32) I64 |a, _| Some(s(a) as i64 as u64);
    "i64.trunc_sat_f32_u" (F32) I64 |a, _| Some(s(a) as u64);
}

/// Operands in a sequence that looks random: splitmix64.
pub(crate) struct Operands(pub(crate) u64);

impl Operands {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = self.0;
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number with few ones or few zeros, or none.
    fn sparse(&mut self) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << self.below(64),
            3 => (1 << self.below(64)) - 1,
            4 => u64::MAX << self.below(64),
            _ => self.next(),
        }
    }

    /// An operand of a type: any bits, edges, numbers of a moderate size, numbers near the other
    /// operand.
    pub(crate) fn operand(&mut self, ty: Type, other: Option<u64>) -> u64 {
        let (bits, fraction, bias) = match ty {
            Type::F64 => (64, 52, 1023),
            Type::F32 => (32, 23, 127),
            Type::I64 => return self.sparse().wrapping_add(self.below(5)).wrapping_sub(2),
            Type::I32 => {
                let shift = self.below(2) * 32;
                return (self.sparse() >> shift).wrapping_add(self.below(5)) & 0xffff_ffff;
            }
        };
        let sign = self.below(2) << (bits - 1);
        let rest = (1 << fraction) - 1;
        let choice = self.below(8);
        let (exponent, part) = match (choice, other) {
            (0, _) => return self.next() & (u64::MAX >> (64 - bits)),
            (1, Some(other)) => return other ^ sign,
            (1 | 2, _) => {
                let edges = [0, 1, bias - 1, bias, bias + 1, 2 * bias, 2 * bias + 1];
                (edges[self.below(7) as usize], self.sparse())
            }
            (3 | 4, Some(other)) => {
                let exponent = other >> fraction & (2 * bias + 1);
                let near = exponent.saturating_add(self.below(8)).saturating_sub(4);
                (near, self.sparse())
            }
            (5, _) => (bias + self.below(66), self.next()),
            (6, _) => (bias + self.below(66), self.sparse()),
            _ => (bias - 2 + self.below(60), self.next()),
        };
        sign | exponent.min(2 * bias + 1) << fraction | (part & rest)
    }

    pub(crate) fn pair(&mut self, operator: &Operator) -> (u64, u64) {
        let a = self.operand(operator.operands[0], None);
        let b = match operator.operands.get(1) {
            Some(&ty) => self.operand(ty, Some(a)),
            None => 0,
        };
        (a, b)
    }
}
