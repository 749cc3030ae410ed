//! One function: its frame, its operators that are one instruction, its memory accesses.

use wasmparser::{MemArg, Operator, OperatorsReader, ValType};
use weightware_isa::Op;

use crate::assembler::Label;
use crate::assigned::usage;
use crate::control::Frame;
use crate::error::{Error, Place};
use crate::linker::{Key, Linker, Unit};
use crate::module::{Module, PAGE};

/// A function that is being lowered.
///
/// The words of its frame are the parameters, the locals, the budget of nested calls if the function is recursive, and
/// scratch words that live no longer than one operator.
pub(crate) struct Function<'l, 'm> {
    pub(crate) linker: &'l mut Linker<'m>,
    pub(crate) module: &'m Module<'m>,
    pub(crate) unit: Unit,
    pub(crate) index: u32,
    /// Values on the operand stack since the function's entry.
    pub(crate) height: usize,
    /// Open blocks, the function itself first.
    pub(crate) frames: Vec<Frame>,
    pub(crate) reachable: bool,
    /// Blocks open in code that no way leads to.
    pub(crate) skipped: usize,
    /// The local that holds how many calls may still nest.
    pub(crate) budget: Option<u32>,
    written: Vec<bool>,
    locals: u32,
    scratch: u32,
}

/// Lowers a function with a body, behind its label.
pub(crate) fn lower(linker: &mut Linker<'_>, key: Key, entry: Label) -> Result<(), Error> {
    let module = linker.module(key.unit);
    let Some(body) = module.body(key.index) else {
        return Err(Error::invalid("a function has no body"));
    };
    let at_entry = |error: Error| {
        error.at(Place {
            offset: Some(body.range().start),
            function: Some((key.index, module.name_of(key.index))),
            instruction: None,
        })
    };
    let ty = module.type_of(key.index);
    let parameters = u32::try_from(ty.params().len()).unwrap_or(u32::MAX);
    let mut locals = parameters;
    let runs = body
        .get_locals_reader()?
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let own = runs.iter().map(|&(_, ty)| ty);
    let all = ty.params().iter().chain(ty.results()).copied().chain(own);
    if let Some(other) = all.into_iter().find(|&ty| ty != ValType::I32) {
        let problem = format!("a parameter, result or local of type {other} is not supported");
        return Err(at_entry(Error::unsupported(problem).remedy(REMEDY_TYPES)));
    }
    runs.iter().for_each(|&(count, _)| locals += count);

    let operators = body.get_operators_reader()?;
    let usage = usage(&operators, parameters, locals)?;
    linker.asm.bind(entry);
    linker.set_origin(key, body.range().start);
    let budget = linker.cycle(key).map(|_| locals);
    if let Some(local) = budget {
        let exhausted = linker.exhausted();
        linker.asm.constant(1);
        linker.asm.op(Op::I32Sub);
        linker.asm.emit(Op::LocalTee, local);
        linker.asm.branch(Op::BrUnless, exhausted);
    }
    for parameter in (0..parameters).rev() {
        linker.asm.emit(Op::LocalSet, parameter);
    }
    for local in parameters..locals {
        if usage.read_first[local as usize] && usage.written[local as usize] {
            linker.asm.constant(0);
            linker.asm.emit(Op::LocalSet, local);
        }
    }
    let end = linker.asm.label();
    let mut function = Function {
        linker,
        module,
        unit: key.unit,
        index: key.index,
        height: 0,
        frames: vec![Frame::function(end, ty.results().len())],
        reachable: true,
        skipped: 0,
        budget,
        written: usage.written,
        locals: locals + u32::from(budget.is_some()),
        scratch: 0,
    };
    function.body(operators)?;
    let words = function.locals + function.scratch;
    linker.close_frame(key, words);
    linker.asm.check_size().map_err(at_entry)
}

/// What to do about types that the machine does not have.
pub(crate) const REMEDY_TYPES: &str = "the machine computes with i32 only: use 32-bit integers, \
    and none of the C library that is written with others (printf)";

impl Function<'_, '_> {
    fn body(&mut self, mut operators: OperatorsReader<'_>) -> Result<(), Error> {
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset()?;
            let key = Key {
                unit: self.unit,
                index: self.index,
            };
            self.linker.set_origin(key, offset);
            let result = if self.reachable {
                self.operator(&operator)
            } else {
                self.unreachable(&operator);
                Ok(())
            };
            let result = result.and_then(|()| self.linker.asm.check_size());
            result.map_err(|error| error.at(self.place(offset, &operator)))?;
        }
        Ok(())
    }

    fn place(&self, offset: u64, operator: &Operator<'_>) -> Place {
        Place {
            offset: Some(offset),
            function: Some((self.index, self.module.name_of(self.index))),
            instruction: Some(crate::names::instruction(operator)),
        }
    }

    /// A local beyond the function's own, for use within one operator.
    pub(crate) fn scratch(&mut self, index: usize) -> u32 {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.scratch = self.scratch.max(index.saturating_add(1));
        self.locals + index
    }

    fn operator(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        if self.control(operator)? || self.software(operator) {
            return Ok(());
        }
        if let Some((op, width, arg)) = access(operator) {
            self.access(op, width, arg);
            return Ok(());
        }
        let (op, pops, pushes) = match *operator {
            Operator::Nop => return Ok(()),
            Operator::I32Const { value } => {
                self.linker.asm.constant(value.cast_unsigned());
                self.height += 1;
                return Ok(());
            }
            Operator::LocalGet { local_index } => {
                if self.written[local_index as usize] {
                    self.linker.asm.emit(Op::LocalGet, local_index);
                } else {
                    self.linker.asm.constant(0);
                }
                self.height += 1;
                return Ok(());
            }
            Operator::LocalSet { local_index } => {
                self.linker.asm.emit(Op::LocalSet, local_index);
                self.height -= 1;
                return Ok(());
            }
            Operator::LocalTee { local_index } => {
                self.linker.asm.emit(Op::LocalTee, local_index);
                return Ok(());
            }
            Operator::GlobalGet { global_index } => {
                self.check_global(global_index)?;
                self.linker.asm.emit(Op::GlobalGet, global_index);
                self.height += 1;
                return Ok(());
            }
            Operator::GlobalSet { global_index } => {
                self.check_global(global_index)?;
                self.linker.asm.emit(Op::GlobalSet, global_index);
                self.height -= 1;
                return Ok(());
            }
            Operator::Drop => (Op::Drop, 1, 0),
            Operator::Select => (Op::Select, 3, 1),
            Operator::TypedSelect { ty: ValType::I32 } => (Op::Select, 3, 1),
            _ => match native(operator) {
                Some(native) => native,
                None => return Err(refusal(operator)),
            },
        };
        self.linker.asm.op(op);
        self.height = self.height + pushes - pops;
        Ok(())
    }

    fn check_global(&self, global: u32) -> Result<(), Error> {
        let ty = self.module.globals[global as usize].ty;
        if ty == ValType::I32 {
            return Ok(());
        }
        Err(Error::unsupported(format!("global {global} is of type {ty}")).remedy(REMEDY_TYPES))
    }

    fn access(&mut self, op: Op, width: u64, arg: MemArg) {
        let pages = self.module.memory.unwrap_or(0);
        let operands = if is_store(op) { 2 } else { 1 };
        let asm = &mut self.linker.asm;
        match (u32::try_from(arg.offset), u8::try_from(pages)) {
            (Ok(offset), Ok(pages)) if arg.offset + width <= u64::from(pages) * u64::from(PAGE) => {
                asm.emit_byte(op, offset, pages);
                self.height -= operands;
                self.height += usize::from(!is_store(op));
            }
            _ => {
                // Outside the memory whatever the address is.
                asm.op(Op::TrapOutOfBounds);
                self.stop();
            }
        }
    }
}

fn is_store(op: Op) -> bool {
    matches!(op, Op::I32Store | Op::I32Store8 | Op::I32Store16)
}

/// The instruction of a memory access and its bytes.
fn access(operator: &Operator<'_>) -> Option<(Op, u64, MemArg)> {
    Some(match *operator {
        Operator::I32Load { memarg } => (Op::I32Load, 4, memarg),
        Operator::I32Load8S { memarg } => (Op::I32Load8S, 1, memarg),
        Operator::I32Load8U { memarg } => (Op::I32Load8U, 1, memarg),
        Operator::I32Load16S { memarg } => (Op::I32Load16S, 2, memarg),
        Operator::I32Load16U { memarg } => (Op::I32Load16U, 2, memarg),
        Operator::I32Store { memarg } => (Op::I32Store, 4, memarg),
        Operator::I32Store8 { memarg } => (Op::I32Store8, 1, memarg),
        Operator::I32Store16 { memarg } => (Op::I32Store16, 2, memarg),
        _ => return None,
    })
}

/// Instructions that the machine has itself, with the operands that they pop and push.
fn native(operator: &Operator<'_>) -> Option<(Op, usize, usize)> {
    let op = match operator {
        Operator::I32Eqz => return Some((Op::I32Eqz, 1, 1)),
        Operator::I32Extend8S => return Some((Op::I32Extend8S, 1, 1)),
        Operator::I32Extend16S => return Some((Op::I32Extend16S, 1, 1)),
        Operator::I32Add => Op::I32Add,
        Operator::I32Sub => Op::I32Sub,
        Operator::I32And => Op::I32And,
        Operator::I32Or => Op::I32Or,
        Operator::I32Xor => Op::I32Xor,
        Operator::I32Shl => Op::I32Shl,
        Operator::I32ShrS => Op::I32ShrS,
        Operator::I32ShrU => Op::I32ShrU,
        Operator::I32Rotl => Op::I32Rotl,
        Operator::I32Rotr => Op::I32Rotr,
        Operator::I32Mul => Op::I32Mul,
        Operator::I32Eq => Op::I32Eq,
        Operator::I32Ne => Op::I32Ne,
        Operator::I32LtS => Op::I32LtS,
        Operator::I32LtU => Op::I32LtU,
        Operator::I32GtS => Op::I32GtS,
        Operator::I32GtU => Op::I32GtU,
        Operator::I32LeS => Op::I32LeS,
        Operator::I32LeU => Op::I32LeU,
        Operator::I32GeS => Op::I32GeS,
        Operator::I32GeU => Op::I32GeU,
        _ => return None,
    };
    Some((op, 2, 1))
}

/// Why an operator is refused.
fn refusal(operator: &Operator<'_>) -> Error {
    let name = crate::names::instruction(operator);
    let wide = ["i64.", "f32.", "f64."]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || name.contains("_i64")
        || name.contains("_f32")
        || name.contains("_f64");
    let (problem, remedy) = if wide {
        (
            "64-bit integers and floating point are not supported",
            REMEDY_TYPES,
        )
    } else if matches!(operator, Operator::CallIndirect { .. }) {
        (
            "calls through a table are not supported",
            "call the function by its name, or use a switch",
        )
    } else {
        (
            "this instruction is not supported",
            "compile with clang --target=wasm32 -mcpu=mvp -msign-ext",
        )
    };
    Error::unsupported(problem).remedy(remedy)
}
