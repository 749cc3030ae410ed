//! Copy and constant propagation within basic blocks.
//!
//! A read of a local whose last write was a copy of another local, or a constant, becomes a read of
//! that local or the constant, as long as neither local is written again. The write may then be
//! dead.

use std::collections::HashMap;

use weightware_isa::{Instruction, Op};

use crate::code::{Access, Code, Inst, InstKind};

/// The most locals whose values are known at the same time.
const MOST_KNOWN: usize = 256;

/// A known value of a local.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Copy(u32),
    Word(u32),
    Double(u64),
}

/// Runs the pass and returns whether it changed anything.
pub(crate) fn run(code: &mut Code) -> bool {
    let mut known: HashMap<u32, Known> = HashMap::new();
    let mut changed = false;
    // The known value on top of the stack.
    let mut top = None;
    for inst in &mut code.insts {
        if inst.is_bind() || known.len() > MOST_KNOWN {
            known.clear();
        }
        let Some(access) = inst.access() else {
            top = constant(inst);
            continue;
        };
        let local = access.local();
        if let Access::Get(_) = access {
            if let Some(&value) = known.get(&local) {
                inst.kind = read(inst, value).kind;
                changed = true;
            }
            top = constant(inst).or(match inst.access() {
                Some(Access::Get(local)) => Some(Known::Copy(local)),
                _ => None,
            });
            continue;
        }
        // A write of a local to itself has no effect; coalescing removes it.
        let same = top == Some(Known::Copy(local));
        if !same {
            known.remove(&local);
            known.retain(|_, value| *value != Known::Copy(local));
            known.extend(top.map(|value| (local, value)));
        }
        top = match access {
            Access::Tee(_) => Some(known.get(&local).copied().unwrap_or(Known::Copy(local))),
            _ => None,
        };
    }
    changed
}

fn constant(inst: &Inst) -> Option<Known> {
    match inst.kind {
        InstKind::Wide(value) => Some(Known::Double(value)),
        InstKind::Op(instruction) if instruction.op == Op::I32Const => {
            Some(Known::Word(instruction.immediate()))
        }
        _ => None,
    }
}

/// An instruction that pushes a known value, in place of a `local.get`.
fn read(inst: &Inst, value: Known) -> Inst {
    match value {
        Known::Copy(local) => inst.with_access(Access::Get(local)),
        Known::Word(value) => inst.with(InstKind::Op(Instruction::new(Op::I32Const, value))),
        Known::Double(value) => inst.with(InstKind::Wide(value)),
    }
}
