//! The explanation of a token: what is shown as text or JSON.

use std::ops::Range;

use weightware::{Engine, HeadAttention, HeadName, Names, Token, TokenPass};

use super::layout::Layout;
use crate::function::Function;

/// A token of a trace, and the forward pass that generated it.
pub(super) struct Explanation {
    /// Its index in the trace of all contexts.
    pub(super) index: usize,
    /// The number of its context, from 1.
    pub(super) context: u64,
    pub(super) token: Token,
    pub(super) line: TraceLine,
    pub(super) instruction: Option<ExecutedInstruction>,
    pub(super) engine: Engine,
    /// The pass whose argmax it is: that of the token before it.
    pub(super) pass: TokenPass,
    /// The strings of all tokens so far, the prompt included.
    pub(super) strings: Vec<String>,
    /// The best tokens by logit, the chosen one first.
    pub(super) best: Vec<(String, f64)>,
    pub(super) layout: Layout,
    /// The text of the plan's kernel, if it was asked for.
    pub(super) kernel: Option<String>,
    /// `None` if the model has none: slots and heads have numbers then.
    pub(super) names: Option<Names>,
}

/// The line of the trace that a token belongs to.
pub(super) struct TraceLine {
    /// Counted from 0 in its context.
    pub(super) number: usize,
    pub(super) tokens: Vec<Token>,
    /// The index of the token in the line.
    pub(super) at: usize,
}

/// The instruction of a line, found by the plain interpreter.
pub(super) struct ExecutedInstruction {
    /// Its index in the program: the program counter. In the preamble it is negative.
    pub(super) index: i64,
    pub(super) opcode: String,
    pub(super) immediate: Option<u32>,
    /// For reading, in decimal.
    pub(super) text: String,
    pub(super) function: Option<Function>,
}

/// `embed`, `1.attn`, `1.ffn`, ...
pub(super) fn half_layer_name(half_layers: usize) -> String {
    match half_layers {
        0 => "embed".to_owned(),
        at if at % 2 == 1 => format!("{}.attn", at / 2 + 1),
        at => format!("{}.ffn", at / 2),
    }
}

/// The index that a query looks up; `None` if its divisor is not positive.
pub(super) fn query_index(head: &HeadAttention) -> Option<f64> {
    let [x, y] = head.query;
    (y > 0.0).then(|| x / y)
}

/// The form that a head reads at the token attended to.
pub(super) fn reads(name: Option<&HeadName>, part: usize) -> Option<&str> {
    Some(name?.values.get(part)?.reads.as_str())
}

/// The values of a head that reach the residual stream; both, if it has no name.
pub(super) fn values(name: Option<&HeadName>) -> Range<usize> {
    0..name.map_or(2, |name| name.values.len().min(2))
}

impl Explanation {
    /// How far the best logit is above the second.
    pub(super) fn margin(&self) -> Option<f64> {
        match self.best[..] {
            [(_, best), (_, second), ..] => Some(best - second),
            _ => None,
        }
    }

    pub(super) fn string(&self, position: u64) -> &str {
        let position = usize::try_from(position).ok();
        position
            .and_then(|position| self.strings.get(position))
            .map_or("?", String::as_str)
    }

    /// The named slots that changed in the last of `half_layers` half-layers; of none, those of the
    /// embedding.
    pub(super) fn changes(&self, half_layers: usize) -> Vec<Change> {
        let now = &self.pass.residual[half_layers];
        let before = half_layers.checked_sub(1);
        let slots = now.iter().enumerate();
        let changes = slots.filter_map(|(slot, &value)| {
            let old = before.map_or(0.0, |at| self.pass.residual[at][slot]);
            let (name, is_new, partial) = match &self.names {
                None => (None, false, false),
                Some(names) => {
                    let name = names.slot(half_layers, slot)?;
                    let named_before = before.and_then(|at| names.slot(at, slot));
                    let partial = names.is_partial(half_layers, name);
                    (Some(name.to_owned()), named_before != Some(name), partial)
                }
            };
            (value != old || is_new).then_some(Change {
                slot,
                name,
                value,
                partial,
            })
        });
        changes.collect()
    }
}

/// A slot with a new value or a new dimension.
pub(super) struct Change {
    pub(super) slot: usize,
    /// The dimension; `None` in a model without names.
    pub(super) name: Option<String>,
    pub(super) value: f64,
    /// Whether later half-layers add to the dimension.
    pub(super) partial: bool,
}
