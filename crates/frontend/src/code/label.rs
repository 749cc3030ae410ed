//! Labels of instructions and functions, and the source positions of instructions.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A position in the code: bound once, and possibly used before it is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Label(pub(super) u32);

/// A map from labels.
pub(crate) type LabelMap<T> = HashMap<Label, T, BuildHasherDefault<LabelHasher>>;

/// A set of labels.
pub(crate) type LabelSet = HashSet<Label, BuildHasherDefault<LabelHasher>>;

/// A hasher of labels. The builder counts them, so no module can choose ones that collide.
#[derive(Debug, Default)]
pub(crate) struct LabelHasher(u64);

impl Hasher for LabelHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(byte.into());
        }
    }

    fn write_u32(&mut self, number: u32) {
        // 2^64 over the golden ratio: neighbours get different high bits and different low ones.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The signature of a function for its callers: its label and its effect on the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Callee {
    pub(crate) label: Label,
    /// Values that a call pops from the stack.
    pub(crate) pops: usize,
    /// Values that a call pushes to the stack.
    pub(crate) pushes: usize,
}

/// The source of an instruction: an index into the names of functions, and a byte offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Origin {
    pub(crate) function: u32,
    pub(crate) offset: u32,
}
