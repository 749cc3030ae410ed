//! Knuth's linear congruential generator, for tests.

/// Pseudorandom numbers that are a function of the seed alone.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next state. Its high bits are the better ones.
    pub(crate) fn state(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0
    }

    /// A number of at most `n` bits, where `n` is 1 to 64.
    pub(crate) fn bits(&mut self, n: u32) -> u64 {
        self.state() >> (64 - n)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.bits(31) as usize % n
    }
}
