//! Stackification: values stay on the operand stack instead of passing through a local.
//!
//! `A local.set x B local.get x` becomes `A local.tee x B`, if B neither writes x, nor pops values
//! below its own, nor pushes one. If B pushes one value, and the next instruction is commutative or
//! a comparison, the rewrite also exchanges that instruction's operands. B may contain branches, as
//! long as no branch leaves or enters B. Dead-store elimination then removes the write if there is
//! no other read.

use weightware_isa::Op;

use super::cfg::Cfg;
use crate::code::{Access, Code, Inst, InstKind, LabelMap};

/// The most instructions between the write and the read.
const FARTHEST: usize = 1 << 10;

/// Runs the pass and returns whether it changed anything.
pub(crate) fn run(code: &mut Code) -> bool {
    let cfg = Cfg::new(code);
    let mut heights = cfg.heights(code);
    let pops: Vec<usize> = code
        .insts
        .iter()
        .map(|inst| inst.stack_effect().0)
        .collect();
    let uses = uses(code);
    let mut removed = vec![false; code.insts.len()];
    // The last write of each local.
    let mut written: Vec<Option<usize>> = vec![None; code.words as usize];
    for read in 0..code.insts.len() {
        let local = match code.insts[read].access() {
            Some(Access::Get(local)) => local,
            Some(Access::Set(local) | Access::Tee(local)) => {
                written[local as usize] = Some(read);
                continue;
            }
            None => continue,
        };
        let Some(write) = written[local as usize] else {
            continue;
        };
        let exchanged = code.insts.get(read + 1).and_then(exchanged);
        let search = Search {
            code,
            cfg: &cfg,
            heights: &heights,
            pops: &pops,
            uses: &uses,
            removed: &removed,
        };
        if !search.stays(write, read, exchanged.is_some()) {
            continue;
        }
        let below = heights[write].is_some_and(|height| Some(height) == heights[read]);
        if let (true, Some(op)) = (below, exchanged) {
            let next = &mut code.insts[read + 1];
            *next = next.with_op(op, 0);
        }
        code.insts[write] = code.insts[write].with_access(Access::Tee(local));
        removed[read] = true;
        for height in heights[write + 1..=read].iter_mut().flatten() {
            *height += 1;
        }
    }
    let mut kept = removed.iter().map(|removed| !removed);
    let before = code.insts.len();
    code.insts.retain(|_| kept.next().unwrap_or(true));
    code.insts.len() < before
}

/// The state of the search for values that can stay on the stack.
struct Search<'a> {
    code: &'a Code,
    cfg: &'a Cfg,
    heights: &'a [Option<usize>],
    /// The number of operands that each instruction pops. Exchanging operands preserves it.
    pops: &'a [usize],
    uses: &'a LabelMap<(usize, usize)>,
    removed: &'a [bool],
}

impl Search<'_> {
    /// Whether the value of a `local.set`, if it stayed on the stack, would be the top of the stack
    /// where the local is read, or, with `or_below`, the entry below the top.
    fn stays(&self, write: usize, read: usize, or_below: bool) -> bool {
        let (Some(height), Some(before)) = (self.heights[read], self.heights[write]) else {
            return false;
        };
        let is_set = matches!(self.code.insts[write].access(), Some(Access::Set(_)));
        if !is_set || read - write > FARTHEST {
            return false;
        }
        let left = before - 1;
        let fits = left == height || or_below && left + 1 == height;
        // No instruction in between pops the value or returns.
        let never_below = || {
            (write + 1..read).all(|index| {
                self.removed[index]
                    || self.heights[index].is_some_and(|height| height >= left + self.pops[index])
                        && !self.code.insts[index].is(Op::Return)
            })
        };
        fits && never_below() && self.is_closed(write + 1, read)
    }

    /// Whether no jump leaves or enters a range of instructions.
    fn is_closed(&self, first: usize, end: usize) -> bool {
        let inside = first..end;
        self.code.insts[inside.clone()].iter().all(|inst| {
            let entered_from_inside = match inst.kind {
                InstKind::Bind(label) => self
                    .uses
                    .get(&label)
                    .is_none_or(|(first, last)| inside.contains(first) && inside.contains(last)),
                _ => true,
            };
            let mut targets = inst.targets().iter();
            let stays_inside = |label| {
                let position = self.cfg.label_positions.get(label);
                position.is_some_and(|position| inside.contains(position))
            };
            entered_from_inside && targets.all(stays_inside)
        })
    }
}

/// The first and the last jump to each label.
fn uses(code: &Code) -> LabelMap<(usize, usize)> {
    let mut uses: LabelMap<(usize, usize)> = LabelMap::default();
    for (index, inst) in code.insts.iter().enumerate() {
        for &label in inst.targets() {
            let entry = uses.entry(label).or_insert((index, index));
            entry.1 = index;
        }
    }
    uses
}

/// The instruction that has the effect of another one with its operands exchanged.
fn exchanged(inst: &Inst) -> Option<Op> {
    Some(match inst.op()? {
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
