//! Points within the edges of a chain, and how an insertion changes them.
//!
//! All points within one edge win together or not at all, so they share one slot.

use alloc::collections::BTreeMap;

use crate::Point;
use crate::chain::{Chain, Gone, Spot};
use crate::merge::Merges;
use crate::slots::{Role, Slots};

/// A chain, and the slots of the points within its edges. Few hulls have such points.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edged {
    pub(crate) chain: Chain,
    /// The slot of the points within an edge, by the slot of the vertex at which the edge begins.
    within: BTreeMap<u32, u32>,
}

/// The roles of a chain's vertices and of the points within its edges.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles {
    pub(crate) vertex: Role,
    pub(crate) edge: Role,
}

impl Edged {
    /// The slot of the points within the edge that begins at a vertex.
    #[inline]
    pub(crate) fn within(&self, from: u32) -> Option<u32> {
        if self.within.is_empty() {
            None
        } else {
            self.within.get(&from).copied()
        }
    }

    /// Sets the slot of the points within an edge that had none.
    pub(crate) fn set_within(&mut self, from: u32, slot: u32) {
        self.within.insert(from, slot);
    }

    /// Inserts a vertex. Returns the slot of the vertex below it that it replaces, which has lost
    /// its role but is not free yet.
    pub(crate) fn insert(
        &mut self,
        spot: Spot,
        point: Point,
        slot: u32,
        roles: Roles,
        slots: &mut Slots,
        merges: &mut Merges,
    ) -> Option<u32> {
        slots.add(slot, roles.vertex);
        let Self { chain, within } = self;
        // Points within an edge that the insertion removed are strictly inside.
        let drop_edge = |within: &mut BTreeMap<u32, u32>, slots: &mut Slots, from: u32| {
            if !within.is_empty()
                && let Some(old) = within.remove(&from)
            {
                slots.remove(old, roles.edge);
            }
        };
        let mut under = None;
        let mut left_edge_grew = false;
        let pos = chain.insert(spot, point, slot, |_, gone, what| {
            let edge = match what {
                Gone::Under => {
                    drop_edge(within, slots, gone);
                    slots.strip(gone, roles.vertex);
                    under = Some(gone);
                    return;
                }
                Gone::Inside => {
                    drop_edge(within, slots, gone);
                    slots.remove(gone, roles.vertex);
                    return;
                }
                Gone::Before(from) => {
                    drop_edge(within, slots, gone);
                    left_edge_grew = true;
                    from
                }
                Gone::Behind => {
                    if let Some(kept) = within.remove(&gone) {
                        within.insert(slot, kept);
                    }
                    slot
                }
            };
            // The former vertex joins the points within the edge, or is the first of them.
            let into = *within.entry(edge).or_insert(gone);
            if into == gone {
                slots.add(gone, roles.edge);
            } else {
                merges.add(gone, into);
            }
            slots.remove(gone, roles.vertex);
        });
        if !left_edge_grew
            && !within.is_empty()
            && let Some(left) = chain.prev(pos)
        {
            let left = chain.slot(left);
            drop_edge(within, slots, left);
        }
        under
    }

    /// The memory allocated; the map's share is an estimate.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.chain.heap_bytes() + self.within.len() * 2 * size_of::<[u32; 2]>()
    }
}
