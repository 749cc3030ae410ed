//! Numbers for tests: splitmix64, and values near the edges of types.

/// A generator of Steele, Lea and Flood's splitmix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `limit`, which is positive.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// Any width equally likely, and near a power of two half of the time.
    pub(crate) fn wide(&mut self) -> u64 {
        let shift = self.below(64);
        let value = match self.below(2) {
            0 => self.next() >> shift,
            _ => (1u64 << shift)
                .wrapping_add(self.next() % 5)
                .wrapping_sub(2),
        };
        match self.below(4) {
            0 => value.wrapping_neg(),
            _ => value,
        }
    }

    /// Like [`wide`](Self::wide), of 32 bits.
    pub(crate) fn word(&mut self) -> u32 {
        let shift = self.below(32);
        (self.wide() >> shift) as u32
    }

    /// Any bits, a moderate number, or an edge.
    pub(crate) fn f64(&mut self) -> f64 {
        const EDGES: [f64; 12] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            0.5,
            -2.0,
        ];
        match self.below(8) {
            0 => EDGES[self.below(EDGES.len())],
            1..=3 => f64::from_bits(self.next()),
            _ => {
                let exponent = 1003 + self.below(40) as u64;
                let bits = self.next();
                f64::from_bits(bits & 0x800f_ffff_ffff_ffff | exponent << 52)
            }
        }
    }
}

/// The bytes of numbers, little-endian.
#[macro_export]
macro_rules! bytes {
    ($items:expr) => {
        $items
            .iter()
            .flat_map(|item| item.to_le_bytes())
            .collect::<Vec<u8>>()
    };
}
