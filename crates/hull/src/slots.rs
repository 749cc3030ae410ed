//! The numbers of sets of points, and what each of them is to the hull.

use alloc::vec::Vec;

use crate::Error;

/// What the points of a slot are; they may be several things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Role {
    /// A vertex of the upper chain.
    Upper = 1,
    /// A vertex of the lower chain.
    Lower = 2,
    /// Within an edge of the upper chain.
    UpperEdge = 4,
    /// Within an edge of the lower chain.
    LowerEdge = 8,
    /// Within a vertical edge.
    Column = 16,
}

/// All slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    /// By slot: the sum of its roles, zero for a slot that is free.
    roles: Vec<u8>,
    free: Vec<u32>,
}

impl Slots {
    /// A slot that is free.
    #[inline]
    pub(crate) fn take(&mut self) -> Result<u32, Error> {
        if let Some(slot) = self.free.pop() {
            return Ok(slot);
        }
        let slot = u32::try_from(self.roles.len())
            .ok()
            .filter(|&slot| slot != u32::MAX)
            .ok_or_else(Error::full)?;
        self.roles.push(0);
        Ok(slot)
    }

    #[inline]
    pub(crate) fn add(&mut self, slot: u32, role: Role) {
        self.roles[slot as usize] |= role as u8;
    }

    /// Takes a role off a slot, and frees the slot when it was the last.
    #[inline]
    pub(crate) fn remove(&mut self, slot: u32, role: Role) {
        let roles = &mut self.roles[slot as usize];
        *roles &= !(role as u8);
        if *roles == 0 {
            self.free.push(slot);
        }
    }

    /// Takes a role off a slot that is not freed for it: that is for the caller to see to, if the
    /// slot [is idle](Self::is_idle) in the end.
    #[inline]
    pub(crate) fn strip(&mut self, slot: u32, role: Role) {
        self.roles[slot as usize] &= !(role as u8);
    }

    /// Whether a slot has no role, though it need not be free.
    #[inline]
    pub(crate) fn is_idle(&self, slot: u32) -> bool {
        self.roles[slot as usize] == 0
    }

    /// Frees a slot that is idle and was not freed.
    #[inline]
    pub(crate) fn free(&mut self, slot: u32) {
        debug_assert!(self.is_idle(slot), "slot {slot} is in use");
        self.free.push(slot);
    }

    /// The number of slots, free ones included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.roles.len()
    }

    /// The number of slots that are not free.
    #[inline]
    pub(crate) fn in_use(&self) -> usize {
        self.roles.len() - self.free.len()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.roles.capacity() + self.free.capacity() * size_of::<u32>()
    }
}
