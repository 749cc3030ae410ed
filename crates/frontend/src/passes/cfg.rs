//! The control-flow graph of a function, with two dataflow analyses over it: liveness of locals,
//! and the height of the operand stack.

use std::ops::Range;

use crate::bitset::BitSet;
use crate::code::{Access, Code, Inst, InstKind, LabelMap};

/// The most words of all live sets of a function together; with more, liveness is not computed.
const MOST_WORDS: usize = 1 << 24;

/// The most instructions and words that the computation of liveness visits before it gives up.
const MOST_VISITS: usize = 1 << 28;

/// A basic block: instructions that are executed in a row.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) first: usize,
    /// The index after the last instruction.
    pub(crate) end: usize,
    /// Its place in the graph's list of successors.
    successors: Range<usize>,
}

impl Block {
    pub(crate) fn range(&self) -> Range<usize> {
        self.first..self.end
    }
}

/// The control-flow graph: basic blocks in the order of their instructions.
#[derive(Debug)]
pub(crate) struct Cfg {
    pub(crate) blocks: Vec<Block>,
    /// The index of the instruction that binds each label.
    pub(crate) label_positions: LabelMap<usize>,
    /// The successors of each block, one block after the other.
    successors: Vec<usize>,
}

impl Cfg {
    pub(crate) fn new(code: &Code) -> Self {
        let label_positions: LabelMap<usize> = (0..)
            .zip(&code.insts)
            .filter_map(|(index, inst)| match inst.kind {
                InstKind::Bind(label) => Some((label, index)),
                _ => None,
            })
            .collect();
        let mut blocks: Vec<Block> = Vec::new();
        // By instruction, the block that begins with it.
        let mut block_at = vec![0; code.insts.len()];
        let mut first = 0;
        for (index, inst) in code.insts.iter().enumerate() {
            let last = index + 1 == code.insts.len();
            let jumps = !inst.falls_through() || !inst.targets().is_empty();
            if jumps || last || code.insts[index + 1].is_bind() {
                block_at[first] = blocks.len();
                blocks.push(Block {
                    first,
                    end: index + 1,
                    successors: 0..0,
                });
                first = index + 1;
            }
        }
        let count = blocks.len();
        let mut successors = Vec::new();
        let mut here = Vec::new();
        for (index, block) in blocks.iter_mut().enumerate() {
            let inst = &code.insts[block.end - 1];
            if inst.falls_through() && index + 1 < count {
                here.push(index + 1);
            }
            // A label that is not bound in this function is that of a trap.
            let targets = inst.targets().iter();
            let targets = targets.filter_map(|label| label_positions.get(label));
            here.extend(targets.map(|&position| block_at[position]));
            here.sort_unstable();
            here.dedup();
            let first = successors.len();
            successors.append(&mut here);
            block.successors = first..successors.len();
        }
        Self {
            blocks,
            label_positions,
            successors,
        }
    }

    /// The blocks that may follow a block, ascending.
    pub(crate) fn successors(&self, block: &Block) -> &[usize] {
        &self.successors[block.successors.clone()]
    }

    /// Liveness: the locals that are live at the end of each block, by backward iteration to the
    /// fixed point. `None` if the function is too large.
    pub(crate) fn live_out(&self, code: &Code) -> Option<Vec<BitSet>> {
        let words = code.words as usize;
        if (words / 64 + 1) * self.blocks.len() > MOST_WORDS {
            return None;
        }
        // The locals that a block reads before it writes them, and those that it writes first.
        let mut live_in = vec![BitSet::new(words); self.blocks.len()];
        let mut killed = live_in.clone();
        for (index, block) in self.blocks.iter().enumerate() {
            for access in code.insts[block.range()].iter().filter_map(Inst::access) {
                let local = access.local();
                if matches!(access, Access::Get(_)) {
                    if !killed[index].contains(local) {
                        live_in[index].insert(local);
                    }
                } else if !live_in[index].contains(local) {
                    killed[index].insert(local);
                }
            }
        }
        let mut live_out = vec![BitSet::new(words); self.blocks.len()];
        let mut visits = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for (index, block) in self.blocks.iter().enumerate().rev() {
                let successors = self.successors(block);
                visits += block.range().len() + (words / 64 + 1) * (successors.len() + 1);
                for &next in successors {
                    live_out[index].unite(&live_in[next]);
                }
                changed |= live_in[index].unite_without(&live_out[index], &killed[index]);
            }
            if visits > MOST_VISITS {
                return None;
            }
        }
        Some(live_out)
    }

    /// The height of the operand stack before each instruction. `None` for an unreachable one.
    pub(crate) fn heights(&self, code: &Code) -> Vec<Option<usize>> {
        let mut at_block: Vec<Option<usize>> = vec![None; self.blocks.len()];
        let mut heights = vec![None; code.insts.len()];
        if let Some(first) = at_block.first_mut() {
            *first = Some(code.arguments);
        }
        let mut queue = vec![0];
        while let Some(index) = queue.pop() {
            let (Some(block), Some(&Some(mut height))) =
                (self.blocks.get(index), at_block.get(index))
            else {
                continue;
            };
            for inst in block.range() {
                heights[inst] = Some(height);
                let (pops, pushes) = code.insts[inst].stack_effect();
                height = height + pushes - pops;
            }
            for &next in self.successors(block) {
                if at_block[next].is_none() {
                    at_block[next] = Some(height);
                    queue.push(next);
                }
            }
        }
        heights
    }
}

/// The transfer function of liveness, backward over one access of a local.
pub(crate) fn transfer(live: &mut BitSet, access: Access) {
    match access {
        Access::Get(local) => live.insert(local),
        Access::Set(local) | Access::Tee(local) => live.remove(local),
    }
}
