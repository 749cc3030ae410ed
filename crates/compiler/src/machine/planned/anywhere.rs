//! Programs anywhere in a context: running sums are taken relative to the latest `{`.
//!
//! ```text
//! `{`       byte = -1, class^2 = -1, jumped = 1, grown = 256; `}` stores an entry 0 at depth 0, where sections find the address 0
//! origin    position of the latest `{`                       key: one + byte = 0
//! frame, depth = sum now - sum at the origin
//! base      -count at `{`, so that count, too, is relative to it: see `planned`
//! opcode    = origin + 5 (base + count) - 4
//! growth    0 at `{`
//! missed    += relu(origin - position of the byte found)     bytes that earlier programs wrote are 0
//! ```
//! The count of stores is not relative, since it orders the keys of all programs. Words of earlier
//! programs can be read, but a program writes its globals first. The entry that `}` stores is the
//! word before it, so the last instruction of a program has the immediate 0.

use super::super::columns::Columns;
use super::super::memory::Access;
use super::super::state::Sums;
use super::super::{Machine, Profile};
use crate::form::{Dim, LinearForm};
use crate::graph::{Graph, Key, Output};

/// The keys of `{`.
fn opens(graph: &Graph, columns: &Columns) -> Key {
    graph.latest(graph.one() + columns.byte)
}

/// The running sums since the latest `{`.
pub(in super::super) fn relative(
    graph: &mut Graph,
    columns: &Columns,
    profile: &Profile,
    frame: Output,
    depth: Output,
) -> Sums {
    let time = graph.time();
    let opens = opens(graph, columns);

    let sum = graph.hold_lifted("frame_sum", frame);
    let [before] = graph.lookup("open.frame", LinearForm::zero(), &opens, [sum.clone()]);
    let before = graph.hold("open.frame", before);
    let frame = graph.persist("frame", sum - before);

    let sum = graph.hold_lifted("depth_sum", depth);
    let values = [sum.clone(), time.into()];
    let [before, origin] = graph.lookup("open.depth", LinearForm::zero(), &opens, values);
    let before = graph.hold("open.depth", before);
    let origin = graph.hold("origin", origin);
    let relative = sum - before;
    let far = profile.words.far_side(graph, relative.clone());
    let product = graph.reglu("depth^2", far, relative.clone());
    let depth = graph.persist("depth", relative);
    let product = graph.hold("depth^2", product);
    graph.exact(product);
    Sums {
        origin: origin.into(),
        frame,
        depth,
        depth_product: product,
    }
}

impl Machine {
    /// Adds a positive term to `missed` for a byte that was written before the latest `{`. The
    /// position of `{` is looked up again: kept from layer 2 on, it would take a slot.
    pub(in super::super) fn stale(&mut self, access: &Access, missed: Dim, at: Output) {
        debug_assert!(!access.clear.is_zero());
        let graph = &mut self.graph;
        let at = graph.hold("load.found_at", at);
        let opens = opens(graph, &self.columns);
        let time = graph.time().into();
        let [origin] = graph.lookup("open.load", LinearForm::zero(), &opens, [time]);
        let origin = graph.hold("open.load", origin);
        let stale = graph.relu("missed.stale", origin - at);
        graph.add(missed, 1, stale);
    }
}
