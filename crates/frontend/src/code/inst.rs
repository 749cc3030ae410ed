//! The instructions of the intermediate representation. Labels are instructions too, so that passes
//! can move and remove all of them.

use weightware_isa::{EndToken, Instruction, Op};

use super::label::{Callee, Label, Origin};
use crate::width::Width;

/// The intermediate code of a function. On entry its arguments are on the operand stack, and no
/// word of its frame has been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) insts: Vec<Inst>,
    /// Values on the operand stack at the first instruction.
    pub(crate) arguments: usize,
    /// Words of the frame; the index of every local is less.
    pub(crate) words: u32,
}

/// An instruction and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inst {
    pub(crate) kind: InstKind,
    pub(crate) origin: Origin,
}

/// The kinds of instructions that passes distinguish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InstKind {
    /// A machine instruction that falls through, or ends the function or the run.
    Op(Instruction),
    /// `i64.const`, both halves.
    Wide(u64),
    /// `br`, `br_if` or `br_unless`.
    Jump(Op, Label),
    /// A call.
    Call(Callee),
    /// Pushes the index of the instruction that a label is bound to.
    LabelIndex(Label),
    /// `br_stack` into a row of branches; `row` is bound to the first one.
    Table { row: Label, targets: Vec<Label> },
    /// Binds a label of this function.
    Bind(Label),
}

/// An access of a local.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Get(u32),
    Set(u32),
    Tee(u32),
}

impl Access {
    pub(crate) fn local(self) -> u32 {
        match self {
            Access::Get(local) | Access::Set(local) | Access::Tee(local) => local,
        }
    }

    /// This kind of access to another local.
    pub(crate) fn of(self, local: u32) -> Self {
        match self {
            Access::Get(_) => Access::Get(local),
            Access::Set(_) => Access::Set(local),
            Access::Tee(_) => Access::Tee(local),
        }
    }
}

impl Inst {
    pub(crate) fn op(&self) -> Option<Op> {
        match self.kind {
            InstKind::Op(instruction) => Some(instruction.op),
            _ => None,
        }
    }

    pub(crate) fn is(&self, op: Op) -> bool {
        self.op() == Some(op)
    }

    pub(crate) fn is_bind(&self) -> bool {
        matches!(self.kind, InstKind::Bind(_))
    }

    /// Another instruction of this origin.
    pub(crate) fn with(&self, kind: InstKind) -> Self {
        Self {
            kind,
            origin: self.origin,
        }
    }

    /// Another machine instruction of this origin.
    pub(crate) fn with_op(&self, op: Op, immediate: u32) -> Self {
        self.with(InstKind::Op(Instruction::new(op, immediate)))
    }

    pub(crate) fn access(&self) -> Option<Access> {
        let InstKind::Op(instruction) = self.kind else {
            return None;
        };
        let local = instruction.immediate();
        Some(match instruction.op {
            Op::LocalGet | Op::LocalGet64 => Access::Get(local),
            Op::LocalSet | Op::LocalSet64 => Access::Set(local),
            Op::LocalTee | Op::LocalTee64 => Access::Tee(local),
            _ => return None,
        })
    }

    /// The local that the instruction writes.
    pub(crate) fn writes(&self) -> Option<u32> {
        match self.access()? {
            Access::Set(local) | Access::Tee(local) => Some(local),
            Access::Get(_) => None,
        }
    }

    /// Another access of the same width, for an instruction that accesses a local.
    pub(crate) fn with_access(&self, access: Access) -> Self {
        let wide = matches!(
            self.op(),
            Some(Op::LocalGet64 | Op::LocalSet64 | Op::LocalTee64)
        );
        let op = match (access, wide) {
            (Access::Get(_), false) => Op::LocalGet,
            (Access::Set(_), false) => Op::LocalSet,
            (Access::Tee(_), false) => Op::LocalTee,
            (Access::Get(_), true) => Op::LocalGet64,
            (Access::Set(_), true) => Op::LocalSet64,
            (Access::Tee(_), true) => Op::LocalTee64,
        };
        self.with_op(op, access.local())
    }

    /// Values that the instruction pops from the operand stack and pushes to it.
    pub(crate) fn stack_effect(&self) -> (usize, usize) {
        match self.kind {
            InstKind::Op(instruction) => match instruction.op {
                // These read the stack without popping. The table has only the difference.
                Op::LocalTee | Op::LocalTee64 => (1, 1),
                Op::DivDigits => (2, 3),
                op => {
                    let (pops, pushes) = stack_effect(op);
                    (pops, usize::from(pushes.is_some()))
                }
            },
            InstKind::Wide(_) | InstKind::LabelIndex(_) => (0, 1),
            InstKind::Jump(Op::Br, _) | InstKind::Bind(_) => (0, 0),
            InstKind::Jump(..) | InstKind::Table { .. } => (1, 0),
            InstKind::Call(callee) => (callee.pops, callee.pushes),
        }
    }

    /// Whether the next instruction can be executed after this one.
    pub(crate) fn falls_through(&self) -> bool {
        match self.kind {
            InstKind::Op(instruction) => matches!(
                instruction.op.spec().end,
                EndToken::Commit(_) | EndToken::Out | EndToken::Err
            ),
            InstKind::Jump(op, _) => op != Op::Br,
            InstKind::Table { .. } => false,
            _ => true,
        }
    }

    /// The labels that the instruction may jump to.
    pub(crate) fn targets(&self) -> &[Label] {
        match &self.kind {
            InstKind::Jump(_, label) => std::slice::from_ref(label),
            InstKind::Table { targets, .. } => targets,
            _ => &[],
        }
    }

    pub(crate) fn targets_mut(&mut self) -> &mut [Label] {
        match &mut self.kind {
            InstKind::Jump(_, label) => std::slice::from_mut(label),
            InstKind::Table { targets, .. } => targets,
            _ => &mut [],
        }
    }

    /// Whether pushing a value is the instruction's only effect.
    pub(crate) fn only_pushes(&self) -> bool {
        match self.kind {
            InstKind::Wide(_) => true,
            InstKind::Op(instruction) => matches!(
                instruction.op,
                Op::I32Const | Op::LocalGet | Op::LocalGet64 | Op::GlobalGet | Op::GlobalGet64
            ),
            _ => false,
        }
    }

    /// The number of operands of a pure instruction: its only effect is to replace its operands by
    /// one value that depends on them alone. `None` for other instructions.
    pub(crate) fn pure_operands(&self) -> Option<usize> {
        let op = self.op()?;
        let EndToken::Commit(commit) = op.spec().end else {
            return None;
        };
        let impure = matches!(
            op,
            // These trap.
            Op::I32WithSign
                | Op::I64WithSign
                | Op::I32Load
                | Op::I32Load8S
                | Op::I32Load8U
                | Op::I32Load16S
                | Op::I32Load16U
                | Op::I64Load
                | Op::I64Load8S
                | Op::I64Load8U
                | Op::I64Load16S
                | Op::I64Load16U
                | Op::I64Load32S
                | Op::I64Load32U
                // These continue the instruction before them.
                | Op::I32MulHigh
                | Op::DivDigits
                | Op::DivResult
                // These write locals.
                | Op::LocalTee
                | Op::LocalTee64
        );
        let pops = usize::try_from(1 - i32::from(commit.delta)).ok()?;
        (commit.stored && commit.delta <= 0 && !impure).then_some(pops)
    }

    /// The number of instructions of the program that this one is encoded as.
    pub(super) fn encoded_size(&self) -> usize {
        match &self.kind {
            InstKind::Op(_) | InstKind::Jump(..) | InstKind::LabelIndex(_) => 1,
            InstKind::Wide(_) | InstKind::Call(_) => 2,
            InstKind::Table { targets, .. } => 1 + targets.len(),
            InstKind::Bind(_) => 0,
        }
    }
}

/// The number of operands that a machine instruction pops, and the width of the value that it
/// pushes.
pub(crate) fn stack_effect(op: Op) -> (usize, Option<Width>) {
    let spec = op.spec();
    match spec.end {
        EndToken::Commit(commit) => {
            let pushed = usize::from(commit.stored);
            let popped = i32::try_from(pushed).unwrap_or(0) - i32::from(commit.delta);
            // Counts of 32 bits have seven bytes on the trace.
            let width = if spec.bytes >= 8 {
                Width::Double
            } else {
                Width::Word
            };
            (
                usize::try_from(popped).unwrap_or(0),
                commit.stored.then_some(width),
            )
        }
        EndToken::Out | EndToken::Err | EndToken::Exit => (1, None),
        _ => (0, None),
    }
}
