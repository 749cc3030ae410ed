//! Reproducible randomness: SplitMix64 (Steele, Lea, Flood 2014), one generator for each purpose.
//!
//! A batch is a function of the seed and the step, a test of its own number: no state of a
//! generator outlives a step, so that a run resumes from its step alone.

/// A SplitMix64 generator.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

/// The purposes that random numbers serve. Streams of different purposes are unrelated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Weights = 1,
    Batch = 2,
    Test = 3,
    Corpus = 4,
    Haystack = 5,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    /// The generator number `index` of a stream.
    pub(crate) fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let mut state = mixed(seed.wrapping_add(GOLDEN));
        for part in [stream as u64, index] {
            state = mixed(state ^ mixed(part.wrapping_add(GOLDEN)));
        }
        Self { state }
    }

    /// A generator for other purposes than a run's.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mixed(self.state)
    }

    /// A number below `bound`, each with the same probability up to `bound / 2^64`.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "no number is below 0");
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// A number in `[0, 1)`, a multiple of `2^-53`.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A normal number, by the method of Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        radius * libm::cos(core::f64::consts::TAU * self.uniform())
    }

    /// Permutes a slice uniformly (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_right() {
        let mut random = Random::new(0, Stream::Weights, 0);
        let count = 200_000;
        let drawn: Vec<f64> = (0..count).map(|_| random.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / f64::from(count);
        let square = drawn.iter().map(|x| x * x).sum::<f64>() / f64::from(count);
        assert!(
            mean.abs() < 0.01 && (square - 1.0).abs() < 0.02,
            "{mean} {square}"
        );
        let mut counts = [0; 7];
        (0..70_000).for_each(|_| counts[random.below(7)] += 1);
        assert!(
            counts.iter().all(|&count| (9_500..10_500).contains(&count)),
            "{counts:?}"
        );
    }

    #[test]
    fn streams_differ() {
        let first = |stream, index| Random::new(5, stream, index).bits();
        let mut drawn = vec![
            first(Stream::Weights, 0),
            first(Stream::Weights, 1),
            first(Stream::Batch, 0),
            first(Stream::Batch, 1),
            Random::new(6, Stream::Batch, 1).bits(),
        ];
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 5);
    }
}
