//! Shifts by four heads: two columns encode the direction and the width of shifts, and are 0 or
//! small for all other opcodes.
//!
//! ```text
//! fall   = 32 for shl, rotl            -32 for shr_s, shr_u, rotr
//! bias   = 32 for their 64-bit forms   -32
//! unless = 32 - fall, 32 + fall, 32 - bias, 32 + bias          0 for one direction and width, at least 24 for all other classes
//! ```

use super::super::Parts;
use super::super::columns::Class;
use crate::form::{Dim, LinearForm};

/// Greater than every other value of the two columns.
const SIDE: i64 = 32;

/// `fall` and `bias` of a class.
pub(super) const fn columns(class: Class) -> (i64, i64) {
    match class {
        Class::Shl | Class::Rotl => (SIDE, 0),
        Class::ShrS | Class::ShrU | Class::Rotr => (-SIDE, 0),
        Class::Shl64 | Class::Rotl64 => (0, SIDE),
        Class::ShrS64 | Class::ShrU64 | Class::Rotr64 => (0, -SIDE),
        _ => (0, 0),
    }
}

/// Terms for left and right, of 4 bytes and of 8, that are 0 for these shifts only.
pub(in super::super) fn unless(parts: &Parts) -> [[LinearForm; 2]; 2] {
    let one = parts.fetched.class.one;
    let sides = |column: Dim| [one * SIDE - column, one * SIDE + column];
    [sides(parts.fetched.fall), sides(parts.fetched.bias)]
}
