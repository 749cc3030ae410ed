//! Short lists of slots, without allocation.

use core::ops::Deref;

/// The winners of a query, by slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winners {
    /// There are no points.
    Empty,
    /// All points ever pushed, interior ones too: the query was `(0, 0)`.
    All,
    /// The points of one slot.
    One(u32),
    /// The points of two or three slots: the ends of an edge, and what lies within it.
    Many(Tied),
}

/// What is kept under the slot `from` is to be added to what is kept under `into`; `from` is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merge {
    /// The slot that is free now.
    pub from: u32,
    /// The slot that its points have joined.
    pub into: u32,
}

/// The merges that come with a push: one or two, for a point has two tangents to a hull. Derefs to
/// a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merges {
    list: [Merge; 2],
    len: u8,
}

impl Merges {
    /// Adds a merge, unless it is there: an edge that is all of the hull is on both chains.
    #[cold]
    pub(crate) fn add(&mut self, from: u32, into: u32) {
        let merge = Merge { from, into };
        if !self.contains(&merge) {
            self.list[usize::from(self.len)] = merge;
            self.len += 1;
        }
    }
}

impl Deref for Merges {
    type Target = [Merge];

    #[inline]
    fn deref(&self) -> &[Merge] {
        &self.list[..usize::from(self.len)]
    }
}

impl IntoIterator for Merges {
    type Item = Merge;
    type IntoIter = core::iter::Take<core::array::IntoIter<Merge, 2>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter().take(usize::from(self.len))
    }
}

impl<'a> IntoIterator for &'a Merges {
    type Item = &'a Merge;
    type IntoIter = core::slice::Iter<'a, Merge>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Two or three slots that tie: the ends of an edge, and then the points within it if there are
/// any. Derefs to a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tied {
    /// The third is `NONE` if there are two.
    slots: [u32; 3],
}

/// No slot has this number.
const NONE: u32 = u32::MAX;

impl Tied {
    /// The winners where one vertex, perhaps another, and perhaps the points between have the
    /// greatest score; what lies between them has two ends.
    #[inline]
    pub(crate) fn winners(first: u32, second: Option<u32>, within: Option<u32>) -> Winners {
        match second {
            None => Winners::One(first),
            Some(second) => Winners::Many(Self {
                slots: [first, second, within.unwrap_or(NONE)],
            }),
        }
    }
}

impl Deref for Tied {
    type Target = [u32];

    #[inline]
    fn deref(&self) -> &[u32] {
        let len = if self.slots[2] == NONE { 2 } else { 3 };
        &self.slots[..len]
    }
}

impl IntoIterator for Tied {
    type Item = u32;
    type IntoIter = core::iter::Take<core::array::IntoIter<u32, 3>>;

    fn into_iter(self) -> Self::IntoIter {
        self.slots.into_iter().take(self.len())
    }
}

impl<'a> IntoIterator for &'a Tied {
    type Item = &'a u32;
    type IntoIter = core::slice::Iter<'a, u32>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
