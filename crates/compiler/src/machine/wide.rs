//! 64-bit values: their low words, for comparisons, and two words joined.
//!
//! ```text
//! lower_top, lower_second            low words of the entries at depth, depth - 1, if those have 64 bits
//! difference = 4 (lower_second - lower_top)              0 for operands of 32 bits
//! eqz    result = [top + lower_top = 0] [index = 0]
//! join   result = byte at second_at - 4 + index          within the size, 4
//!               + byte at top_at - width + index         past it
//! ```
//! All other operations use the 32-bit sections with an operand width of 8.

use super::columns::{Class, Columns};
use super::fetch::Fetched;
use super::stack::entries;
use super::state::State;
use super::{Machine, PUSH, Parts, Profile, Size};
use crate::form::{Dim, LinearForm};
use crate::graph::Graph;

pub(crate) struct Lower {
    top: Dim,
    pub(crate) second: Dim,
    pub(crate) difference: Dim,
}

impl Lower {
    pub(crate) fn new(
        graph: &mut Graph,
        columns: &Columns,
        state: &State,
        fetched: &Fetched,
        profile: &Profile,
    ) -> Self {
        let one = graph.one();
        let (key, depth) = entries(graph, columns, state, profile);
        let mut low = |name: &str, query: LinearForm| {
            let lower = state.lower.into();
            let [word] = graph.lookup(&format!("stack.{name}"), query, &key, [lower]);
            graph.hold(name, word)
        };
        let top = low("lower_top", depth.clone());
        let second = low("lower_second", depth - one);
        let wide = fetched.width - one * 4;
        let difference = graph.reglu("lower_difference", second - top, wide);
        let difference = graph.hold("lower_difference", difference);
        graph.exact(difference);
        Self {
            top,
            second,
            difference,
        }
    }
}

impl Machine {
    pub(crate) fn wide(&mut self, parts: &Parts, size: &Size) {
        let Parts {
            state,
            fetched,
            operands,
            lower,
        } = parts;
        let lower = lower
            .as_ref()
            .expect("a machine with the module `Wide` has low words");
        for name in ["stack.lower_top", "stack.lower_second"] {
            self.bound(name, self.profile.words);
        }

        let class = &fetched.class;
        let one = self.graph.one();
        let positions = self.graph.positions();
        let zero = one - operands.top - lower.top - class.unless(Class::Eqz64) - state.index;
        let eqz = self.graph.relu("eqz64", zero);
        self.add_to_result(1, eqz);

        let unless = class.unless(Class::Join);
        let outside = (unless.clone() + size.beyond) * PUSH;
        let query = operands.second_at - one * 4 + state.index - outside;
        let byte = self.columns.byte.into();
        let [low] = self.graph.lookup("join.low", query, &positions, [byte]);
        self.add_to_result(1, low);
        self.add_byte("join.high", 1, operands.b, &(unless + size.within));
    }
}
