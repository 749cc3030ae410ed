//! Planned tokens: their embeddings and logits, and additions to the embeddings of today's tokens.

use weightware_isa::{Commit, Effect, Op, Token};

use super::super::Machine;
use super::super::columns::{Class, GROWN, OpColumns, code, op_columns};
use super::turn::{HANDLER, INTERRUPTED};
use super::{Planned, shifts};
use crate::form::{Dim, LinearForm};

/// A token of a planned feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlannedToken {
    /// `i -- word[i + imm]`
    WordGet,
    /// `i -- word[i + imm]`, 64 bits
    WordGet64,
    /// `n p -- `, copies the n bytes of the memory from p + offset on to the trace
    Dump,
    /// ` -- `the frame base
    FrameGet,
    /// ` -- `the instruction that `return` would jump to, and in the fourth byte the caller's frame
    /// size
    Record,
    /// Jumps to instruction imm in the caller's frame.
    Leave,
    /// The end of a conditional branch that is taken after the position from which contexts turn.
    Interrupted,
}

const fn commit(delta: i8, stored: bool) -> Commit {
    Commit {
        delta,
        stored,
        effect: Effect::None,
    }
}

impl PlannedToken {
    /// The columns of an opcode.
    fn op_columns(self) -> Option<OpColumns> {
        let (push, replace, drop_two) = (commit(1, true), commit(0, true), commit(-2, false));
        let (class, bytes, end, bias) = match self {
            PlannedToken::WordGet => (Class::GlobalGet, 4, code::commit(replace), 1),
            PlannedToken::WordGet64 => (Class::GlobalGet, 8, code::commit(replace), 1),
            PlannedToken::Dump => (Class::Load, 0, code::commit(drop_two), 1),
            PlannedToken::FrameGet => (Class::FrameGet, 4, code::commit(push), 0),
            PlannedToken::Record => (Class::Record, 4, code::commit(push), 0),
            PlannedToken::Leave => (Class::Leave, 3, code::RETURN, 0),
            PlannedToken::Interrupted => return None,
        };
        Some(OpColumns {
            class,
            bytes,
            end,
            width: if bytes == 8 { 8 } else { 4 },
            rise: 0,
            fall: 0,
            bias,
        })
    }

    /// The token's code, if the network generates the token.
    fn code(self) -> Option<i64> {
        (self == PlannedToken::Interrupted).then_some(INTERRUPTED)
    }
}

impl Machine {
    /// The embedding of a token of a planned feature.
    #[must_use]
    #[doc(hidden)]
    pub fn embed_planned(&self, token: PlannedToken) -> Vec<(Dim, i64)> {
        let columns = &self.columns;
        match token.op_columns() {
            Some(of_op) => {
                let mut row = vec![(columns.one, 1), (columns.unstored, 1)];
                columns.embed_op(&of_op, &mut row);
                row
            }
            // The depth changes by that of the branch, which pops one, and by one more.
            None => vec![
                (columns.one, 1),
                (columns.ends, 1),
                (columns.jumped, 1),
                (columns.class, HANDLER),
                (columns.class_squared, -1),
            ],
        }
    }

    /// The logit of a token of a planned feature.
    #[must_use]
    #[doc(hidden)]
    pub fn logit_planned(&self, token: PlannedToken) -> LinearForm {
        self.score(token.code().map(|code| (code, 0)))
    }

    /// Adds the columns of planned features to the embedding of a token of today's vocabulary.
    pub(in super::super) fn embed_plans(&self, token: Token, row: &mut Vec<(Dim, i64)>) {
        let columns = &self.columns;
        let has = |planned| self.planned.contains(&planned);
        let mut set = |dim: Dim, value: i64| {
            row.retain(|&(other, _)| other != dim);
            row.push((dim, value));
        };
        match token {
            Token::Open if has(Planned::Anywhere) => {
                set(columns.byte, -1);
                set(columns.class_squared, -1);
                set(columns.jumped, 1);
                set(columns.grown, GROWN);
            }
            Token::Close if has(Planned::Anywhere) => set(columns.unstored, 0),
            Token::Op(Op::Return) if has(Planned::Frames) => {
                let class = Class::ReturnBetween as i64;
                set(columns.class, class);
                set(columns.class_squared, class * class);
            }
            Token::Op(op) if has(Planned::MergedShifts) => {
                let of_op = op_columns(op);
                let (fall, bias) = shifts::columns(of_op.class);
                set(columns.fall, of_op.fall + fall);
                set(columns.bias, of_op.bias + bias);
            }
            _ => {}
        }
    }
}
