//! Jumps: one to a jump goes where that goes, one to a short end of the function becomes that end, one to the next line
//! vanishes, a condition around a jump is turned over, and what no way leads to is left out.

use std::collections::HashSet;

use weightware_isa::Op;

use super::cfg::Flow;
use crate::code::Label;
use crate::code::{Code, Kind, Line};

/// Jumps that are followed from one.
const STEPS: usize = 16;

/// Lines of an end of the function that are put in place of a jump to them, at most.
const COPIED: usize = 4;

/// Runs the pass and returns whether it changed anything.
pub(crate) fn run(code: &mut Code) -> bool {
    let before = code.lines.clone();
    thread(code, 0);
    remove_unreachable(code);
    simplify(code);
    code.lines != before
}

/// The same, and short ends of the function stand where jumps to them were. That comes last: a function with one end
/// keeps more on the stack.
pub(crate) fn run_last(code: &mut Code) -> bool {
    let before = code.lines.clone();
    thread(code, COPIED);
    remove_unreachable(code);
    simplify(code);
    code.lines != before
}

/// Where a jump to that line ends up: the first line that is no label.
fn landing(code: &Code, place: usize) -> usize {
    let is_bind = |line: &Line| matches!(line.kind, Kind::Bind(_));
    let binds = code.lines[place..].iter().take_while(|line| is_bind(line));
    place + binds.count()
}

/// Jumps to jumps, and to ends of so many lines.
fn thread(code: &mut Code, copied: usize) {
    let flow = Flow::new(code);
    let last = |mut label: Label| {
        for _ in 0..STEPS {
            let Some(&place) = flow.places.get(&label) else {
                break;
            };
            match code.lines.get(landing(code, place)).map(|line| &line.kind) {
                Some(&Kind::Jump(Op::Br, next)) => label = next,
                _ => break,
            }
        }
        label
    };
    let mut lines: Vec<Line> = Vec::with_capacity(code.lines.len());
    for line in &code.lines {
        let mut line = line.clone();
        for target in line.targets_mut() {
            *target = last(*target);
        }
        let end = match line.kind {
            Kind::Jump(Op::Br, label) => flow
                .places
                .get(&label)
                .and_then(|&place| end(code, place, copied)),
            _ => None,
        };
        match end {
            Some(end) => lines.extend(end.iter().cloned()),
            None => lines.push(line),
        }
    }
    code.lines = lines;
}

/// The lines from there to the end of the function, if they are few.
fn end(code: &Code, place: usize, most: usize) -> Option<&[Line]> {
    let rest = &code.lines[landing(code, place)..];
    let straight =
        |line: &&Line| matches!(line.kind, Kind::Op(_) | Kind::Wide(_)) && line.goes_on();
    let length = rest.iter().take_while(straight).count() + 1;
    let end = rest.get(..length)?;
    let leaves = matches!(end.last()?.op(), Some(Op::Return | Op::Unreachable));
    (leaves && length <= most).then_some(end)
}

fn remove_unreachable(code: &mut Code) {
    let flow = Flow::new(code);
    let heights = flow.heights(code);
    let mut reachable = heights.into_iter().map(|height| height.is_some());
    code.lines.retain(|_| reachable.next().unwrap_or(true));
    let used: HashSet<Label> = code
        .lines
        .iter()
        .flat_map(|line| line.targets().iter().copied())
        .collect();
    code.lines.retain(|line| match line.kind {
        Kind::Bind(label) => used.contains(&label),
        _ => true,
    });
}

/// Jumps over nothing, and over a jump.
fn simplify(code: &mut Code) {
    let mut lines: Vec<Line> = Vec::with_capacity(code.lines.len());
    for line in std::mem::take(&mut code.lines) {
        let Kind::Bind(label) = line.kind else {
            lines.push(line);
            continue;
        };
        // Labels of the same place stand side by side.
        let jumps = lines
            .iter()
            .rposition(|line| !matches!(line.kind, Kind::Bind(_)));
        if let Some(last) = jumps {
            let goes_to =
                |line: &Line, to: Label| matches!(line.kind, Kind::Jump(_, label) if label == to);
            if goes_to(&lines[last], label) {
                match lines[last].kind {
                    Kind::Jump(Op::Br, _) => drop(lines.remove(last)),
                    _ => lines[last] = lines[last].with_op(Op::Drop, 0),
                }
            } else if let (Kind::Jump(Op::Br, away), Some(before)) =
                (&lines[last].kind, last.checked_sub(1))
                && goes_to(&lines[before], label)
            {
                let away = *away;
                let inverted = match lines[before].kind {
                    Kind::Jump(Op::BrIf, _) => Some(Op::BrUnless),
                    Kind::Jump(Op::BrUnless, _) => Some(Op::BrIf),
                    _ => None,
                };
                if let Some(op) = inverted {
                    lines[before].kind = Kind::Jump(op, away);
                    lines.remove(last);
                }
            }
        }
        lines.push(line);
    }
    code.lines = lines;
}
