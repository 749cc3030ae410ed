//! The operand stack: a lookup of the token that last stored at a depth, and of the bytes before
//! it.
//!
//! ```text
//! key    depth, at tokens with unstored = 0, the latest of equal depth
//! top, top_at        word (of 64 bits the high one) and position of the entry at depth
//! second, second_at  at depth - 1
//! third_at           at depth - 2
//! b = byte at top_at - width + index    a = byte at second_at - width + index
//! zero = [top = 0] = relu(1 - top)
//! select: the byte of third if top is not zero, else of second
//! ```

use super::columns::{Class, Columns};
use super::fetch::Fetched;
use super::state::State;
use super::{Machine, PUSH, Parts, Profile};
use crate::form::{Dim, LinearForm};
use crate::graph::{Graph, Key};

pub(crate) struct Operands {
    pub(crate) top: Dim,
    pub(crate) top_at: Dim,
    pub(crate) second: Dim,
    pub(crate) second_at: Dim,
    third_at: Dim,
    zero: Dim,
    /// The bytes of second and top at the current index.
    pub(crate) a: Dim,
    pub(crate) b: Dim,
}

/// The keys of the stack's entries, and the query for the topmost.
pub(super) fn entries(
    graph: &Graph,
    columns: &Columns,
    state: &State,
    profile: &Profile,
) -> (Key, LinearForm) {
    let words = profile.words;
    let key = Key {
        clear: columns.unstored.into(),
        ..words.key(graph, state.depth, state.depth_product, graph.time().into())
    };
    (key, words.centred(graph, state.depth))
}

impl Operands {
    pub(crate) fn new(
        graph: &mut Graph,
        columns: &Columns,
        state: &State,
        fetched: &Fetched,
        profile: &Profile,
    ) -> Self {
        let (one, time) = (graph.one(), graph.time());
        let (key, depth) = entries(graph, columns, state, profile);
        let values = || [LinearForm::from(time), state.word.clone()];
        let [top_at, top] = graph.lookup("stack.top", depth.clone(), &key, values());
        let [second_at, second] = graph.lookup("stack.second", depth.clone() - one, &key, values());
        let [third_at] = graph.lookup("stack.third", depth - one * 2, &key, [time.into()]);
        let top_at = graph.hold("top_at", top_at);
        let top = graph.hold("top", top);
        let second_at = graph.hold("second_at", second_at);
        let second = graph.hold("second", second);
        let third_at = graph.hold("third_at", third_at);

        let zero = graph.relu("zero", one - top);
        let zero = graph.hold("zero", zero);

        let positions = graph.positions();
        let mut byte = |name: &str, at: Dim| {
            let query = at - fetched.width + state.index;
            let [byte] = graph.lookup(name, query, &positions, [columns.byte.into()]);
            graph.hold(name, byte)
        };
        let b = byte("b", top_at);
        let a = byte("a", second_at);
        Self {
            top,
            top_at,
            second,
            second_at,
            third_at,
            zero,
            a,
            b,
        }
    }
}

impl Machine {
    pub(crate) fn stack_bytes(&mut self, parts: &Parts) {
        let Parts {
            state,
            fetched,
            operands,
            ..
        } = parts;
        for name in ["stack.top", "stack.second", "stack.third"] {
            self.bound(name, self.profile.words);
        }

        let one = self.graph.one();
        let positions = self.graph.positions();
        let unless = fetched.class.unless(Class::Select);
        let sources = [
            ("select.second", operands.second_at, one - operands.zero),
            ("select.third", operands.third_at, operands.zero.into()),
        ];
        for (name, at, other) in sources {
            let query = at - fetched.width + state.index - (unless.clone() + other) * PUSH;
            let [byte] = self
                .graph
                .lookup(name, query, &positions, [self.columns.byte.into()]);
            self.add_to_result(1, byte);
        }
    }
}
