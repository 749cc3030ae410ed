//! Lowering of one function: its frame, its locals and globals, and the dispatch of its operators.

use wasmparser::{Operator, OperatorsReader};
use weightware_isa::Op;

use super::control_frame::ControlFrame;
use super::definite_assignment::usage;
use super::key::{Key, Unit};
use super::linker::Linker;
use super::operators::{Lowering, refuse};
use crate::code::{Code, stack_effect};
use crate::error::{Error, Place};
use crate::module::Module;
use crate::module::operator_name;
use crate::width::{Bits, Width};

/// A function that is being lowered.
///
/// The words of its frame are the parameters, the locals, and scratch words. A scratch word is live
/// within one operator only.
pub(crate) struct Function<'l, 'm> {
    pub(crate) linker: &'l mut Linker<'m>,
    pub(crate) module: &'m Module<'m>,
    pub(crate) unit: Unit,
    pub(crate) index: u32,
    /// Values on the operand stack since the function's entry.
    pub(crate) stack: Vec<Width>,
    /// Open blocks, the function itself first.
    pub(super) frames: Vec<ControlFrame>,
    pub(crate) reachable: bool,
    /// Blocks that are open within unreachable code.
    pub(crate) skipped: usize,
    locals: Vec<Width>,
    written: Vec<bool>,
    /// The number of reads of each local.
    reads: Vec<u32>,
    scratch: u32,
}

/// Lowers a function.
pub(crate) fn lower(linker: &mut Linker<'_>, key: Key) -> Result<Code, Error> {
    let module = linker.module(key.unit);
    let Some(body) = module.body(key.index) else {
        return import(linker, key);
    };
    let at_entry = |error: Error| {
        error.at(Place {
            offset: Some(body.range().start),
            function: Some((key.index, module.name_of(key.index))),
            instruction: None,
        })
    };
    let ty = module.type_of(key.index);
    let mut locals = Width::all(ty.params()).map_err(at_entry)?;
    let parameters = locals.len();
    for run in body.get_locals_reader()? {
        let (count, ty) = run?;
        let width = Width::of(ty).map_err(at_entry)?;
        locals.resize(locals.len() + count as usize, width);
    }
    let results = Width::all(ty.results()).map_err(at_entry)?;

    let operators = body.get_operators_reader()?;
    let usage = usage(&operators, parameters as u32, locals.len() as u32)?;
    linker.set_origin(key, body.range().start);
    for parameter in (0..parameters).rev() {
        let set = locals[parameter].local_set();
        linker.code.emit(set, parameter as u32);
    }
    for (local, &width) in (0..).zip(&locals).skip(parameters) {
        if usage.read_first[local as usize] && usage.written[local as usize] {
            linker.code.bits(width.zero());
            linker.code.emit(width.local_set(), local);
        }
    }
    let end = linker.code.label();
    let mut function = Function {
        linker,
        module,
        unit: key.unit,
        index: key.index,
        stack: Vec::new(),
        frames: vec![ControlFrame::function(end, results)],
        reachable: true,
        skipped: 0,
        locals,
        written: usage.written,
        reads: usage.reads,
        scratch: 0,
    };
    function.body(operators)?;
    let words = function.locals.len() as u32 + function.scratch;
    linker.code.check_size().map_err(at_entry)?;
    Ok(linker.code.finish(parameters, words))
}

/// Lowers an imported function as a function of its own, for calls through tables.
fn import(linker: &mut Linker<'_>, key: Key) -> Result<Code, Error> {
    let module = linker.module(key.unit);
    linker.set_origin(key, 0);
    let mut function = Function {
        linker,
        module,
        unit: key.unit,
        index: key.index,
        stack: Vec::new(),
        frames: Vec::new(),
        reachable: true,
        skipped: 0,
        locals: Vec::new(),
        written: Vec::new(),
        reads: Vec::new(),
        scratch: 0,
    };
    let at = |error: Error| {
        error.at(Place {
            offset: None,
            function: Some((key.index, module.name_of(key.index))),
            instruction: None,
        })
    };
    function.import_body().map_err(at)?;
    let words = function.scratch;
    let parameters = module.type_of(key.index).params().len();
    Ok(linker.code.finish(parameters, words))
}

impl Function<'_, '_> {
    fn body(&mut self, mut operators: OperatorsReader<'_>) -> Result<(), Error> {
        let key = Key {
            unit: self.unit,
            index: self.index,
        };
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset()?;
            self.linker.set_origin(key, offset);
            let result = if self.reachable {
                self.operator(&operator)
            } else {
                self.unreachable(&operator);
                Ok(())
            };
            let result = result.and_then(|()| self.linker.code.check_size());
            result.map_err(|error| error.at(self.place(offset, &operator)))?;
        }
        Ok(())
    }

    fn place(&self, offset: u64, operator: &Operator<'_>) -> Place {
        Place {
            offset: Some(offset),
            function: Some((self.index, self.module.name_of(self.index))),
            instruction: Some(operator_name::instruction(operator)),
        }
    }

    /// A scratch word, for use within one operator.
    pub(crate) fn scratch(&mut self, index: usize) -> u32 {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.scratch = self.scratch.max(index.saturating_add(1));
        self.locals.len() as u32 + index
    }

    pub(crate) fn push(&mut self, width: Width) {
        self.stack.push(width);
    }

    /// Pops an operand and returns its width.
    pub(crate) fn pop(&mut self) -> Width {
        self.stack.pop().expect("valid code has its operands")
    }

    pub(crate) fn pop_many(&mut self, count: usize) {
        self.stack.truncate(self.stack.len() - count);
    }

    /// Appends an instruction with its effect on the operands' widths.
    pub(crate) fn instruction(&mut self, op: Op) {
        self.linker.code.op(op);
        let (popped, pushed) = stack_effect(op);
        self.pop_many(popped);
        self.stack.extend(pushed);
    }

    pub(crate) fn constant(&mut self, bits: Bits) {
        self.linker.code.bits(bits);
        self.push(bits.width());
    }

    fn operator(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        match Lowering::of(operator) {
            Lowering::Nothing => Ok(()),
            Lowering::Constant => self.constant_operator(operator),
            Lowering::Variable => self.variable(operator),
            Lowering::Parametric => self.parametric(operator),
            Lowering::Control => self.control(operator),
            Lowering::Memory => self.memory(operator),
            Lowering::Direct(op) => {
                self.instruction(op);
                Ok(())
            }
            Lowering::Sequence => self.sequence(operator),
            Lowering::ReducedRoutine if self.reduce(operator) => Ok(()),
            Lowering::Routine | Lowering::ReducedRoutine => self.routine(operator),
            Lowering::Refused => Err(refuse(operator)),
        }
    }

    fn constant_operator(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        let bits = match operator {
            Operator::I32Const { value } => Bits::Word(value.cast_unsigned()),
            Operator::I64Const { value } => Bits::Double(value.cast_unsigned()),
            Operator::F32Const { value } => Bits::Word(value.bits()),
            Operator::F64Const { value } => Bits::Double(value.bits()),
            _ => return Err(refuse(operator)),
        };
        self.constant(bits);
        Ok(())
    }

    fn variable(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        match *operator {
            Operator::LocalGet { local_index } => self.local_get(local_index),
            Operator::LocalSet { local_index } => {
                let width = self.pop();
                self.linker.code.emit(width.local_set(), local_index);
            }
            Operator::LocalTee { local_index } => {
                let width = self.locals[local_index as usize];
                self.linker.code.emit(width.local_tee(), local_index);
            }
            Operator::GlobalGet { global_index } => {
                let (word, width) = self.global(global_index)?;
                self.linker.code.emit(width.global_get(), word);
                self.push(width);
            }
            Operator::GlobalSet { global_index } => {
                let (word, width) = self.global(global_index)?;
                self.linker.code.emit(width.global_set(), word);
                self.pop();
            }
            _ => return Err(refuse(operator)),
        }
        Ok(())
    }

    fn parametric(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        match operator {
            Operator::Drop => {
                self.pop();
                self.linker.code.op(Op::Drop);
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                self.pop_many(2);
                let width = self.pop();
                self.linker.code.op(width.select());
                self.push(width);
            }
            _ => return Err(refuse(operator)),
        }
        Ok(())
    }

    /// Appends a call of the routine with the operator's name.
    fn routine(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        let name = operator_name::instruction(operator);
        let key = self.linker.find_routine(&name);
        let key = key.ok_or_else(|| refuse(operator))?;
        let callee = self.linker.request(key);
        self.linker.code.call(callee);
        let module = self.linker.module(key.unit);
        self.called(module.type_of(key.index))
    }

    fn local_get(&mut self, local: u32) {
        let width = self.locals[local as usize];
        let code = &mut self.linker.code;
        if !self.written[local as usize] {
            code.bits(width.zero());
        } else if self.reads[local as usize] > 1 || !code.take_set(width.local_set(), local) {
            code.emit(width.local_get(), local);
        }
        self.push(width);
    }

    fn global(&mut self, global: u32) -> Result<(u32, Width), Error> {
        let width = Width::of(self.module.globals[global as usize].ty)?;
        Ok((self.linker.global(self.unit, global), width))
    }
}
