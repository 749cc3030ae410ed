//! The call stack. The bytes of a call record its place, keyed by the base of the frame that it
//! makes.
//!
//! ```text
//! key     frame + fourth, at the bytes of a call; the latest of equal frame
//! record  opcode + 5, fourth          position of the `resume` after the call, frame size of the caller
//! return: result = byte of that resume's immediate at the current index; end += frame size
//! call:   end += fourth; traps if frame + fourth > FRAME_LIMIT
//! ```
//! With code in the weights, `return` outputs a number that the call recorded: see `rom`.
//!
//! Frames hold at least one word, so the frame base identifies the call.

use weightware_isa::{FRAME_LIMIT, Trap};

use super::columns::Class;
use super::{BIG, Machine, Parts};
use crate::form::Dim;
use crate::graph::Key;

impl Machine {
    /// Returns the number at which a return goes on, if the call recorded it.
    pub(super) fn calls(&mut self, parts: &Parts) -> Option<Dim> {
        let Parts { state, fetched, .. } = parts;
        let class = &fetched.class;
        let unless_return = class.unless(Class::Return);
        let words = self.profile.words;
        let graph = &mut self.graph;
        let (one, time) = (graph.one(), graph.time());

        let callee = state.frame + fetched.fourth;
        let far = words.far_side(graph, callee.clone());
        let product = graph.reglu("callee^2", far, callee.clone());
        let product = graph.hold("callee^2", product);
        let clear = class.clear(
            graph,
            "call.clear",
            class.unless(Class::Call),
            one,
            state.index,
        );
        let key = Key {
            clear,
            ..words.key(graph, callee, product, time.into())
        };
        let after = state.after_call(graph);
        let recorded = after.clone().unwrap_or(state.opcode + one * 5);
        let values = [recorded, fetched.fourth.into()];
        let [recorded, frame_size] =
            graph.lookup("call", words.centred(graph, state.frame), &key, values);
        let name = if after.is_some() {
            "return_to"
        } else {
            "resume_at"
        };
        let recorded = graph.hold(name, recorded);
        let frame_size = graph.hold("frame_size", frame_size);

        let called = graph.relu(
            "call.frame",
            fetched.fourth - class.unless(Class::Call) * (1 << 10),
        );
        graph.add(fetched.end, 1, called);
        let returned = graph.relu(
            "return.frame",
            frame_size - unless_return.clone() * (1 << 10),
        );
        graph.add(fetched.end, 1, returned);

        self.bound("call", words);
        if after.is_some() {
            return Some(recorded);
        }
        let graph = &mut self.graph;
        // The bounds of a place in the program do not exclude places after the last position.
        let query = recorded + one + state.index - unless_return * BIG;
        let positions = graph.positions();
        let [byte] = graph.lookup("return.byte", query, &positions, [self.columns.byte.into()]);
        self.add_to_result(1, byte);
        None
    }

    /// Generates a trap at once for a call whose frame would begin beyond the limit.
    pub(crate) fn call_traps(&mut self, parts: &Parts) {
        let Parts { state, fetched, .. } = parts;
        let callee = state.frame + fetched.fourth - self.graph.constant(FRAME_LIMIT.into());
        let excess = callee - fetched.class.unless(Class::Call) * BIG;
        self.trap_if("trap.call", excess, Trap::CallStackExhausted);
    }
}
