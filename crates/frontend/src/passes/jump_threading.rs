//! Jump threading, tail duplication of short epilogues, removal of jumps to the next instruction,
//! branch inversion, and unreachable-code elimination.
//!
//! ```text
//! br a; ... a: br b                 =>  br b
//! br a; ... a: i32.const 1; return  =>  i32.const 1; return
//! br a; a:                          =>  a:
//! br_if a; br b; a:                 =>  br_unless b; a:
//! ```

use weightware_isa::Op;

use super::cfg::Cfg;
use crate::code::{Code, Inst, InstKind, Label, LabelSet};

/// The longest chain of jumps that is followed.
const MOST_STEPS: usize = 16;

/// The most instructions of an epilogue that replaces a jump to it.
const MOST_COPIED: usize = 4;

/// Runs the pass and returns whether it changed anything.
pub(crate) fn run(code: &mut Code) -> bool {
    let before = code.insts.clone();
    thread(code, 0);
    remove_unreachable(code);
    simplify(code);
    code.insts != before
}

/// Runs the pass with tail duplication and returns whether it changed anything. This comes after
/// stackification, which keeps more on the stack in a function with one epilogue.
pub(crate) fn run_last(code: &mut Code) -> bool {
    let before = code.insts.clone();
    thread(code, MOST_COPIED);
    remove_unreachable(code);
    simplify(code);
    code.insts != before
}

/// The first instruction at or after a position that is not a label.
fn landing(code: &Code, position: usize) -> usize {
    let binds = code.insts[position..].iter();
    position + binds.take_while(|inst| inst.is_bind()).count()
}

/// Redirects jumps to jumps, and replaces jumps to epilogues of at most `copied` instructions.
fn thread(code: &mut Code, copied: usize) {
    let cfg = Cfg::new(code);
    let destination = |mut label: Label| {
        for _ in 0..MOST_STEPS {
            let Some(&position) = cfg.label_positions.get(&label) else {
                break;
            };
            match code
                .insts
                .get(landing(code, position))
                .map(|inst| &inst.kind)
            {
                Some(&InstKind::Jump(Op::Br, next)) => label = next,
                _ => break,
            }
        }
        label
    };
    let mut insts: Vec<Inst> = Vec::with_capacity(code.insts.len());
    for inst in &code.insts {
        let mut inst = inst.clone();
        for target in inst.targets_mut() {
            *target = destination(*target);
        }
        let epilogue = match inst.kind {
            InstKind::Jump(Op::Br, label) => cfg
                .label_positions
                .get(&label)
                .and_then(|&position| epilogue_at(code, position, copied)),
            _ => None,
        };
        match epilogue {
            Some(epilogue) => insts.extend_from_slice(epilogue),
            None => insts.push(inst),
        }
    }
    code.insts = insts;
}

/// The straight-line instructions from a position to a `return` or a trap, if there are at most
/// `most`.
fn epilogue_at(code: &Code, position: usize, most: usize) -> Option<&[Inst]> {
    let rest = &code.insts[landing(code, position)..];
    let straight = |inst: &&Inst| {
        matches!(inst.kind, InstKind::Op(_) | InstKind::Wide(_)) && inst.falls_through()
    };
    let length = rest.iter().take_while(straight).count() + 1;
    let epilogue = rest.get(..length)?;
    let returns = matches!(epilogue.last()?.op(), Some(Op::Return | Op::Unreachable));
    (returns && length <= most).then_some(epilogue)
}

/// Removes unreachable instructions and unused labels.
fn remove_unreachable(code: &mut Code) {
    let cfg = Cfg::new(code);
    let heights = cfg.heights(code);
    let mut reachable = heights.into_iter().map(|height| height.is_some());
    code.insts.retain(|_| reachable.next().unwrap_or(true));
    let used: LabelSet = code
        .insts
        .iter()
        .flat_map(|inst| inst.targets().iter().copied())
        .collect();
    code.insts.retain(|inst| match inst.kind {
        InstKind::Bind(label) => used.contains(&label),
        _ => true,
    });
}

/// Removes jumps to the next instruction, and inverts branches over a jump.
fn simplify(code: &mut Code) {
    let goes_to = |inst: &Inst, to| matches!(inst.kind, InstKind::Jump(_, label) if label == to);
    let mut insts: Vec<Inst> = Vec::with_capacity(code.insts.len());
    for inst in std::mem::take(&mut code.insts) {
        let InstKind::Bind(label) = inst.kind else {
            insts.push(inst);
            continue;
        };
        // Labels of one position are adjacent.
        let last = insts.iter().rposition(|inst| !inst.is_bind());
        if let Some(last) = last {
            if goes_to(&insts[last], label) {
                match insts[last].kind {
                    InstKind::Jump(Op::Br, _) => drop(insts.remove(last)),
                    _ => insts[last] = insts[last].with_op(Op::Drop, 0),
                }
            } else if let (InstKind::Jump(Op::Br, away), Some(before)) =
                (&insts[last].kind, last.checked_sub(1))
                && goes_to(&insts[before], label)
            {
                let away = *away;
                let inverted = match insts[before].kind {
                    InstKind::Jump(Op::BrIf, _) => Some(Op::BrUnless),
                    InstKind::Jump(Op::BrUnless, _) => Some(Op::BrIf),
                    _ => None,
                };
                if let Some(op) = inverted {
                    insts[before].kind = InstKind::Jump(op, away);
                    insts.remove(last);
                }
            }
        }
        insts.push(inst);
    }
    code.insts = insts;
}
