//! Dead writes: a `local.set` that nothing reads is a drop, a `local.tee` nothing; what is computed to be dropped is not
//! computed, unless it may trap.

use weightware_isa::{Instruction, Op};

use super::cfg::{Flow, step};
use crate::code::{Access, Code, Kind, Line};

/// Runs the pass and returns whether it changed anything.
pub(crate) fn run(code: &mut Code) -> bool {
    let flow = Flow::new(code);
    let Some(behind) = flow.alive_behind(code) else {
        return false;
    };
    let before = code.lines.clone();
    let mut dead = vec![false; code.lines.len()];
    for (block, mut alive) in flow.blocks.iter().zip(behind) {
        for index in block.lines().rev() {
            if let Some(access) = code.lines[index].access() {
                dead[index] = !matches!(access, Access::Get(_)) && !alive.contains(access.local());
                step(&mut alive, access);
            }
        }
    }
    let mut lines = Vec::with_capacity(code.lines.len());
    for (line, dead) in std::mem::take(&mut code.lines).into_iter().zip(dead) {
        match line.access() {
            Some(Access::Set(_)) if dead => drop_value(&mut lines, line.with_op(Op::Drop, 0)),
            Some(Access::Tee(_)) if dead => {}
            Some(Access::Get(local)) => match lines.last().and_then(Line::access) {
                Some(Access::Set(written)) if written == local => {
                    lines.pop();
                    lines.push(line.with_access(Access::Tee(local)));
                }
                _ => lines.push(line),
            },
            _ if line.is(Op::Drop) => drop_value(&mut lines, line),
            _ => lines.push(line),
        }
    }
    code.lines = lines;
    code.lines != before
}

/// Appends a drop, or takes away what makes the value.
fn drop_value(lines: &mut Vec<Line>, drop: Line) {
    let mut drops = 1;
    while drops > 0 {
        drops -= 1;
        match lines.last() {
            Some(last) if last.pushes() => {
                lines.pop();
            }
            Some(last) if last.computes().is_some() => {
                drops += last.computes().unwrap_or(0);
                lines.pop();
            }
            Some(last) => {
                if let Some(Access::Tee(local)) = last.access() {
                    let set = last.with_access(Access::Set(local));
                    lines.pop();
                    lines.push(set);
                } else {
                    lines.push(drop.with(Kind::Op(Instruction::new(Op::Drop, 0))));
                }
            }
            None => lines.push(drop.clone()),
        }
    }
}
