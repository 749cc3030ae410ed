//! Additions of planned features to the embeddings of tokens.

use weightware_isa::Token;

use super::super::Machine;
use super::super::columns::{GROWN, op_columns};
use super::{Planned, shifts};
use crate::form::Dim;

impl Machine {
    /// Adds the columns of planned features to the embedding of a token.
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
