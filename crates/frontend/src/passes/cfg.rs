//! The control-flow graph of a function, with two dataflow analyses over it: liveness of locals,
//! and the height of the operand stack.

use std::collections::HashMap;
use std::ops::Range;

use crate::bitset::BitSet;
use crate::code::{Access, Code, InstKind, Label};

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
    pub(crate) successors: Vec<usize>,
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
    pub(crate) label_positions: HashMap<Label, usize>,
}

impl Cfg {
    pub(crate) fn new(code: &Code) -> Self {
        let label_positions: HashMap<Label, usize> = (0..)
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
                    successors: Vec::new(),
                });
                first = index + 1;
            }
        }
        let count = blocks.len();
        for (index, block) in blocks.iter_mut().enumerate() {
            let inst = &code.insts[block.end - 1];
            if inst.falls_through() && index + 1 < count {
                block.successors.push(index + 1);
            }
            // A label that is not bound in this function is that of a trap.
            let targets = inst.targets().iter();
            let targets = targets.filter_map(|label| label_positions.get(label));
            block
                .successors
                .extend(targets.map(|&position| block_at[position]));
            block.successors.sort_unstable();
            block.successors.dedup();
        }
        Self {
            blocks,
            label_positions,
        }
    }

    /// Liveness: the locals that are live at the end of each block, by backward iteration to the
    /// fixed point. `None` if the function is too large.
    pub(crate) fn live_out(&self, code: &Code) -> Option<Vec<BitSet>> {
        let words = code.words as usize;
        if (words / 64 + 1) * self.blocks.len() > MOST_WORDS {
            return None;
        }
        let mut live_in = vec![BitSet::new(words); self.blocks.len()];
        let mut live_out = live_in.clone();
        let mut visits = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for (index, block) in self.blocks.iter().enumerate().rev() {
                visits += block.range().len() + (words / 64 + 1) * (block.successors.len() + 1);
                let mut live = live_out[index].clone();
                for &next in &block.successors {
                    live.unite(&live_in[next]);
                }
                live_out[index].unite(&live);
                for inst in code.insts[block.range()].iter().rev() {
                    if let Some(access) = inst.access() {
                        transfer(&mut live, access);
                    }
                }
                changed |= live_in[index].unite(&live);
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
            for &next in &block.successors {
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
