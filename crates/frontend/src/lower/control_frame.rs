//! Frames of the control stack: the blocks that are open at an operator.

use crate::code::Label;
use crate::width::Width;

/// An open block.
pub(super) struct ControlFrame {
    /// The target of branches to this block.
    pub(super) label: Label,
    /// For an `if` before its `else`: the label that a false condition jumps to.
    pub(super) otherwise: Option<Label>,
    pub(super) kind: BlockKind,
    /// The height of the operand stack below the block's parameters.
    pub(super) base: usize,
    pub(super) parameters: Vec<Width>,
    pub(super) results: Vec<Width>,
}

/// The kinds of blocks that branches distinguish.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(super) enum BlockKind {
    Function,
    Block,
    Loop,
}

impl ControlFrame {
    pub(super) fn function(end: Label, results: Vec<Width>) -> Self {
        Self {
            label: end,
            otherwise: None,
            kind: BlockKind::Function,
            base: 0,
            parameters: Vec::new(),
            results,
        }
    }

    /// Values that a branch to this block carries.
    pub(super) fn carried(&self) -> &[Width] {
        if self.kind == BlockKind::Loop {
            &self.parameters
        } else {
            &self.results
        }
    }
}
