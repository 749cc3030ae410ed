//! Instruction fetch from the prompt.
//!
//! ```text
//! class, class^2, bytes, end, width, rise, fall, bias   at position opcode
//! immediate = b[1] + 256 b[2] + 65536 b[3]       at opcode + 1, + 2, + 3
//! fourth    = b[4]
//! here      = b[1 + index + [index > 3]]         the immediate's byte at the current index: bytes from 4 on
//!                                                follow the next opcode
//! ```

use super::columns::{Columns, FetchedClass};
use super::rom::InWeights;
use super::state::State;
use crate::form::{Dim, LinearForm};
use crate::graph::Graph;

pub(crate) struct Fetched {
    pub(crate) class: FetchedClass,
    pub(crate) bytes: Dim,
    /// The code of the end token; calls and returns add their frame size.
    pub(crate) end: Dim,
    pub(crate) rise: Dim,
    pub(crate) fall: Dim,
    pub(crate) bias: Dim,
    /// The width of the operands in bytes.
    pub(crate) width: Dim,
    pub(crate) immediate: LinearForm,
    pub(crate) fourth: Dim,
    pub(crate) here: Dim,
}

impl Fetched {
    pub(crate) fn new(
        graph: &mut Graph,
        columns: &Columns,
        state: &State,
        in_weights: Option<InWeights>,
    ) -> Self {
        let one = graph.one();
        let positions = graph.positions();
        let mut pair = |names: [&str; 2], columns: [Dim; 2]| {
            let name = format!("fetch.{}", names[0]);
            let outputs = graph.lookup(
                &name,
                state.opcode,
                &positions,
                columns.map(LinearForm::from),
            );
            outputs.map(|output| graph.hold(&format!("fetched.{}", names[output.part]), output))
        };
        let [class, class_squared] =
            pair(["class", "class^2"], [columns.class, columns.class_squared]);
        let [bytes, end] = pair(["bytes", "end"], [columns.bytes, columns.end]);
        let [rise, fall] = pair(["rise", "fall"], [columns.rise, columns.fall]);
        let [bias, width] = pair(["bias", "width"], [columns.bias, columns.width]);

        let is_all = in_weights.as_ref().is_some_and(InWeights::is_all);
        let [immediate, fourth, here] = match is_all {
            true => ["immediate", "fourth", "here"].map(|name| graph.dim(name)),
            false => immediate_in_prompt(graph, columns, state),
        };
        let immediate = match in_weights {
            Some(part) => part.immediate(graph, state.index, [immediate, fourth, here]),
            None => immediate.into(),
        };

        let class = FetchedClass {
            one,
            class,
            class_squared,
        };
        Self {
            class,
            bytes,
            end,
            rise,
            fall,
            bias,
            width,
            immediate,
            fourth,
            here,
        }
    }
}

/// Looks up the bytes of the immediate in the prompt: three as a number, the fourth, and the one
/// at the current index.
fn immediate_in_prompt(graph: &mut Graph, columns: &Columns, state: &State) -> [Dim; 3] {
    let one = graph.one();
    let positions = graph.positions();
    let at = |offset: i64| state.opcode + one * offset;
    let immediate = graph.dim("immediate");
    for (offset, weight) in [(1, 1), (2, 256), (3, 65536)] {
        let name = format!("immediate.{offset}");
        let [byte] = graph.lookup(&name, at(offset), &positions, [columns.byte.into()]);
        graph.add(immediate, weight, byte);
    }
    let [fourth] = graph.lookup("immediate.4", at(4), &positions, [columns.byte.into()]);
    let fourth = graph.hold("fourth", fourth);
    let gap = graph.dim("gap");
    for (least, sign) in [(4, 1), (5, -1)] {
        let step = graph.relu("gap", state.index - one * (least - 1));
        graph.add(gap, sign, step);
    }
    let query = at(1) + state.index + gap;
    let [here] = graph.lookup("immediate.here", query, &positions, [columns.byte.into()]);
    [immediate, fourth, graph.hold("here", here)]
}
