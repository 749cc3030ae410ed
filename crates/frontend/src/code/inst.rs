//! The code of one function in the form that passes rewrite: insts that can be moved and removed, since labels are
//! insts of their own.

use weightware_isa::{End, Instruction, Op};

use super::label::{Label, Origin};
use crate::width::Width;

/// A function. On entry its arguments are on the operand stack; no word of its frame has been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) insts: Vec<Inst>,
    /// Values on the operand stack at the first inst.
    pub(crate) arguments: usize,
    /// Words of the frame. Locals are below.
    pub(crate) words: u32,
}

/// A inst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inst {
    pub(crate) kind: InstKind,
    pub(crate) origin: Origin,
}

/// What a inst is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InstKind {
    /// An instruction that goes to the next inst, or ends the function or the run.
    Op(Instruction),
    /// `i64.const`, both halves.
    Wide(u64),
    /// `br`, `br_if` or `br_unless`.
    Jump(Op, Label),
    /// A call, and the values that it pops from the stack and pushes there.
    Call {
        callee: Label,
        pops: usize,
        pushes: usize,
    },
    /// Pushes the index of the first branch of a [`InstKind::Table`].
    Row(Label),
    /// `br_stack` into a row of branches.
    Table { row: Label, targets: Vec<Label> },
    /// Where jumps to a label of this function go.
    Bind(Label),
}

/// What a inst does to a local.
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

    /// The same of another local.
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

    pub(crate) fn with(&self, kind: InstKind) -> Self {
        Self {
            kind,
            origin: self.origin,
        }
    }

    /// The same inst as another instruction.
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

    /// The local that the inst writes.
    pub(crate) fn writes(&self) -> Option<u32> {
        match self.access()? {
            Access::Set(local) | Access::Tee(local) => Some(local),
            Access::Get(_) => None,
        }
    }

    /// An access of a local, as one of another kind or another local; the width remains.
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

    /// Values that the inst pops from the stack and pushes there.
    pub(crate) fn effect(&self) -> (usize, usize) {
        match self.kind {
            InstKind::Op(instruction) => match instruction.op {
                // Some address the stack without taking what they read, so that only the sum is the table's.
                Op::LocalTee | Op::LocalTee64 => (1, 1),
                Op::DivDigits => (2, 3),
                op => {
                    let (pops, pushes) = effect(op);
                    (pops, usize::from(pushes.is_some()))
                }
            },
            InstKind::Wide(_) | InstKind::Row(_) => (0, 1),
            InstKind::Jump(Op::Br, _) | InstKind::Bind(_) => (0, 0),
            InstKind::Jump(..) | InstKind::Table { .. } => (1, 0),
            InstKind::Call { pops, pushes, .. } => (pops, pushes),
        }
    }

    /// Whether the next inst can be executed behind this one.
    pub(crate) fn falls_through(&self) -> bool {
        match self.kind {
            InstKind::Op(instruction) => matches!(
                instruction.op.spec().end,
                End::Commit(_) | End::Out | End::Err
            ),
            InstKind::Jump(op, _) => op != Op::Br,
            InstKind::Table { .. } => false,
            _ => true,
        }
    }

    /// The labels that the inst jumps to.
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

    /// Whether the inst does nothing but push a value.
    pub(crate) fn pushes(&self) -> bool {
        match self.kind {
            InstKind::Wide(_) => true,
            InstKind::Op(instruction) => matches!(
                instruction.op,
                Op::I32Const | Op::LocalGet | Op::LocalGet64 | Op::GlobalGet | Op::GlobalGet64
            ),
            _ => false,
        }
    }

    /// Whether the inst does nothing but replace so many values by one that depends on nothing else.
    pub(crate) fn computes(&self) -> Option<usize> {
        let op = self.op()?;
        let End::Commit(commit) = op.spec().end else {
            return None;
        };
        let impure = matches!(
            op,
            // They trap.
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
                // They belong to what stands before them.
                | Op::I32MulHigh
                | Op::DivDigits
                | Op::DivResult
                // They are not about values alone.
                | Op::LocalTee
                | Op::LocalTee64
        );
        let pops = usize::try_from(1 - i32::from(commit.delta)).ok()?;
        (commit.stored && commit.delta <= 0 && !impure).then_some(pops)
    }
}

/// How many operands an instruction pops, and what it pushes.
pub(crate) fn effect(op: Op) -> (usize, Option<Width>) {
    let spec = op.spec();
    match spec.end {
        End::Commit(commit) => {
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
        End::Out | End::Err | End::Exit => (1, None),
        _ => (0, None),
    }
}
