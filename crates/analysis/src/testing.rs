//! Random numbers and atoms for tests.

use crate::symbolic::atoms::AtomKind;
use crate::symbolic::interner::Interner;
use crate::symbolic::interval::Range;
use crate::symbolic::polynomial::Atom;

/// A linear congruential generator: equal seeds give equal sequences.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An integer from the first to the last, which lie less than 2^53 apart.
    pub(crate) fn integer(&mut self, first: i64, last: i64) -> i64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // The upper bits have the longer period.
        let width = (last - first + 1) as u128;
        first + ((u128::from(self.0) * width) >> 64) as i64
    }

    /// A random element.
    pub(crate) fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.integer(0, things.len() as i64 - 1) as usize]
    }
}

impl Interner {
    /// An atom with bounds and no definition.
    pub(crate) fn unknown(&mut self, number: u32, range: Range) -> Atom {
        let kind = AtomKind::Kept {
            place: 0,
            stream: number,
        };
        self.atom(kind, || range)
    }
}
