//! The ways through a function: its blocks, which locals are live where, how high the operand stack is.

use std::collections::HashMap;
use std::ops::Range;

use crate::bitset::BitSet;
use crate::code::Label;
use crate::code::{Access, Code, InstKind};

/// Words of all sets of a function beyond which nothing is asked about its locals.
const SPACE: usize = 1 << 24;

/// Lines and words that are looked at, likewise.
const EFFORT: usize = 1 << 28;

/// Lines that are executed one after the other.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) first: usize,
    /// The inst live_out the last.
    pub(crate) end: usize,
    pub(crate) successors: Vec<usize>,
}

impl Block {
    pub(crate) fn range(&self) -> Range<usize> {
        self.first..self.end
    }
}

/// The blocks of a function, in the order of its insts.
#[derive(Debug)]
pub(crate) struct Cfg {
    pub(crate) blocks: Vec<Block>,
    /// The insts of labels.
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
        // By inst, the block that begins with it.
        let mut block_at = vec![0; code.insts.len()];
        let mut first = 0;
        for (index, inst) in code.insts.iter().enumerate() {
            let last = index + 1 == code.insts.len();
            let jumps = !inst.falls_through() || !inst.targets().is_empty();
            let is_bind = |inst: &crate::code::Inst| inst.is_bind();
            if jumps || last || is_bind(&code.insts[index + 1]) {
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
            // A label that is not bound here is a trap's.
            let targets = inst
                .targets()
                .iter()
                .filter_map(|label| label_positions.get(label));
            block
                .successors
                .extend(targets.map(|&place| block_at[place]));
            block.successors.sort_unstable();
            block.successors.dedup();
        }
        Self {
            blocks,
            label_positions,
        }
    }

    /// The locals that are live live_out each block: those that are read before they are written. `None`: there are too
    /// many to tell.
    pub(crate) fn live_out(&self, code: &Code) -> Option<Vec<BitSet>> {
        let words = code.words as usize;
        if (words / 64 + 1) * self.blocks.len() > SPACE {
            return None;
        }
        let mut before = vec![BitSet::new(words); self.blocks.len()];
        let mut live_out = before.clone();
        let mut effort = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for (index, block) in self.blocks.iter().enumerate().rev() {
                effort += block.range().len() + (words / 64 + 1) * (block.successors.len() + 1);
                let mut live = live_out[index].clone();
                for &next in &block.successors {
                    live.unite(&before[next]);
                }
                live_out[index].unite(&live);
                for inst in code.insts[block.range()].iter().rev() {
                    if let Some(access) = inst.access() {
                        step(&mut live, access);
                    }
                }
                changed |= before[index].unite(&live);
            }
            if effort > EFFORT {
                return None;
            }
        }
        Some(live_out)
    }

    /// The height of the operand stack before each inst. `None`: no way leads there.
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

/// What is live before an access, from what is live live_out it.
pub(crate) fn step(live: &mut BitSet, access: Access) {
    match access {
        Access::Get(local) => live.insert(local),
        Access::Set(local) | Access::Tee(local) => live.remove(local),
    }
}
