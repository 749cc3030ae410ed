//! Memory: bytes, found by address; each byte of a store is a token of its own.
//!
//! ```text
//! key     second + immediate + index - 1, at the bytes of a store, the latest count of stores of equal address
//! load    asks for q = top + immediate + index; the byte counts if the key found is q, else the byte is 0
//! size    = rise of a load
//! beyond  = relu(index - size + 1)      bytes past the size: 0, or the sign of the byte at q - beyond
//! within  = relu(size - index)
//! traps   if top + immediate + size > limit at a load, second + immediate + bytes > limit at a store
//! limit   = 65536 (fourth + grown), grown = byte four before the latest token that grows the memory, else 0
//! ```
//! `v [d = 0] = v relu(d + 1) - 2 v relu(d) + v relu(d - 1)` for integers d, exact while `v d` stays below 2^53.

use weightware_isa::Trap;

use super::columns::{Class, GROWN};
use super::{BIG, Machine, Parts, Size};
use crate::form::Form;
use crate::graph::Key;

impl Machine {
    pub(crate) fn size(&mut self, parts: &Parts) -> Size {
        let (index, size) = (parts.state.index, parts.fetched.rise);
        let beyond = self.graph.relu("beyond", index - size + self.graph.one());
        let beyond = self.graph.hold("beyond", beyond);
        let within = self.graph.relu("within", size - index);
        let within = self.graph.hold("within", within);
        Size { beyond, within }
    }

    pub(crate) fn memory(&mut self, parts: &Parts, size: &Size) {
        let &Size { beyond, within } = size;
        let Parts {
            state,
            fetched,
            operands,
            ..
        } = parts;
        let class = &fetched.class;
        let memory = self.profile.memory;
        let graph = &mut self.graph;
        let one = graph.one();

        let written = operands.second + fetched.immediate + state.index - one;
        let far = memory.far_side(graph, written.clone());
        let product = graph.reglu("address^2", far, written.clone());
        let product = graph.hold("address^2", product);
        let address = memory.centred(graph, written.clone());
        let clear = class.clear(
            graph,
            "memory.clear",
            class.unless(Class::Store),
            one,
            state.index,
        );
        // Times are not below 1: the first token answers for the centre at time 0.
        let key = Key {
            clear,
            ..memory.key(graph, written, product, state.stores + one)
        };

        let asked = operands.top + fetched.immediate + state.index;
        let asked = memory.centred(graph, asked);
        let byte = self.columns.byte.into();
        let other = class.unless_either(Class::Load, Class::LoadSigned) + beyond;
        self.loaded("load", asked.clone(), &key, [byte, address.clone()], &other);
        let sign = self.columns.negative * 255;
        let other = class.unless(Class::LoadSigned) + within;
        self.loaded("load.sign", asked - beyond, &key, [sign, address], &other);
    }

    /// Adds the value at an address to the result, if there is a key of that very address and `other` is 0.
    fn loaded(&mut self, name: &str, asked: Form, key: &Key, values: [Form; 2], other: &Form) {
        let [value, found] = self.graph.lookup(name, asked.clone(), key, values);
        let value = self.graph.hold(&format!("{name}.value"), value);
        let found = self.graph.hold(&format!("{name}.found"), found);
        // Elsewhere all three gates are closed: open, they would cancel only as long as nothing is rounded.
        let miss = found - asked - other.clone() * BIG;
        for (offset, coefficient) in [(1, 1), (0, -2), (-1, 1)] {
            let gate = miss.clone() + self.graph.constant(offset);
            let hit = self.graph.reglu(&format!("{name}.hit"), value, gate);
            self.add_to_result(coefficient, hit);
        }
        self.bound(name, self.profile.memory);
    }

    /// Accesses that end beyond the memory put out a trap at once.
    pub(crate) fn memory_traps(&mut self, parts: &Parts) {
        let Parts {
            fetched, operands, ..
        } = parts;
        let class = &fetched.class;
        let graph = &mut self.graph;
        let (one, time) = (graph.one(), graph.time());
        let latest_growth = graph.latest(one * GROWN - self.columns.grown);
        let [at] = graph.lookup("growth", Form::zero(), &latest_growth, [time.into()]);
        let at = graph.hold("growth_at", at);
        let positions = graph.positions();
        let [grown] = graph.lookup(
            "grown",
            at - one * 4,
            &positions,
            [self.columns.byte.into()],
        );
        let grown = graph.hold("grown", grown);
        let start = fetched.immediate - (fetched.fourth + grown) * 65536;
        let load = start.clone() + operands.top + fetched.rise
            - class.unless_either(Class::Load, Class::LoadSigned) * BIG;
        let store = start + operands.second + fetched.bytes - class.unless(Class::Store) * BIG;
        for (name, excess) in [("trap.load", load), ("trap.store", store)] {
            self.trap_if(name, excess, Trap::OutOfBounds);
        }
    }
}
