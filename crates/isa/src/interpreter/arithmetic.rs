//! Byte-wise sums and differences, with the flags that the result bytes carry.

use crate::{Flag, Token};

/// `a + b`, lowest byte first. A byte is flagged if the sum of the bytes and of the carry into it
/// reaches 256.
pub(super) fn add<const N: usize>(a: [u8; N], b: [u8; N]) -> [Token; N] {
    let mut carry = false;
    bytewise(a, b, |a, b| {
        let (sum, first) = a.overflowing_add(b);
        let (sum, second) = sum.overflowing_add(u8::from(carry));
        carry = first | second;
        Token::Byte(sum, if carry { Flag::Carry } else { Flag::None })
    })
}

/// `a - b`, lowest byte first. A byte is flagged if the difference of the bytes, less the borrow of
/// the byte before, is below 0.
pub(super) fn sub<const N: usize>(a: [u8; N], b: [u8; N]) -> [Token; N] {
    let mut borrow = false;
    bytewise(a, b, |a, b| {
        let (difference, first) = a.overflowing_sub(b);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        borrow = first | second;
        Token::Byte(difference, if borrow { Flag::Borrow } else { Flag::None })
    })
}

fn bytewise<const N: usize>(
    a: [u8; N],
    b: [u8; N],
    mut byte: impl FnMut(u8, u8) -> Token,
) -> [Token; N] {
    std::array::from_fn(|i| byte(a[i], b[i]))
}

/// The bits that `clz`, `ctz` and `popcnt` count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Leading,
    Trailing,
    Ones,
}

/// The counts for the lowest byte, the lowest two bytes and so on.
pub(super) fn counts(what: Count, bytes: &[u8]) -> Vec<u8> {
    let mut so_far = 0;
    let count = |(bytes_before, &byte): (u32, &u8)| {
        so_far = match what {
            Count::Leading if byte > 0 => byte.leading_zeros(),
            Count::Leading => so_far + 8,
            Count::Trailing if so_far < 8 * bytes_before => so_far,
            Count::Trailing => so_far + byte.trailing_zeros(),
            Count::Ones => so_far + byte.count_ones(),
        };
        so_far as u8
    };
    (0..).zip(bytes).map(count).collect()
}
