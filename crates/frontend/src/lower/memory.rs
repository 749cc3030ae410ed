//! Lowering of memory operators: the layout shifts addresses, and a number of pages bounds
//! accesses.

use wasmparser::{MemArg, MemArgTarget, Operator};
use weightware_isa::Op;

use super::function::Function;
use super::operators::refuse;
use crate::error::Error;
use crate::lowered::RewrittenAddress;
use crate::module::PAGE;
use crate::width::{Bits, Width};

/// The index of the hidden data in the runtime library. The guest has only memory 0.
const HIDDEN: u32 = 1;

/// The page byte of accesses to the hidden data, which only the machine bounds.
const ALL_PAGES: u8 = u8::MAX;

/// The greatest offset of an access.
const FARTHEST: u32 = (1 << 24) - 1;

impl Function<'_, '_> {
    /// Lowers an operator of memory.
    pub(crate) fn memory(&mut self, operator: &Operator<'_>) -> Result<(), Error> {
        if let Some((op, width, arg)) = access(operator) {
            self.access(op, width, arg);
            return Ok(());
        }
        match *operator {
            Operator::MemorySize { .. } => {
                let layout = self.linker.layout;
                if layout.limit > layout.initial {
                    self.linker.call_routine("memory.size");
                    self.push(Width::Word);
                } else {
                    self.constant(Bits::Word(layout.initial));
                }
            }
            Operator::MemoryInit { data_index, .. } => {
                if self.module.data[data_index as usize].address.is_some() {
                    // An active segment is dropped after instantiation.
                    self.linker.code.constant(0);
                    self.linker.code.constant(0);
                } else {
                    let (length, offset) = self.linker.passive(data_index);
                    self.linker.code.emit(Op::GlobalGet, length);
                    self.linker.code.constant(offset);
                }
                self.linker.call_routine("memory.init");
                self.pop_many(3);
            }
            Operator::DataDrop { data_index } => {
                if self.module.data[data_index as usize].address.is_none() {
                    let (length, _) = self.linker.passive(data_index);
                    self.linker.code.constant(0);
                    self.linker.code.emit(Op::GlobalSet, length);
                }
            }
            _ => return Err(refuse(operator)),
        }
        Ok(())
    }

    /// Appends an access of the guest's memory, or of the hidden data.
    fn access(&mut self, op: Op, width: u64, arg: MemArg) {
        let layout = self.linker.layout;
        let hidden = matches!(arg.target, MemArgTarget::Memory(HIDDEN));
        let end = u64::from(layout.limit) * u64::from(PAGE);
        if !hidden && arg.offset + width > end {
            // The access is outside the memory at every address.
            self.linker.code.op(Op::TrapOutOfBounds);
            return self.stop();
        }
        let mut subtracted = 0;
        let (offset, pages) = match (hidden, arg.offset.checked_sub(layout.origin.into())) {
            (true, _) => (arg.offset + u64::from(layout.hidden), ALL_PAGES),
            (false, Some(offset)) => (offset + u64::from(layout.shift), layout.pages()),
            // An offset cannot be negative, so the address is lowered before the access.
            (false, None) => {
                subtracted = layout.origin - arg.offset as u32;
                self.lower_address(is_store(op), subtracted);
                (layout.shift.into(), layout.pages())
            }
        };
        // An immediate has three bytes. In a memory of less than 2^24 bytes both offsets are
        // outside. A larger memory has grown far beyond the 144 KiB that the machine is exact for:
        // a store there ends the run at the horizon, so loads find zero at either offset.
        if !hidden && (subtracted > 0 || offset > FARTHEST.into()) {
            let offset = arg.offset;
            let rewritten = RewrittenAddress { subtracted, offset };
            self.linker
                .rewritten
                .insert(self.linker.code.here, rewritten);
        }
        let offset = u32::try_from(offset).unwrap_or(u32::MAX).min(FARTHEST);
        self.linker.code.emit_byte(op, offset, pages);
        self.pop();
        if is_store(op) {
            self.pop();
        } else if op.spec().bytes == 8 {
            self.push(Width::Double);
        } else {
            self.push(Width::Word);
        }
    }
}

impl Function<'_, '_> {
    /// Appends a subtraction from the address of a load or store; the value of a store lies above
    /// it. An address less than `by` wraps to one outside every memory.
    fn lower_address(&mut self, store: bool, by: u32) {
        let value = store.then(|| {
            let width = *self.stack.last().expect("valid code has its operands");
            (self.scratch(0), width)
        });
        if let Some((word, width)) = value {
            self.linker.code.emit(width.local_set(), word);
        }
        self.linker.code.constant(by);
        self.linker.code.op(Op::I32Sub);
        if let Some((word, width)) = value {
            self.linker.code.emit(width.local_get(), word);
        }
    }
}

fn is_store(op: Op) -> bool {
    matches!(
        op,
        Op::I32Store
            | Op::I32Store8
            | Op::I32Store16
            | Op::I64Store
            | Op::I64Store8
            | Op::I64Store16
            | Op::I64Store32
    )
}

/// The instruction of a load or store, and the number of bytes that it accesses.
fn access(operator: &Operator<'_>) -> Option<(Op, u64, MemArg)> {
    Some(match *operator {
        Operator::I32Load { memarg } | Operator::F32Load { memarg } => (Op::I32Load, 4, memarg),
        Operator::I32Load8S { memarg } => (Op::I32Load8S, 1, memarg),
        Operator::I32Load8U { memarg } => (Op::I32Load8U, 1, memarg),
        Operator::I32Load16S { memarg } => (Op::I32Load16S, 2, memarg),
        Operator::I32Load16U { memarg } => (Op::I32Load16U, 2, memarg),
        Operator::I64Load { memarg } | Operator::F64Load { memarg } => (Op::I64Load, 8, memarg),
        Operator::I64Load8S { memarg } => (Op::I64Load8S, 1, memarg),
        Operator::I64Load8U { memarg } => (Op::I64Load8U, 1, memarg),
        Operator::I64Load16S { memarg } => (Op::I64Load16S, 2, memarg),
        Operator::I64Load16U { memarg } => (Op::I64Load16U, 2, memarg),
        Operator::I64Load32S { memarg } => (Op::I64Load32S, 4, memarg),
        Operator::I64Load32U { memarg } => (Op::I64Load32U, 4, memarg),
        Operator::I32Store { memarg } | Operator::F32Store { memarg } => (Op::I32Store, 4, memarg),
        Operator::I32Store8 { memarg } => (Op::I32Store8, 1, memarg),
        Operator::I32Store16 { memarg } => (Op::I32Store16, 2, memarg),
        Operator::I64Store { memarg } | Operator::F64Store { memarg } => (Op::I64Store, 8, memarg),
        Operator::I64Store8 { memarg } => (Op::I64Store8, 1, memarg),
        Operator::I64Store16 { memarg } => (Op::I64Store16, 2, memarg),
        Operator::I64Store32 { memarg } => (Op::I64Store32, 4, memarg),
        _ => return None,
    })
}
