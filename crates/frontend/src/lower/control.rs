//! Lowering of structured control flow to labels and jumps, and of calls.

use wasmparser::{BlockType, Operator};
use weightware_isa::Op;

use super::control_frame::{BlockKind, ControlFrame};
use super::function::Function;
use super::key::Key;
use super::operators::refuse;
use crate::code::Label;
use crate::error::Error;
use crate::width::Width;

impl Function<'_, '_> {
    /// Lowers an operator of control flow.
    pub(crate) fn control(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        match operator {
            Operator::Block { blockty } => {
                let label = self.linker.code.label();
                self.open(BlockKind::Block, *blockty, label, None)?;
            }
            Operator::Loop { blockty } => {
                let label = self.linker.code.bind_new();
                self.open(BlockKind::Loop, *blockty, label, None)?;
            }
            Operator::If { blockty } => {
                let label = self.linker.code.label();
                let otherwise = self.linker.code.label();
                self.linker.code.branch(Op::BrUnless, otherwise);
                self.pop();
                self.open(BlockKind::Block, *blockty, label, Some(otherwise))?;
            }
            Operator::Else => self.otherwise(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => {
                self.jump(*relative_depth);
                self.stop();
            }
            Operator::BrIf { relative_depth } => {
                self.pop();
                if self.extra(*relative_depth) == 0 {
                    let label = self.target(*relative_depth).label;
                    self.linker.code.branch(Op::BrIf, label);
                } else {
                    let stay = self.linker.code.label();
                    self.linker.code.branch(Op::BrUnless, stay);
                    self.jump(*relative_depth);
                    self.linker.code.bind(stay);
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
                self.linker.code.op(Op::Unreachable);
                self.stop();
            }
            Operator::Call { function_index } => self.call(*function_index)?,
            Operator::CallIndirect {
                type_index,
                table_index,
            } => self.call_indirect(*type_index, *table_index)?,
            _ => return Err(refuse(operator)),
        }
        Ok(())
    }

    /// Tracks the block structure through unreachable code.
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

    /// Marks the code that follows as unreachable.
    pub(crate) fn stop(&mut self) {
        self.reachable = false;
    }

    fn open(
        &mut self,
        kind: BlockKind,
        ty: BlockType,
        label: Label,
        otherwise: Option<Label>,
    ) -> Result<(), Error> {
        let (parameters, results) = match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(ty) => (Vec::new(), vec![Width::of(ty)?]),
            BlockType::FuncType(index) => {
                let ty = &self.module.types[index as usize];
                (Width::all(ty.params())?, Width::all(ty.results())?)
            }
        };
        self.frames.push(ControlFrame {
            label,
            otherwise,
            kind,
            base: self.stack.len() - parameters.len(),
            parameters,
            results,
        });
        Ok(())
    }

    fn otherwise(&mut self) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let code = &mut self.linker.code;
        if self.reachable {
            code.branch(Op::Br, frame.label);
        }
        if let Some(otherwise) = frame.otherwise.take() {
            code.bind(otherwise);
        }
        self.reachable = true;
        self.stack.truncate(frame.base);
        self.stack.extend_from_slice(&frame.parameters);
    }

    fn end(&mut self) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let code = &mut self.linker.code;
        if let Some(otherwise) = frame.otherwise {
            code.bind(otherwise);
            self.reachable = true;
        }
        if frame.kind != BlockKind::Loop {
            code.bind(frame.label);
            self.reachable |= code.is_used(frame.label);
        }
        self.stack.truncate(frame.base);
        self.stack.extend_from_slice(&frame.results);
        if frame.kind == BlockKind::Function && self.reachable {
            code.op(Op::Return);
        }
    }

    fn target(&self, depth: u32) -> &ControlFrame {
        &self.frames[self.frames.len() - 1 - depth as usize]
    }

    /// The target of a branch that need not drop operands first.
    pub(crate) fn plain_target(&self, depth: u32) -> Option<Label> {
        (self.extra(depth) == 0).then(|| self.target(depth).label)
    }

    /// Operands that a branch must drop from below the values that it carries.
    fn extra(&self, depth: u32) -> usize {
        let target = self.target(depth);
        self.stack.len() - target.carried().len() - target.base
    }

    /// Appends a branch, without its effect on the widths of the stack.
    pub(crate) fn jump(&mut self, depth: u32) {
        let extra = self.extra(depth);
        if extra > 0 {
            let carried: Vec<(u32, Width)> = (0..)
                .zip(self.target(depth).carried().to_vec())
                .map(|(value, width)| (self.scratch(value), width))
                .collect();
            let code = &mut self.linker.code;
            for (word, width) in carried.iter().rev() {
                code.emit(width.local_set(), *word);
            }
            for _ in 0..extra {
                code.op(Op::Drop);
            }
            for (word, width) in &carried {
                code.emit(width.local_get(), *word);
            }
        }
        let target = self.target(depth);
        let (kind, label) = (target.kind, target.label);
        match kind {
            BlockKind::Function => self.linker.code.op(Op::Return),
            BlockKind::Block | BlockKind::Loop => self.linker.code.branch(Op::Br, label),
        }
    }

    /// The most values that a branch out of the open blocks carries, and so the number of scratch
    /// words that it uses.
    pub(crate) fn most_carried(&self) -> usize {
        let carried = self.frames.iter().map(|frame| frame.carried().len());
        carried.max().unwrap_or(0)
    }

    /// Calls a function of the same module.
    fn call(&mut self, index: u32) -> Result<(), Error> {
        let module = self.module;
        let ty = module.type_of(index);
        if index < module.imports.len() as u32 {
            self.call_import(index)?;
        } else {
            let entry = self.linker.request(Key {
                unit: self.unit,
                index,
            });
            self.linker.code.call(entry);
        }
        self.called(ty)
    }

    /// Applies the effect of a call of a function of a type to the widths of the stack.
    pub(crate) fn called(&mut self, ty: &wasmparser::FuncType) -> Result<(), Error> {
        if self.reachable {
            self.pop_many(ty.params().len());
            self.stack.extend(Width::all(ty.results())?);
        }
        Ok(())
    }
}
