//! Locals and globals: words in one space, found by number.
//!
//! ```text
//! word   = frame + immediate for a local, immediate for a global
//! key    word, at the last byte of local.set, local.tee, global.set; the latest of equal word
//! result = byte at (position of that last byte) + 1 - width + index
//! ```
//! The square of the word needs products: with f = frame, m = immediate,
//! `word^2 = (f + m)^2 - (f + 2m) f [global]`.

use super::columns::Class;
use super::{BIG, LOCAL_CENTRE, LOCAL_RECENCY, Machine, PUSH, Parts};
use crate::graph::Key;

impl Machine {
    pub(crate) fn locals(&mut self, parts: &Parts) {
        let Parts { state, fetched, .. } = parts;
        let class = &fetched.class;
        let graph = &mut self.graph;
        let (one, time) = (graph.one(), graph.time());

        let local = state.frame + fetched.immediate;
        let global = state.frame - class.unless_either(Class::GlobalGet, Class::GlobalSet) * BIG;
        let frame_if_global = graph.relu("frame_if_global", global.clone());
        let frame_if_global = graph.hold("frame_if_global", frame_if_global);
        let square_of_local = graph.reglu("local^2", local.clone(), local.clone());
        let excess = graph.reglu("local^2.global", local.clone() + fetched.immediate, global);
        let square = graph.dim("word^2");
        graph.add(square, 1, square_of_local);
        graph.add(square, -1, excess);

        let setting = class.unless_either(Class::GlobalSet, Class::LocalSet);
        let clear = class.clear(graph, "local.clear", setting, fetched.width, state.index);
        let word = local - frame_if_global;
        let key = Key {
            index: word.clone() - one * LOCAL_CENTRE,
            square: square - word.clone() * (2 * LOCAL_CENTRE)
                + one * (LOCAL_CENTRE * LOCAL_CENTRE),
            time: time.into(),
            recency: LOCAL_RECENCY,
            clear,
        };
        let [at] = graph.lookup("local", word - one * LOCAL_CENTRE, &key, [time.into()]);
        let at = graph.hold("local_at", at);

        let unless = class.unless_either(Class::LocalGet, Class::GlobalGet);
        let query = at + one - fetched.width + state.index - unless * PUSH;
        let positions = graph.positions();
        let [byte] = graph.lookup("local.byte", query, &positions, [self.columns.byte.into()]);
        self.add_to_result(1, byte);
        self.bound("local", LOCAL_CENTRE, 1.0);
    }
}
