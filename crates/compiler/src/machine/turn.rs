//! Contexts that turn: a jump is interrupted when the context is full, and the handler, a part of
//! the program, writes down the program's state.
//!
//! ```text
//! mark       latest of `ready`, `interrupted`, `stepping`, `continued`, `saving`, `turned`, and its
//!            budget:
//!            end - context at `ready` and `continued`, end at `stepping`, 0 at the others; end is the
//!            profile's last position, plus 1
//! full       = t - end + (budget - t)[mark] - budget            positive if jumps are interrupted; not at the mark itself
//! redirect   = relu(2^25 full - target - 3) - relu(2^25 full)    0, or -target - 3 if full is positive
//! fall      += jump, frame or depth                              for `interrupt`, `frame.get`, `depth.get`
//! product   += fall                                              for these, whose bytes the multiplier then outputs
//!            chosen by bias and width: 0, 4; 1, 4; 0, 8
//! bytes     += 1008 [class = dump]
//! reach      = 1024 (q + 2^18) [class = probe]                   subtracted from both sides of missed: see `memory`
//! result    += [missed = 0]                                      for `probe`
//! ```
//! An interrupted jump leads to instruction -3, in the preamble: `interrupt`, then `br` to the
//! handler. `interrupt` pushes the jump's target, and its end token is a mark, so that the
//! handler's own jumps are not interrupted. Nothing else knows of the interrupt: the bytes and the
//! end token of the jump are as ever.
//!
//! `full` needs no count of stores. A store pops two operands, each pushed by five tokens at least,
//! so it takes 12 tokens, and 349,500 stores take 4.1 million. See [`Profile`](super::Profile).

use weightware_isa::{BLOCK, Program, Token};

use super::columns::{Class, Columns, MOST_BYTES};
use super::{BIG, BYTE_PUSH, Machine, Parts, Profile, SHIFT};
use crate::form::{Dim, LinearForm};
use crate::graph::Graph;

/// The budget of a mark that interrupts the next jump. Greater than any position.
fn end(profile: &Profile) -> i64 {
    profile.last_position.cast_signed() + 1
}

/// Greater than any target of a jump and the distance to the preamble.
const BEYOND_TARGETS: i64 = 1 << 25;

/// The term that leads a jump to the preamble.
pub(super) fn redirect(
    graph: &mut Graph,
    columns: &Columns,
    profile: &Profile,
    target: Dim,
) -> LinearForm {
    let (one, time) = (graph.one(), graph.time());
    let marks = graph.latest(one - columns.marks);
    let [mark] = graph.lookup("mark", LinearForm::zero(), &marks, [columns.budget - time]);
    let mark = graph.hold("mark", mark);
    let full = (time + mark - columns.budget - one * end(profile)) * BEYOND_TARGETS;
    let beyond = one * -Program::INTERRUPT;
    let redirect = graph.dim("redirect");
    let over = graph.relu("redirect.over", full.clone() - target - beyond);
    graph.add(redirect, 1, over);
    let full = graph.relu("redirect.full", full);
    graph.add(redirect, -1, full);
    redirect.into()
}

impl Machine {
    /// The budget of a token that is a mark.
    pub(super) fn budget(&self, token: Token) -> Option<i64> {
        let end = end(&self.profile);
        let context = self.profile.context.min(end.cast_unsigned()).cast_signed();
        match token {
            Token::Ready | Token::Continued => Some(end - context),
            Token::Stepping => Some(end),
            _ => None,
        }
    }

    /// The instructions that output numbers of the state. Gated terms go into a column of
    /// comparisons while the numbers are still there, and from there to the multiplier.
    pub(super) fn number(&mut self, parts: &Parts, product: Dim) {
        let Parts { state, fetched, .. } = parts;
        let Some(jump) = state.jump else {
            return;
        };
        let unless = fetched.class.unless(Class::Number);
        let graph = &mut self.graph;
        let one = graph.one();
        for (name, number, other) in [
            ("number.jump", jump, fetched.bias + fetched.width - one * 4),
            ("number.frame", state.frame, one - fetched.bias),
            (
                "number.depth",
                state.depth,
                fetched.bias - fetched.width + one * 8,
            ),
        ] {
            let number = graph.relu(name, number - (unless.clone() + other) * BIG);
            graph.add(fetched.fall, 1, number);
        }
        let number = graph.relu("number", fetched.fall - unless * BIG);
        graph.add(product, 1, number);
    }

    /// The bytes of `dump`, which its column does not hold: the certificate bounds what other
    /// tokens may hold in that column.
    pub(super) fn dump(&mut self, parts: &Parts) {
        let Parts { fetched, .. } = parts;
        let graph = &mut self.graph;
        let dump = graph.relu(
            "dump.bytes",
            fetched.class.one - fetched.class.unless(Class::Dump),
        );
        graph.add(fetched.bytes, i64::from(BLOCK) - MOST_BYTES, dump);
    }

    /// How far the address found may be from the one that is queried, as a difference of squares:
    /// at `probe` the block around the address q that is queried, from q - 512 to q + 511, else 0.
    ///
    /// Let d be the distance, and c = q + 2^18. The squares of found and queried address differ by
    /// 2 c d + d^2 if the one found is greater, else by 2 c d - d^2. Because c is greater than 2^17
    /// + 2^9, and d at most c, the difference is at most 1024 c for the block alone.
    pub(super) fn reach(&mut self, parts: &Parts, asked: &LinearForm) -> Dim {
        let class = &parts.fetched.class;
        let graph = &mut self.graph;
        let reach = (asked.clone() + class.one * SHIFT) * i64::from(BLOCK);
        let reach = graph.reglu("reach", reach, class.one - class.unless(Class::Probe));
        graph.hold("reach", reach)
    }

    /// Outputs 1 if the address found is within reach.
    pub(super) fn probe(&mut self, parts: &Parts, missed: Dim) {
        let class = &parts.fetched.class;
        let near = class.one - missed - class.unless(Class::Probe) * BYTE_PUSH;
        let near = self.graph.relu("probe", near);
        self.add_to_result(1, near);
    }
}
