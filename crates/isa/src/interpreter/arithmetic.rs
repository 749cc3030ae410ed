//! Sums and differences byte by byte, with the flags that the result bytes carry.

use crate::{Flag, Token};

/// `a + b`, lowest byte first. A byte is flagged if the sum of the bytes and of the carry into it reaches 256.
pub(super) fn add(a: u32, b: u32) -> [Token; 4] {
    let mut carry = false;
    bytewise(a, b, |a, b| {
        let (sum, first) = a.overflowing_add(b);
        let (sum, second) = sum.overflowing_add(u8::from(carry));
        carry = first | second;
        Token::Byte(sum, if carry { Flag::Carry } else { Flag::None })
    })
}

/// `a - b`, lowest byte first. A byte is flagged if the difference of the bytes less the borrow out of the one before
/// is below 0.
pub(super) fn sub(a: u32, b: u32) -> [Token; 4] {
    let mut borrow = false;
    bytewise(a, b, |a, b| {
        let (difference, first) = a.overflowing_sub(b);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        borrow = first | second;
        Token::Byte(difference, if borrow { Flag::Borrow } else { Flag::None })
    })
}

fn bytewise(a: u32, b: u32, mut byte: impl FnMut(u8, u8) -> Token) -> [Token; 4] {
    let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
    std::array::from_fn(|i| byte(a[i], b[i]))
}
