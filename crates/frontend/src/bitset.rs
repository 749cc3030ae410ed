//! Bit sets, for dataflow analyses over locals.

/// A set of numbers below a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BitSet(Vec<u64>);

impl BitSet {
    pub(crate) fn new(bound: usize) -> Self {
        Self(vec![0; bound.div_ceil(64)])
    }

    pub(crate) fn contains(&self, index: u32) -> bool {
        self.0[index as usize / 64] >> (index % 64) & 1 == 1
    }

    pub(crate) fn insert(&mut self, index: u32) {
        self.0[index as usize / 64] |= 1 << (index % 64);
    }

    pub(crate) fn remove(&mut self, index: u32) {
        self.0[index as usize / 64] &= !(1 << (index % 64));
    }

    /// Adds the numbers of one set that are not in another, and returns whether this set grew.
    pub(crate) fn unite_without(&mut self, added: &BitSet, without: &BitSet) -> bool {
        let mut grown = 0;
        for (mine, (added, without)) in self.0.iter_mut().zip(added.0.iter().zip(&without.0)) {
            let added = added & !without;
            grown |= added & !*mine;
            *mine |= added;
        }
        grown != 0
    }

    /// Removes the numbers that are not in another set.
    pub(crate) fn intersect(&mut self, other: &BitSet) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine &= theirs;
        }
    }

    /// Adds the numbers of another set and returns whether the set grew.
    pub(crate) fn unite(&mut self, other: &BitSet) -> bool {
        let mut grown = 0;
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            grown |= theirs & !*mine;
            *mine |= theirs;
        }
        grown != 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().zip(0..).flat_map(|(&word, index)| {
            std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
                .take_while(|&rest| rest != 0)
                .map(move |rest| index * 64 + rest.trailing_zeros())
        })
    }
}
