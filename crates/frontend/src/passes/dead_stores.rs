//! Dead-store elimination, and elimination of values that are computed only to be dropped.
//!
//! A dead `local.set` becomes a `drop`; a dead `local.tee` is removed. The computation of a dropped
//! value is removed, unless it may trap.

use weightware_isa::Op;

use super::cfg::{Cfg, transfer};
use crate::code::{Access, Code, Inst};

/// Runs the pass and returns whether it changed anything.
pub(crate) fn run(code: &mut Code) -> bool {
    let cfg = Cfg::new(code);
    let Some(live_out) = cfg.live_out(code) else {
        return false;
    };
    let before = code.insts.clone();
    let mut dead = vec![false; code.insts.len()];
    for (block, mut live) in cfg.blocks.iter().zip(live_out) {
        for index in block.range().rev() {
            if let Some(access) = code.insts[index].access() {
                dead[index] = !matches!(access, Access::Get(_)) && !live.contains(access.local());
                transfer(&mut live, access);
            }
        }
    }
    let mut insts = Vec::with_capacity(code.insts.len());
    for (inst, dead) in std::mem::take(&mut code.insts).into_iter().zip(dead) {
        match inst.access() {
            Some(Access::Set(_)) if dead => drop_value(&mut insts, inst.with_op(Op::Drop, 0)),
            Some(Access::Tee(_)) if dead => {}
            Some(Access::Get(local)) => match insts.last().and_then(Inst::access) {
                Some(Access::Set(written)) if written == local => {
                    insts.pop();
                    insts.push(inst.with_access(Access::Tee(local)));
                }
                _ => insts.push(inst),
            },
            _ if inst.is(Op::Drop) => drop_value(&mut insts, inst),
            _ => insts.push(inst),
        }
    }
    code.insts = insts;
    code.insts != before
}

/// Appends a drop, or removes the instructions that compute the value.
fn drop_value(insts: &mut Vec<Inst>, drop: Inst) {
    let mut drops = 1;
    while drops > 0 {
        drops -= 1;
        match insts.last() {
            Some(last) if last.only_pushes() => {
                insts.pop();
            }
            Some(last) if last.pure_operands().is_some() => {
                drops += last.pure_operands().unwrap_or(0);
                insts.pop();
            }
            Some(last) => {
                if let Some(Access::Tee(local)) = last.access() {
                    let set = last.with_access(Access::Set(local));
                    insts.pop();
                    insts.push(set);
                } else {
                    insts.push(drop.clone());
                }
            }
            None => insts.push(drop.clone()),
        }
    }
}
