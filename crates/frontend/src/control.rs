//! Blocks, branches and calls.

use wasmparser::{BlockType, BrTable, Operator};
use weightware_isa::Op;

use crate::assembler::Label;
use crate::error::Error;
use crate::function::Function;
use crate::linker::Key;

/// An open block.
pub(crate) struct Frame {
    /// Where branches to this block go.
    label: Label,
    /// Of an `if` whose `else` has not come: where its condition jumps to when it is zero.
    otherwise: Option<Label>,
    kind: Kind,
    /// Height of the operand stack below the block's parameters.
    base: usize,
    parameters: usize,
    results: usize,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Function,
    Block,
    Loop,
}

impl Frame {
    pub(crate) fn function(end: Label, results: usize) -> Self {
        Self {
            label: end,
            otherwise: None,
            kind: Kind::Function,
            base: 0,
            parameters: 0,
            results,
        }
    }

    /// Values that a branch to this block carries.
    fn arity(&self) -> usize {
        if self.kind == Kind::Loop {
            self.parameters
        } else {
            self.results
        }
    }
}

impl Function<'_, '_> {
    /// Lowers an operator of control flow and returns whether it was one.
    pub(crate) fn control(&mut self, operator: &Operator<'_>) -> Result<bool, Error> {
        match operator {
            Operator::Block { blockty } => {
                let label = self.linker.asm.label();
                self.open(Kind::Block, *blockty, label, None);
            }
            Operator::Loop { blockty } => {
                let label = self.linker.asm.bind_new();
                self.open(Kind::Loop, *blockty, label, None);
            }
            Operator::If { blockty } => {
                let label = self.linker.asm.label();
                let otherwise = self.linker.asm.label();
                self.linker.asm.branch(Op::BrUnless, otherwise);
                self.height -= 1;
                self.open(Kind::Block, *blockty, label, Some(otherwise));
            }
            Operator::Else => self.otherwise(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => {
                self.jump(*relative_depth);
                self.stop();
            }
            Operator::BrIf { relative_depth } => {
                self.height -= 1;
                if self.extra(*relative_depth) == 0 {
                    let label = self.target(*relative_depth).label;
                    self.linker.asm.branch(Op::BrIf, label);
                } else {
                    let stay = self.linker.asm.label();
                    self.linker.asm.branch(Op::BrUnless, stay);
                    self.jump(*relative_depth);
                    self.linker.asm.bind(stay);
                }
            }
            Operator::BrTable { targets } => {
                self.br_table(targets)?;
                self.stop();
            }
            Operator::Return => {
                let outermost = u32::try_from(self.frames.len() - 1).unwrap_or(u32::MAX);
                self.jump(outermost);
                self.stop();
            }
            Operator::Unreachable => {
                self.linker.asm.op(Op::Unreachable);
                self.stop();
            }
            Operator::Call { function_index } => self.call(*function_index)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// An operator that no way leads to.
    pub(crate) fn unreachable(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                self.skipped += 1;
            }
            Operator::End if self.skipped > 0 => self.skipped -= 1,
            Operator::Else if self.skipped == 0 => self.otherwise(),
            Operator::End => self.end(),
            _ => {}
        }
    }

    /// Nothing goes on behind this instruction.
    pub(crate) fn stop(&mut self) {
        self.reachable = false;
    }

    fn open(&mut self, kind: Kind, ty: BlockType, label: Label, otherwise: Option<Label>) {
        let (parameters, results) = match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(index) => {
                let ty = &self.module.types[index as usize];
                (ty.params().len(), ty.results().len())
            }
        };
        let base = self.height - parameters;
        self.frames.push(Frame {
            label,
            otherwise,
            kind,
            base,
            parameters,
            results,
        });
    }

    fn otherwise(&mut self) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let asm = &mut self.linker.asm;
        if self.reachable {
            asm.branch(Op::Br, frame.label);
        }
        if let Some(otherwise) = frame.otherwise.take() {
            asm.bind(otherwise);
        }
        self.reachable = true;
        self.height = frame.base + frame.parameters;
    }

    fn end(&mut self) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let asm = &mut self.linker.asm;
        if let Some(otherwise) = frame.otherwise {
            asm.bind(otherwise);
            self.reachable = true;
        }
        if frame.kind != Kind::Loop {
            asm.bind(frame.label);
            self.reachable |= asm.is_used(frame.label);
        }
        self.height = frame.base + frame.results;
        if frame.kind == Kind::Function && self.reachable {
            asm.op(Op::Return);
        }
    }

    fn target(&self, depth: u32) -> &Frame {
        &self.frames[self.frames.len() - 1 - depth as usize]
    }

    /// Values on the stack that a branch must take away from below those it carries.
    fn extra(&self, depth: u32) -> usize {
        let target = self.target(depth);
        self.height - target.arity() - target.base
    }

    /// Jumps, without a change of `height`.
    fn jump(&mut self, depth: u32) {
        let (extra, arity) = (self.extra(depth), self.target(depth).arity());
        if extra > 0 {
            for value in 0..arity {
                let word = self.scratch(value);
                self.linker.asm.emit(Op::LocalSet, word);
            }
            for _ in 0..extra {
                self.linker.asm.op(Op::Drop);
            }
            for value in (0..arity).rev() {
                let word = self.scratch(value);
                self.linker.asm.emit(Op::LocalGet, word);
            }
        }
        let target = self.target(depth);
        let (kind, label) = (target.kind, target.label);
        match kind {
            Kind::Function => self.linker.asm.op(Op::Return),
            Kind::Block | Kind::Loop => self.linker.asm.branch(Op::Br, label),
        }
    }

    /// A binary search over the ranges of indices that go to the same place.
    fn br_table(&mut self, table: &BrTable<'_>) -> Result<(), Error> {
        self.height -= 1;
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let depths = table.targets().chain(std::iter::once(Ok(table.default())));
        for (index, depth) in (0..).zip(depths) {
            let depth = depth?;
            if ranges.last().is_none_or(|&(_, last)| last != depth) {
                ranges.push((index, depth));
            }
        }
        let [_, _, ..] = ranges[..] else {
            self.linker.asm.op(Op::Drop);
            self.jump(table.default());
            return Ok(());
        };
        let index = self.scratch(self.most_arity());
        self.linker.asm.emit(Op::LocalSet, index);
        let mut stubs: Vec<(u32, Label)> = Vec::new();
        let mut depths: Vec<u32> = ranges.iter().map(|&(_, depth)| depth).collect();
        depths.sort_unstable();
        depths.dedup();
        for depth in depths {
            let simple = self.extra(depth) == 0;
            let label = if simple {
                self.target(depth).label
            } else {
                self.linker.asm.label()
            };
            stubs.push((depth, label));
        }
        self.search(index, &ranges, &stubs);
        for (depth, label) in stubs {
            if self.extra(depth) > 0 {
                self.linker.asm.bind(label);
                self.jump(depth);
                self.linker.asm.check_size()?;
            }
        }
        Ok(())
    }

    /// The most values that a branch in this function carries, beyond which a scratch word is safe from it.
    fn most_arity(&self) -> usize {
        self.frames.iter().map(Frame::arity).max().unwrap_or(0)
    }

    fn search(&mut self, index: u32, ranges: &[(u32, u32)], stubs: &[(u32, Label)]) {
        let label_of = |depth: u32| {
            let found = stubs.binary_search_by_key(&depth, |&(depth, _)| depth);
            stubs[found.expect("every depth has a label")].1
        };
        match ranges {
            [] => {}
            [(_, depth)] => self.linker.asm.branch(Op::Br, label_of(*depth)),
            _ => {
                let (low, high) = ranges.split_at(ranges.len() / 2);
                let below = match low {
                    [(_, depth)] => label_of(*depth),
                    _ => self.linker.asm.label(),
                };
                let asm = &mut self.linker.asm;
                asm.emit(Op::LocalGet, index);
                if high[0].0 == 1 {
                    asm.branch(Op::BrUnless, below);
                } else {
                    asm.constant(high[0].0);
                    asm.op(Op::I32LtU);
                    asm.branch(Op::BrIf, below);
                }
                self.search(index, high, stubs);
                if low.len() > 1 {
                    self.linker.asm.bind(below);
                    self.search(index, low, stubs);
                }
            }
        }
    }

    /// Calls a function of the same module.
    pub(crate) fn call(&mut self, index: u32) -> Result<(), Error> {
        let ty = self.module.type_of(index);
        let (parameters, results) = (ty.params().len(), ty.results().len());
        if index < self.module.imports.len() as u32 {
            self.call_import(index)?;
        } else {
            let caller = Key {
                unit: self.unit,
                index: self.index,
            };
            let budget = self.budget.map(|local| (caller, local));
            self.linker.call(
                Key {
                    unit: self.unit,
                    index,
                },
                budget,
            );
        }
        if self.reachable {
            self.height = self.height + results - parameters;
        }
        Ok(())
    }
}
