//! The machine's state, as sums over the end tokens so far.
//!
//! ```text
//! index    = t - (position of the latest end token)          bytes on the trace since then
//! target   = b[t-3] + 256 b[t-2] + 65536 b[t-1]
//! word     = 256 target + b[t-4]                             the four bytes before, as a number
//! lower    = b[t-8] + 256 b[t-7] + ... + 2^24 b[t-5]         the four before those
//! count    = sum of ends and skips                           instructions closed so far, `}` included
//! base     = (target + turn.redirect - count + 1) at the latest jump, else 0
//! jump     = target at the latest jump, else 0
//! origin   = 319, with code in the weights 1024             position of `{`
//! opcode   = origin + 5 (base + count) - 4                   position of the current instruction's opcode
//! depth    = sum of delta                                    operands on the stack
//! frame    = sum of frame_delta                              first word of the current frame
//! stores   = sum of stores                                   orders writes to memory
//! ```

use weightware_isa::Program;

use super::Profile;
use super::columns::Columns;
use super::planned::{self, Planned, anywhere};
use super::rom::{self, InWeights, Rom};
use super::turn;
use crate::form::{Dim, LinearForm};
use crate::graph::{Graph, Output};

pub(crate) struct State {
    /// The number of bytes on the trace since the latest end token. In the program's text it only
    /// grows and has no meaning.
    pub(crate) index: Dim,
    /// The four bytes before the token as a number, and the four before those.
    pub(crate) word: LinearForm,
    pub(crate) lower: Dim,
    /// The position of the current instruction's opcode.
    pub(crate) opcode: Dim,
    pub(crate) depth: Dim,
    /// `depth (depth - 2 centre)`.
    pub(crate) depth_product: Dim,
    pub(crate) frame: Dim,
    pub(crate) stores: Dim,
    /// The instruction to which the latest jump led, or would have led if it had not been
    /// interrupted.
    pub(crate) jump: Option<Dim>,
    /// The pages by which the memory has grown, at a token that grows it.
    pub(crate) growth: LinearForm,
    /// The number of the next instruction, plus 1, if instructions may be in the weights.
    pub(crate) closed: Option<Dim>,
}

/// The running sums in the form in which sections read them.
pub(super) struct Sums {
    /// The position of `{`.
    pub(super) origin: LinearForm,
    pub(super) frame: Dim,
    pub(super) depth: Dim,
    pub(super) depth_product: Dim,
}

impl State {
    pub(crate) fn new(
        graph: &mut Graph,
        columns: &Columns,
        profile: &Profile,
        planned: &[Planned],
        turns: bool,
        rom: Option<&Rom>,
    ) -> (Self, Option<InWeights>) {
        let (one, time) = (graph.one(), graph.time());
        let positions = graph.positions();

        let latest_end = graph.latest(one - columns.ends);
        let [at] = graph.lookup("latest_end", LinearForm::zero(), &latest_end, [time.into()]);
        let latest_end = graph.hold("latest_end", at);
        // The index needs a slot of its own: t - latest_end times a large weight would exceed 2^53
        // in an intermediate sum.
        let index = graph.persist("index", time - latest_end);

        let target = graph.dim("target");
        for (back, weight) in [(1, 65536), (2, 256), (3, 1)] {
            let query = time - one * back;
            let [byte] = graph.lookup(
                &format!("target.{back}"),
                query,
                &positions,
                [columns.byte.into()],
            );
            graph.add(target, weight, byte);
        }
        let [byte] = graph.lookup("low", time - one * 4, &positions, [columns.byte.into()]);
        let low = graph.hold("low", byte);
        let word = target * 256 + low;
        let lower = graph.dim("lower");
        for (back, weight) in [(5, 1 << 24), (6, 1 << 16), (7, 1 << 8), (8, 1)] {
            let query = time - one * back;
            let [byte] = graph.lookup(
                &format!("lower.{back}"),
                query,
                &positions,
                [columns.byte.into()],
            );
            graph.add(lower, weight, byte);
        }

        let [count, depth] = graph.running_sums(
            ["count", "depth"],
            [columns.ends + columns.skips, columns.delta.into()],
        );
        let [frame, stores] = graph.running_sums(
            ["frame", "stores"],
            [columns.frame_delta.into(), columns.stores.into()],
        );
        let count = match rom {
            Some(_) => graph.hold_lifted("count", count),
            None => graph.hold("count", count).into(),
        };
        let stores = graph.hold("stores", stores);
        let sums = match planned.contains(&Planned::Anywhere) {
            true => anywhere::relative(graph, columns, profile, frame, depth),
            false => Sums::absolute(graph, profile, rom, frame, depth),
        };

        let latest_jump = graph.latest(one - columns.jumped);
        let lead = planned::lead(graph, columns, target, &word, planned);
        let redirect = match turns {
            true => turn::redirect(graph, columns, profile, target),
            false => LinearForm::zero(),
        };
        let goes_on = target - count.clone() + one + lead.target + redirect;
        let base_query = LinearForm::zero();
        let (base, jump) = match turns {
            true => {
                let values = [goes_on, target.into()];
                let [base, jump] = graph.lookup("base", base_query, &latest_jump, values);
                (base, Some(graph.hold("jump", jump)))
            }
            false => {
                let [base] = graph.lookup("base", base_query, &latest_jump, [goes_on]);
                (base, None)
            }
        };
        let exact = rom.map(|_| rom::closed(graph, base, count.clone()));
        let closed = match exact {
            Some(closed) => closed.into(),
            None => graph.hold("base", base) + count,
        };

        // `}` counts as one end token, so before any jump instruction 0 has count 1. In the
        // program's text the count is 0, and the fetched token is a byte of the preamble, whose
        // class is none.
        let place = closed.clone() * 5 + sums.origin.clone() - one * 4;
        let opcode = graph.persist("opcode", place);
        let in_weights = rom
            .zip(exact)
            .map(|(rom, closed)| InWeights::new(graph, rom, opcode, closed));

        let state = Self {
            index,
            growth: word.clone() - lead.word,
            word,
            lower,
            opcode,
            depth: sums.depth,
            depth_product: sums.depth_product,
            frame: sums.frame,
            stores,
            jump,
            closed: exact,
        };
        (state, in_weights)
    }
}

impl Sums {
    fn absolute(
        graph: &mut Graph,
        profile: &Profile,
        rom: Option<&Rom>,
        frame: Output,
        depth: Output,
    ) -> Self {
        let (time, positions) = (graph.time(), graph.positions());
        let frame = graph.hold_rounded("frame", frame, 0);

        // A push takes at least one token, so the depth is at most a position: a lookup rounds it
        // and multiplies it.
        let depth_sum = graph.hold("depth_sum", depth);
        let values = [
            time.into(),
            positions.square.clone() - time * (2 * profile.words.centre),
        ];
        let [depth, depth_product] = graph.lookup("depth", depth_sum, &positions, values);
        Self {
            origin: graph.constant(match rom {
                Some(_) => Program::LONG_PREAMBLE_LEN as i64,
                None => Program::PREAMBLE_LEN as i64,
            }),
            frame,
            depth: graph.hold("depth", depth),
            depth_product: graph.hold("depth^2", depth_product),
        }
    }
}
