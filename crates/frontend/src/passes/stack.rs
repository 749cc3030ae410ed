//! Values that stay on the operand stack: `A local.set x B local.get x` becomes `A local.tee x B`, if B neither writes x
//! nor takes anything from below itself, and `A local.tee x B` with the operands exchanged, if B leaves one value and an
//! instruction follows for which that can be said. B may have branches, as long as none leaves it or comes into it.
//! Whether the write is still needed is for the pass that removes dead ones.

use std::collections::HashMap;

use weightware_isa::Op;

use super::flow::Flow;
use crate::assembler::Label;
use crate::code::{Access, Code, Kind, Line};

/// Lines between the write and the read.
const FARTHEST: usize = 1 << 10;

/// Runs the pass and returns whether it changed anything.
pub(crate) fn run(code: &mut Code) -> bool {
    let flow = Flow::new(code);
    let mut heights = flow.heights(code);
    let uses = uses(code);
    let mut removed = vec![false; code.lines.len()];
    for read in 0..code.lines.len() {
        let Some(Access::Get(local)) = code.lines[read].access() else {
            continue;
        };
        let exchanged = code.lines.get(read + 1).and_then(exchanged);
        let search = Search {
            code,
            flow: &flow,
            heights: &heights,
            uses: &uses,
            removed: &removed,
        };
        let Some(write) = search.write_before(read, local, exchanged.is_some()) else {
            continue;
        };
        let below = heights[write].is_some_and(|height| Some(height) == heights[read]);
        if let (true, Some(op)) = (below, exchanged) {
            let next = &mut code.lines[read + 1];
            *next = next.with_op(op, 0);
        }
        code.lines[write] = code.lines[write].with_access(Access::Tee(local));
        removed[read] = true;
        for height in heights[write + 1..=read].iter_mut().flatten() {
            *height += 1;
        }
    }
    let mut kept = removed.iter().map(|removed| !removed);
    let before = code.lines.len();
    code.lines.retain(|_| kept.next().unwrap_or(true));
    code.lines.len() < before
}

struct Search<'a> {
    code: &'a Code,
    flow: &'a Flow,
    heights: &'a [Option<usize>],
    uses: &'a HashMap<Label, (usize, usize)>,
    removed: &'a [bool],
}

impl Search<'_> {
    /// The `local.set` whose value would be on top of the stack where it is read, or right below the top.
    fn write_before(&self, read: usize, local: u32, or_below: bool) -> Option<usize> {
        let height = self.heights[read]?;
        // The stack never falls below the value on the way.
        let mut lowest = height;
        for index in (read.saturating_sub(FARTHEST)..read).rev() {
            if self.removed[index] {
                continue;
            }
            let line = &self.code.lines[index];
            if line.writes() == Some(local) {
                let Some(Access::Set(_)) = line.access() else {
                    return None;
                };
                let left = self.heights[index]? - 1;
                let fits = left == height || or_below && left + 1 == height;
                let closed = || self.is_closed(index + 1, read);
                return (fits && lowest >= left && closed()).then_some(index);
            }
            let (takes, _) = line.effect();
            lowest = lowest.min(self.heights[index]? - takes);
            if lowest + 1 < height || line.is(Op::Return) {
                return None;
            }
        }
        None
    }

    /// Whether no jump leaves those lines or comes into them.
    fn is_closed(&self, first: usize, end: usize) -> bool {
        let inside = first..end;
        self.code.lines[inside.clone()].iter().all(|line| {
            let comes_from_inside = match line.kind {
                Kind::Bind(label) => self
                    .uses
                    .get(&label)
                    .is_none_or(|(first, last)| inside.contains(first) && inside.contains(last)),
                _ => true,
            };
            let mut targets = line.targets().iter();
            let goes_inside = |label| {
                let place = self.flow.places.get(label);
                place.is_some_and(|place| inside.contains(place))
            };
            comes_from_inside && targets.all(goes_inside)
        })
    }
}

/// The first and the last line that jump to a label.
fn uses(code: &Code) -> HashMap<Label, (usize, usize)> {
    let mut uses: HashMap<Label, (usize, usize)> = HashMap::new();
    for (index, line) in code.lines.iter().enumerate() {
        for &label in line.targets() {
            let entry = uses.entry(label).or_insert((index, index));
            entry.1 = index;
        }
    }
    uses
}

/// The instruction that does the same with its operands exchanged.
fn exchanged(line: &Line) -> Option<Op> {
    Some(match line.op()? {
        op @ (Op::I32Add
        | Op::I32And
        | Op::I32Or
        | Op::I32Xor
        | Op::I32Mul
        | Op::I32Eq
        | Op::I32Ne
        | Op::I64Add
        | Op::I64And
        | Op::I64Or
        | Op::I64Xor
        | Op::I64Eq
        | Op::I64Ne) => op,
        Op::I32LtS => Op::I32GtS,
        Op::I32LtU => Op::I32GtU,
        Op::I32GtS => Op::I32LtS,
        Op::I32GtU => Op::I32LtU,
        Op::I32LeS => Op::I32GeS,
        Op::I32LeU => Op::I32GeU,
        Op::I32GeS => Op::I32LeS,
        Op::I32GeU => Op::I32LeU,
        Op::I64LtS => Op::I64GtS,
        Op::I64LtU => Op::I64GtU,
        Op::I64GtS => Op::I64LtS,
        Op::I64GtU => Op::I64LtU,
        Op::I64LeS => Op::I64GeS,
        Op::I64LeU => Op::I64GeU,
        Op::I64GeS => Op::I64LeS,
        Op::I64GeU => Op::I64LeU,
        _ => return None,
    })
}
