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
    /// The points of two or three slots: the ends of an edge, and the points within it.
    Many(Tied),
}

/// An instruction to the caller: add the value kept for the slot `from` to that of `into`. `from`
/// is free afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merge {
    /// The slot that becomes free.
    pub from: u32,
    /// The slot that its points join.
    pub into: u32,
}

/// The merges that a push returns: one or two, since a point has two tangents to a hull. Derefs to
/// a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merges {
    list: [Merge; 2],
    len: u8,
}

impl Merges {
    /// Adds a merge, once: an edge that is the whole hull is on both chains.
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

/// Two or three slots that tie: the ends of an edge, then the points within it if there are any.
/// Derefs to a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tied {
    /// The third is `NONE` if there are two.
    slots: [u32; 3],
}

/// No slot has this number.
const NONE: u32 = u32::MAX;

impl Tied {
    /// The winners of a query: a vertex, perhaps a second one, and the points within the edge
    /// between them. Points within an edge never win without its two ends.
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
