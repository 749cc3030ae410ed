//! The range of a list's values, for lists that are cut again.

use alloc::vec::Vec;

/// The least and the greatest value of each component, with checkpoints.
#[derive(Clone, Debug)]
pub(crate) struct Ranges<const N: usize> {
    /// The range of all values before each block.
    before: Vec<[[f64; N]; 2]>,
    now: [[f64; N]; 2],
}

/// Values per checkpoint.
const BLOCK: usize = 256;

impl<const N: usize> Ranges<N> {
    pub(crate) fn new() -> Self {
        Self {
            before: Vec::new(),
            now: [[f64::INFINITY; N], [f64::NEG_INFINITY; N]],
        }
    }

    /// Includes the value that is at this place of the list, its last one.
    pub(crate) fn push(&mut self, at: usize, value: [f64; N]) {
        if at.is_multiple_of(BLOCK) {
            self.before.push(self.now);
        }
        self.include(value);
    }

    fn include(&mut self, value: [f64; N]) {
        let [least, greatest] = &mut self.now;
        for (i, v) in value.into_iter().enumerate() {
            least[i] = least[i].min(v);
            greatest[i] = greatest[i].max(v);
        }
    }

    /// Forgets all values but those of the list, which has been cut.
    pub(crate) fn truncate(&mut self, values: &[[f64; N]]) {
        let block = values.len() / BLOCK;
        if let Some(&now) = self.before.get(block) {
            self.now = now;
            self.before.truncate(values.len().div_ceil(BLOCK));
            for &value in &values[block * BLOCK..] {
                self.include(value);
            }
        }
    }

    /// For each component how far any value can be from this one.
    pub(crate) fn distance(&self, value: [f64; N]) -> [f64; N] {
        let [least, greatest] = self.now;
        core::array::from_fn(|i| (greatest[i] - value[i]).max(value[i] - least[i]).max(0.0))
    }

    /// The memory allocated, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.before.capacity() * size_of::<[[f64; N]; 2]>()
    }
}
