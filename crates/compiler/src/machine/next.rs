//! The next token: the one whose code and byte are nearest to `(end, result)`.
//!
//! ```text
//! skip  = [br_if and top = 0] - [br_unless and top = 0]
//! left  = bytes - 3 skip - index                      bytes still to come
//! end   = (fetched.end - skip) relu(1 - left)         0 while bytes are to come, else the end token's code
//! logit = 2^30 (2 code end - code^2) + 2 byte result - byte^2
//! ```
//! If `end` is not 0, `result` is what the circuits compute for an index past the last byte. It
//! must not outweigh a code: past the last byte the circuits close, or find nothing, at every
//! position. `weightware certify` proves from the weights how large `result` can be
//! ([docs/proof.md](../../../../docs/proof.md)).

use weightware_isa::Token;

use super::columns::{Class, token_code};
use super::{Machine, Parts};
use crate::form::{Dim, LinearForm};

/// The weight of a code relative to a byte.
const CODE_WEIGHT: i64 = 1 << 30;

/// The logit of tokens that are never generated.
const NEVER: i64 = -(1 << 52);

impl Machine {
    pub(super) fn next_token(&mut self, parts: &Parts) {
        let Parts {
            state,
            fetched,
            operands,
            ..
        } = parts;
        let class = &fetched.class;
        let graph = &mut self.graph;
        let one = graph.one();

        let skip = graph.dim("skip");
        for (name, branch, sign) in [
            ("skip.br_if", Class::BrIf, 1),
            ("skip.br_unless", Class::BrUnless, -1),
        ] {
            let zero = graph.relu(name, one - operands.top - class.unless(branch));
            graph.add(skip, sign, zero);
        }
        let left = fetched.bytes - skip * 3 - state.index;
        let end = graph.reglu("end", fetched.end - skip, one - left);
        graph.add(self.end, 1, end);

        for dim in [self.end, self.columns.result, one] {
            graph.output(dim);
        }
    }

    /// The logit of a token for an end code and a result.
    pub(crate) fn logit_at(&self, token: Token, end: i64, result: i64) -> i64 {
        let value = |dim: Dim| match dim {
            dim if dim == self.end => end,
            dim if dim == self.columns.result => result,
            _ => 1,
        };
        let logit = self.logit(token);
        logit
            .terms()
            .iter()
            .map(|&(dim, weight)| weight * value(dim))
            .sum()
    }

    /// The logit of a token, as a form over the graph's outputs.
    #[must_use]
    pub fn logit(&self, token: Token) -> LinearForm {
        self.score(token_code(token))
    }

    /// The logit of a token with that code and byte.
    pub(crate) fn score(&self, coded: Option<(i64, i64)>) -> LinearForm {
        let (end, result, one): (Dim, Dim, Dim) = (self.end, self.columns.result, self.graph.one());
        match coded {
            None => one * NEVER,
            Some((code, byte)) => {
                end * (2 * CODE_WEIGHT * code) + result * (2 * byte)
                    - one * (CODE_WEIGHT * code * code + byte * byte)
            }
        }
    }
}
