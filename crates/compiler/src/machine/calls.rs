//! Calls: the bytes of a call remember where it stands, under the base of the frame that it makes.
//!
//! ```text
//! key     frame + fourth, at the bytes of a call; the latest of equal frame
//! record  opcode + 5, fourth          position of the `resume` behind the call, frame size of the caller
//! return: result = byte of that resume's immediate at the current index; end += frame size
//! call:   end += fourth; traps if frame + fourth > FRAME_LIMIT
//! ```
//! Frames hold at least one word, so the frame base names the call.

use weightware_isa::{FRAME_LIMIT, Trap};

use super::columns::{Class, code};
use super::{BIG, LOCAL_CENTRE, LOCAL_RECENCY, Machine, PUSH, Parts};
use crate::form::Form;
use crate::graph::Key;

impl Machine {
    pub(crate) fn calls(&mut self, parts: &Parts) {
        let Parts { state, fetched, .. } = parts;
        let class = &fetched.class;
        let graph = &mut self.graph;
        let (one, time) = (graph.one(), graph.time());

        let callee = state.frame + fetched.fourth;
        let square = graph.reglu("callee^2", callee.clone(), callee.clone());
        let square = graph.hold("callee^2", square);
        let clear = class.clear(
            graph,
            "call.clear",
            class.unless(Class::Call),
            one,
            state.index,
        );
        let key = Key {
            index: callee.clone() - one * LOCAL_CENTRE,
            square: square - callee * (2 * LOCAL_CENTRE) + one * (LOCAL_CENTRE * LOCAL_CENTRE),
            time: time.into(),
            recency: LOCAL_RECENCY,
            clear,
        };
        let values = [state.opcode + one * 5, fetched.fourth.into()];
        let [resume_at, frame_size] =
            graph.lookup("call", state.frame - one * LOCAL_CENTRE, &key, values);
        let resume_at = graph.hold("resume_at", resume_at);
        let frame_size = graph.hold("frame_size", frame_size);

        let called = graph.relu(
            "call.frame",
            fetched.fourth - class.unless(Class::Call) * (1 << 10),
        );
        graph.add(fetched.end, 1, called);
        let returned = graph.relu(
            "return.frame",
            frame_size - class.unless(Class::Return) * (1 << 10),
        );
        graph.add(fetched.end, 1, returned);

        let query = resume_at + one + state.index - class.unless(Class::Return) * PUSH;
        let positions = graph.positions();
        let [byte] = graph.lookup("return.byte", query, &positions, [self.columns.byte.into()]);
        self.add_to_result(1, byte);
        self.bound("call", LOCAL_CENTRE, 1.0);
    }

    /// Calls whose frame would begin beyond the limit put out a trap at once.
    pub(crate) fn call_traps(&mut self, parts: &Parts) {
        let Parts { state, fetched, .. } = parts;
        let callee = state.frame + fetched.fourth - self.graph.constant(FRAME_LIMIT.into());
        let excess = callee - fetched.class.unless(Class::Call) * BIG;
        self.trap_if("trap.call", excess, Trap::CallStackExhausted);
    }

    /// Puts out a trap if `excess`, an integer, is positive: the end code rises from 0, the code of a byte.
    pub(crate) fn trap_if(&mut self, name: &str, excess: Form, trap: Trap) {
        let one = self.graph.one();
        for (offset, sign) in [(0, 1), (1, -1)] {
            let step = self.graph.relu(name, excess.clone() - one * offset);
            self.graph.add(self.end, sign * code::trap(trap), step);
        }
    }
}
