//! Copy propagation: between two labels, a local that was last written with another local, or with a constant, is read
//! as that, as long as neither is written again. The write may then be dead.

use std::collections::HashMap;

use weightware_isa::{Instruction, Op};

use crate::code::{Access, Code, Inst, InstKind};

/// Locals of which something is known at the same time, at most.
const MOST: usize = 256;

/// What a local is known to hold.
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
    // What the last inst left on top of the stack.
    let mut top = None;
    for inst in &mut code.insts {
        if inst.is_bind() || known.len() > MOST {
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
        // A write of what the local holds already is for the pass that gives out words.
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

/// The inst that pushes what a `local.get` does.
fn read(inst: &Inst, value: Known) -> Inst {
    match value {
        Known::Copy(local) => inst.with_access(Access::Get(local)),
        Known::Word(value) => inst.with(InstKind::Op(Instruction::new(Op::I32Const, value))),
        Known::Double(value) => inst.with(InstKind::Wide(value)),
    }
}
