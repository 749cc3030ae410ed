//! Locals and globals: lookups of words in one space, by number.
//!
//! ```text
//! word   = frame + immediate for a local, immediate for a global
//! key    word, at the last byte of local.set, local.tee, global.set; the latest of equal word
//! result = byte at (position of that last byte) + 1 - width + index
//! ```
//! The key needs a product. With f = frame, m = immediate and c = 2 centre it is `word (word - c) =
//! (f + m) (f + m - c) - (f + 2m - c) f [global]`.

use super::columns::Class;
use super::{BIG, Machine, PUSH, Parts};
use crate::graph::Key;

impl Machine {
    pub(crate) fn locals(&mut self, parts: &Parts) {
        let Parts { state, fetched, .. } = parts;
        let class = &fetched.class;
        let words = self.profile.words;
        let graph = &mut self.graph;
        let (one, time) = (graph.one(), graph.time());

        let local = state.frame + fetched.immediate.clone();
        let global = state.frame - class.unless_either(Class::GlobalGet, Class::GlobalSet) * BIG;
        let frame_if_global = graph.relu("frame_if_global", global.clone());
        let frame_if_global = graph.hold("frame_if_global", frame_if_global);
        let far = words.far_side(graph, local.clone());
        let of_local = graph.reglu("local^2", far.clone(), local.clone());
        let excess = graph.reglu("local^2.global", far + fetched.immediate.clone(), global);
        let product = graph.dim("word^2");
        graph.add(product, 1, of_local);
        graph.add(product, -1, excess);

        let setting = class.unless_either(Class::GlobalSet, Class::LocalSet);
        let clear = class.clear(graph, "local.clear", setting, fetched.width, state.index);
        let word = local - frame_if_global;
        let key = Key {
            clear,
            ..words.key(graph, word.clone(), product, time.into())
        };
        let query = words.centred(graph, word);
        let [at] = graph.lookup("local", query, &key, [time.into()]);
        let at = graph.hold("local_at", at);

        let unless = class.unless_either(Class::LocalGet, Class::GlobalGet);
        let query = at + one - fetched.width + state.index - unless * PUSH;
        let positions = graph.positions();
        let [byte] = graph.lookup("local.byte", query, &positions, [self.columns.byte.into()]);
        self.add_to_result(1, byte);
        self.bound("local", words);
    }
}
