//! Jumps: one to a jump goes where that goes, one to a short end of the function becomes that end, one to the next inst
//! vanishes, a condition around a jump is turned over, and what no way leads to is left out.

use std::collections::HashSet;

use weightware_isa::Op;

use super::cfg::Cfg;
use crate::code::Label;
use crate::code::{Code, Inst, InstKind};

/// Jumps that are followed from one.
const STEPS: usize = 16;

/// Lines of an end of the function that are put in place of a jump to them, at most.
const COPIED: usize = 4;

/// Runs the pass and returns whether it changed anything.
pub(crate) fn run(code: &mut Code) -> bool {
    let before = code.insts.clone();
    thread(code, 0);
    remove_unreachable(code);
    simplify(code);
    code.insts != before
}

/// The same, and short ends of the function stand where jumps to them were. That comes last: a function with one end
/// keeps more on the stack.
pub(crate) fn run_last(code: &mut Code) -> bool {
    let before = code.insts.clone();
    thread(code, COPIED);
    remove_unreachable(code);
    simplify(code);
    code.insts != before
}

/// Where a jump to that inst ends up: the first inst that is no label.
fn landing(code: &Code, place: usize) -> usize {
    let is_bind = |inst: &Inst| inst.is_bind();
    let binds = code.insts[place..].iter().take_while(|inst| is_bind(inst));
    place + binds.count()
}

/// Jumps to jumps, and to ends of so many insts.
fn thread(code: &mut Code, copied: usize) {
    let cfg = Cfg::new(code);
    let last = |mut label: Label| {
        for _ in 0..STEPS {
            let Some(&place) = cfg.label_positions.get(&label) else {
                break;
            };
            match code.insts.get(landing(code, place)).map(|inst| &inst.kind) {
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
            *target = last(*target);
        }
        let end = match inst.kind {
            InstKind::Jump(Op::Br, label) => cfg
                .label_positions
                .get(&label)
                .and_then(|&place| end(code, place, copied)),
            _ => None,
        };
        match end {
            Some(end) => insts.extend(end.iter().cloned()),
            None => insts.push(inst),
        }
    }
    code.insts = insts;
}

/// The insts from there to the end of the function, if they are few.
fn end(code: &Code, place: usize, most: usize) -> Option<&[Inst]> {
    let rest = &code.insts[landing(code, place)..];
    let straight = |inst: &&Inst| {
        matches!(inst.kind, InstKind::Op(_) | InstKind::Wide(_)) && inst.falls_through()
    };
    let length = rest.iter().take_while(straight).count() + 1;
    let end = rest.get(..length)?;
    let returns = matches!(end.last()?.op(), Some(Op::Return | Op::Unreachable));
    (returns && length <= most).then_some(end)
}

fn remove_unreachable(code: &mut Code) {
    let cfg = Cfg::new(code);
    let heights = cfg.heights(code);
    let mut reachable = heights.into_iter().map(|height| height.is_some());
    code.insts.retain(|_| reachable.next().unwrap_or(true));
    let used: HashSet<Label> = code
        .insts
        .iter()
        .flat_map(|inst| inst.targets().iter().copied())
        .collect();
    code.insts.retain(|inst| match inst.kind {
        InstKind::Bind(label) => used.contains(&label),
        _ => true,
    });
}

/// Jumps over nothing, and over a jump.
fn simplify(code: &mut Code) {
    let mut insts: Vec<Inst> = Vec::with_capacity(code.insts.len());
    for inst in std::mem::take(&mut code.insts) {
        let InstKind::Bind(label) = inst.kind else {
            insts.push(inst);
            continue;
        };
        // Labels of the same place stand side by side.
        let jumps = insts.iter().rposition(|inst| !inst.is_bind());
        if let Some(last) = jumps {
            let goes_to = |inst: &Inst, to: Label| matches!(inst.kind, InstKind::Jump(_, label) if label == to);
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
