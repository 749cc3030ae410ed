//! Pseudorandom numbers, the same on every machine for a seed.

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Creates the generator of that seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which must not be 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// A number of any length in bits, all lengths equally likely, or a number near a power of two.
    pub fn number(&mut self) -> u64 {
        let bits = self.bits();
        let shift = self.below(64);
        match self.below(4) {
            0 => (1 << shift) - 1 + self.below(3),
            1 => 0_u64.wrapping_sub(1 << shift).wrapping_add(self.below(3)),
            _ => bits >> shift,
        }
    }
}
