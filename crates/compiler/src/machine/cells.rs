//! Address translation: a cell number for each address, in the order of first writes. The horizon
//! then depends on the number of addresses written, not on the distance between them.
//!
//! ```text
//! seen    average of 4 t over all bytes stored at this address so far, this one included: 4 t if it is the first
//! stale   0 at the first byte stored at an address, else 1
//! count   sum of 1 - stale
//! cell    of an address: the count at its first byte
//! value   the byte whose cell is the queried one, the latest count of stores
//! ```
//! Nothing orders the keys of `seen`: all bytes of an address tie. A cell has one key, and keeps
//! its number.

use super::memory::{Access, LOWER};
use super::planned::Planned;
use super::{KeySpan, Machine, Parts, Size};
use crate::form::Dim;
use crate::graph::Key;

/// A factor of the term that clears keys of cells. The product is more than the greatest squared
/// distance of two cells; the certificate of each profile proves it.
const fn lower_cells(cells: KeySpan) -> i64 {
    match cells.reach < 1 << 18 {
        true => 1,
        false => 1 << 3,
    }
}

impl Machine {
    pub(super) fn by_cell(
        &mut self,
        parts: &Parts,
        size: &Size,
        access: &Access,
        cells: KeySpan,
    ) -> Dim {
        let addresses = self.profile.memory;
        let graph = &mut self.graph;
        let (one, time) = (graph.one(), graph.time());

        // All keys have the same time: they tie with one another, and win against the first token.
        let mut key = Key {
            clear: access.clear.clone() * LOWER,
            ..addresses.key(graph, access.written.clone(), access.product, one.into())
        };
        let own = addresses.centred(graph, access.written.clone());
        let [seen] = graph.lookup("seen", own.clone(), &key, [time * 4]);
        let seen = graph.hold("seen", seen);
        // At most zero at a cleared key, since no byte is later than now. Two bytes at one address
        // are at least two tokens apart, so the average of several is lower by at least 2.
        let first = one - time * 4 + seen - access.clear.clone();
        let first = graph.relu("first", first);
        let stale = graph.persist("stale", one);
        graph.add(stale, -1, first);

        let [count] = graph.running_sums(["cells"], [one - stale]);
        let count = graph.hold_lifted("cells", count);

        key.clear = stale * LOWER;
        let [cell] = graph.lookup("cell.store", own, &key, [count.clone()]);
        let cell = graph.hold("cell.store", cell);
        let query = addresses.centred(graph, access.asked.clone());
        let [wanted, found] =
            graph.lookup("cell.load", query, &key, [count, access.square.clone()]);
        let wanted = graph.hold("cell.load", wanted);
        let missed = self.missed(parts, access, found);

        let graph = &mut self.graph;
        let far = cells.far_side(graph, cell);
        let product = graph.reglu("cell^2", far, cell);
        let product = graph.hold("cell^2", product);
        graph.exact(product);
        let key = Key {
            clear: access.clear.clone() * lower_cells(cells),
            ..cells.key(graph, cell, product, parts.state.stores + one)
        };
        let query = cells.centred(graph, wanted);
        if self.planned.contains(&Planned::Anywhere) {
            let [at] = graph.lookup("load.at", query.clone(), &key, [time.into()]);
            self.stale(access, missed, at);
        }
        self.loaded(parts, size, (query, &key), missed, &access.asked);
        for name in ["seen", "cell.store", "cell.load"] {
            self.bound(name, addresses);
        }
        self.bound("load", cells);
        missed
    }
}
