//! Memory: lookups of bytes by address. Each byte of a store is a token of its own.
//!
//! ```text
//! key     second + immediate + index - 1, at the bytes of a store, the latest count of stores of equal address
//! load    q = top + immediate + index - beyond; the byte found counts, or past the size its sign, unless missed
//! size    = rise of a load
//! beyond  = relu(index - size + 1)      bytes past the size
//! within  = relu(size - index)
//! missed  = |(address found + 2^18)^2 - (q + 2^18)^2|   memory that was never written is 0. From the square (centre + 2^18)^2 - 1 is
//!                                       subtracted: so the first token stands for the centre, and is never found exactly
//! dump    a load of 1024 bytes, and at the same time their store
//! probe   [missed <= 1024 (q + 2^18)]   whether a byte from q - 512 to q + 511 was written
//! traps   if top + immediate + size > limit at a load, second + immediate + bytes > limit at a store
//! limit   = 65536 (fourth + grown), grown = the word before the latest token that grows the memory, else 0
//! ```
//! The comparison is of squares, not of addresses. If two keys tie at equal distance from a byte
//! never written, the average of their addresses is q, but the average of their squares is greater
//! than q^2.

use weightware_isa::Trap;

use super::columns::{Class, GROWN};
use super::planned::Planned;
use super::{BIG, Extension, Machine, Parts, Size};
use crate::form::{Dim, LinearForm};
use crate::graph::{Key, Output};

/// Added to addresses whose squares are compared, so that the squares of addresses at equal
/// distance from one that is queried differ little beside those of others: see `probe`.
pub(crate) const SHIFT: i64 = 1 << 18;

/// A factor of the term that clears keys where keys lie far from queries: for addresses that have
/// cells, and beside constants of the weights. The term becomes 2^67, more than the greatest
/// squared distance of such a key from a query, which is below 2^66.2.
pub(super) const LOWER: i64 = 1 << 27;

/// An access to memory.
pub(super) struct Access {
    /// The address of the byte that a store writes, its product with its far side, and its square
    /// less `first`.
    pub(super) written: LinearForm,
    pub(super) product: Dim,
    pub(super) square: LinearForm,
    /// The square for which the first token stands, which no address has.
    pub(super) first: LinearForm,
    /// The clearing term: 0 at the bytes of a store.
    pub(super) clear: LinearForm,
    /// The address of the byte that a load queries at the current index; past its size, that of its
    /// last byte.
    pub(super) asked: LinearForm,
}

impl Machine {
    pub(crate) fn size(&mut self, parts: &Parts) -> Size {
        let (index, size) = (parts.state.index, parts.fetched.rise);
        let beyond = self.graph.relu("beyond", index - size + self.graph.one());
        let beyond = self.graph.hold("beyond", beyond);
        let within = self.graph.relu("within", size - index);
        let within = self.graph.hold("within", within);
        Size { beyond, within }
    }

    /// Returns how far the address that a load finds is from the one that it queries.
    pub(super) fn memory(&mut self, parts: &Parts, size: &Size) -> Dim {
        let Parts {
            state,
            fetched,
            operands,
            ..
        } = parts;
        let class = &fetched.class;
        let span = self.profile.memory;
        let graph = &mut self.graph;
        let one = graph.one();

        let written = operands.second + fetched.immediate.clone() + state.index - one;
        let far = span.far_side(graph, written.clone());
        let product = graph.reglu("address^2", far, written.clone());
        let product = graph.hold("address^2", product);
        let clear = class.clear(
            graph,
            "memory.clear",
            class.unless_either(Class::Store, Class::Dump),
            one,
            state.index,
        );
        let first = one * ((span.centre + SHIFT) * (span.centre + SHIFT) - 1);
        let linear = written.clone() * (2 * (span.centre + SHIFT));
        let access = Access {
            square: product + linear + one * (SHIFT * SHIFT) - first.clone(),
            first,
            asked: operands.top + fetched.immediate.clone() + state.index - size.beyond,
            written,
            product,
            clear,
        };
        match self.profile.cells {
            None => self.by_address(parts, size, &access),
            Some(cells) => self.by_cell(parts, size, &access, cells),
        }
    }

    /// The memory of profiles without cells: a lookup of the latest write to an address.
    fn by_address(&mut self, parts: &Parts, size: &Size, access: &Access) -> Dim {
        let one = self.graph.one();
        // Times are at least 1, so that a write at the centre wins against the first token, at time
        // 0.
        let time = parts.state.stores + one;
        let span = self.profile.memory;
        let lower = match self.rom {
            Some(_) => LOWER,
            None => 1,
        };
        let graph = &mut self.graph;
        let key = Key {
            clear: access.clear.clone() * lower,
            ..span.key(graph, access.written.clone(), access.product, time)
        };
        let query = span.centred(graph, access.asked.clone());
        let [found] = graph.lookup("load.at", query.clone(), &key, [access.square.clone()]);
        let missed = self.missed(parts, access, found);
        if self.planned.contains(&Planned::Anywhere) {
            let time = self.graph.time();
            let at = self.graph.second_value(found, time);
            self.stale(access, missed, at);
        }
        self.loaded(parts, size, (query, &key), missed, &access.asked);
        for name in ["load.at", "load"] {
            self.bound(name, span);
        }
        missed
    }

    /// 0 if the square of the address found is that of the queried address, else at least 1. At
    /// `probe`, 0 if they differ by no more than its reach.
    pub(super) fn missed(&mut self, parts: &Parts, access: &Access, found: Output) -> Dim {
        let turns = self.extensions.contains(&Extension::Turn);
        let reach = turns.then(|| self.reach(parts, &access.asked));
        let graph = &mut self.graph;
        let asked = access.asked.clone();
        let asked = asked + graph.one() * SHIFT;
        let square = graph.reglu("asked^2", asked.clone(), asked);
        let miss = graph.hold("miss", found);
        graph.add(miss, -1, square);
        let above = miss + access.first.clone();
        // A sum of two rectified terms is never negative, even where meaningless squares are
        // rounded.
        let missed = graph.dim("missed");
        graph.alone(missed);
        for (name, miss) in [("above", above.clone()), ("below", -above)] {
            let miss = match reach {
                Some(reach) => miss - reach,
                None => miss,
            };
            let miss = graph.relu(&format!("missed.{name}"), miss);
            graph.add(missed, 1, miss);
        }
        missed
    }

    /// Adds the byte that a query finds to the result of a load, or its sign past the size, unless
    /// the byte is at another address.
    pub(super) fn loaded(
        &mut self,
        parts: &Parts,
        size: &Size,
        (query, key): (LinearForm, &Key),
        missed: Dim,
        asked: &LinearForm,
    ) {
        let preset = self.preset(parts, asked);
        let class = &parts.fetched.class;
        let values = [self.columns.byte, self.columns.negative].map(LinearForm::from);
        let [byte, sign] = self.graph.lookup("load", query, key, values);
        let byte = self.graph.hold("load.byte", byte);
        let sign = self.graph.hold("load.sign", sign);
        let load = class.unless_either(Class::Load, Class::LoadSigned) + size.beyond;
        self.add_byte("load", 1, byte, &(load.clone() + missed));
        let signed = class.unless(Class::LoadSigned) + size.within;
        self.add_byte("load.sign", 255, sign, &(signed.clone() + missed));
        let dump = class.unless(Class::Dump);
        if self.extensions.contains(&Extension::Turn) {
            self.add_byte("dump", 1, byte, &(dump.clone() + missed));
        }
        let Some([preset, preset_sign]) = preset else {
            return;
        };
        // The byte of the weights, and minus it if another byte is found.
        for (name, coefficient, preset, unless) in [
            ("load.preset", 1, preset, load),
            ("load.sign.preset", 255, preset_sign, signed),
            ("dump.preset", 1, preset, dump),
        ] {
            self.add_byte(name, coefficient, preset, &unless);
            self.add_byte(name, -coefficient, preset, &(unless + missed));
        }
    }

    /// Generates a trap at once for an access that ends beyond the memory.
    pub(crate) fn memory_traps(&mut self, parts: &Parts) {
        let Parts {
            fetched, operands, ..
        } = parts;
        let class = &fetched.class;
        let graph = &mut self.graph;
        let latest_growth = graph.latest(graph.one() * GROWN - self.columns.grown);
        let growth = parts.state.growth.clone();
        let [grown] = graph.lookup("grown", LinearForm::zero(), &latest_growth, [growth]);
        let grown = graph.hold("grown", grown);
        let start = fetched.immediate.clone() - (fetched.fourth + grown) * 65536;
        let load = start.clone() + operands.top + fetched.rise
            - class.unless_either(Class::Load, Class::LoadSigned) * BIG;
        let store = start + operands.second + fetched.bytes - class.unless(Class::Store) * BIG;
        for (name, excess) in [("trap.load", load), ("trap.store", store)] {
            self.trap_if(name, excess, Trap::OutOfBounds);
        }
    }
}
