//! Allocation of slots, and the roles of each slot in the hull.

use alloc::vec::Vec;

use crate::Error;

/// A role of the points of a slot. A slot may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Role {
    /// A vertex of the upper chain.
    Upper = 1,
    /// A vertex of the lower chain.
    Lower = 2,
    /// The points lie within an edge of the upper chain.
    UpperEdge = 4,
    /// The points lie within an edge of the lower chain.
    LowerEdge = 8,
    /// The points lie within a vertical edge.
    Column = 16,
}

/// The allocator of slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    /// The sum of the roles of each slot, zero for a free slot.
    roles: Vec<u8>,
    free: Vec<u32>,
}

impl Slots {
    /// Allocates a slot.
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

    /// Takes a role off a slot, and frees the slot if it has no other.
    #[inline]
    pub(crate) fn remove(&mut self, slot: u32, role: Role) {
        let roles = &mut self.roles[slot as usize];
        *roles &= !(role as u8);
        if *roles == 0 {
            self.free.push(slot);
        }
    }

    /// Takes a role off a slot without freeing it. The caller must free the slot if it [is
    /// idle](Self::is_idle) in the end.
    #[inline]
    pub(crate) fn strip(&mut self, slot: u32, role: Role) {
        self.roles[slot as usize] &= !(role as u8);
    }

    /// Whether a slot has no role. It may not be free yet.
    #[inline]
    pub(crate) fn is_idle(&self, slot: u32) -> bool {
        self.roles[slot as usize] == 0
    }

    /// Frees an idle slot that is not free yet.
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
