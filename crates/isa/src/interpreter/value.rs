//! Values of the operand stack and of words.

use super::{FaultKind, Stop};

/// A value of 32 or 64 bits, or of either width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Value {
    /// A 32-bit value.
    I32(u32),
    /// A 64-bit value.
    I64(u64),
    /// Eight bytes of the trace: a 64-bit value, or a 32-bit value in the upper half.
    Raw(u64),
}

impl Value {
    /// The value's bits, extended by zeros.
    #[must_use]
    pub const fn bits(self) -> u64 {
        match self {
            Value::I32(word) => word as u64,
            Value::I64(value) | Value::Raw(value) => value,
        }
    }

    /// The value's width in bytes.
    #[must_use]
    pub const fn width(self) -> u8 {
        match self {
            Value::I32(_) => 4,
            Value::I64(_) | Value::Raw(_) => 8,
        }
    }

    pub(super) const fn of_width(width: u8, bits: u64) -> Self {
        if width == 8 {
            Value::I64(bits)
        } else {
            Value::I32(bits as u32)
        }
    }

    /// The value's bits, if it has that width.
    pub(super) fn expect(self, width: u8) -> Result<u64, Stop> {
        match self {
            Value::Raw(bits) if width == 4 => Ok(bits >> 32),
            value if value.width() == width => Ok(value.bits()),
            _ => Err(Stop::Fault(FaultKind::Width { wanted: width })),
        }
    }
}
