//! The ways through a function: its blocks, which locals are alive where, how high the operand stack is.

use std::collections::HashMap;
use std::ops::Range;

use crate::bitset::BitSet;
use crate::code::Label;
use crate::code::{Access, Code, Kind};

/// Words of all sets of a function beyond which nothing is asked about its locals.
const SPACE: usize = 1 << 24;

/// Lines and words that are looked at, likewise.
const EFFORT: usize = 1 << 28;

/// Lines that are executed one after the other.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) first: usize,
    /// The line behind the last.
    pub(crate) end: usize,
    pub(crate) next: Vec<usize>,
}

impl Block {
    pub(crate) fn lines(&self) -> Range<usize> {
        self.first..self.end
    }
}

/// The blocks of a function, in the order of its lines.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) blocks: Vec<Block>,
    /// The lines of labels.
    pub(crate) places: HashMap<Label, usize>,
}

impl Flow {
    pub(crate) fn new(code: &Code) -> Self {
        let places: HashMap<Label, usize> = (0..)
            .zip(&code.lines)
            .filter_map(|(index, line)| match line.kind {
                Kind::Bind(label) => Some((label, index)),
                _ => None,
            })
            .collect();
        let mut blocks: Vec<Block> = Vec::new();
        // By line, the block that begins with it.
        let mut block_at = vec![0; code.lines.len()];
        let mut first = 0;
        for (index, line) in code.lines.iter().enumerate() {
            let last = index + 1 == code.lines.len();
            let jumps = !line.goes_on() || !line.targets().is_empty();
            let is_bind = |line: &crate::code::Line| matches!(line.kind, Kind::Bind(_));
            if jumps || last || is_bind(&code.lines[index + 1]) {
                block_at[first] = blocks.len();
                blocks.push(Block {
                    first,
                    end: index + 1,
                    next: Vec::new(),
                });
                first = index + 1;
            }
        }
        let count = blocks.len();
        for (index, block) in blocks.iter_mut().enumerate() {
            let line = &code.lines[block.end - 1];
            if line.goes_on() && index + 1 < count {
                block.next.push(index + 1);
            }
            // A label that is not bound here is a trap's.
            let targets = line.targets().iter().filter_map(|label| places.get(label));
            block.next.extend(targets.map(|&place| block_at[place]));
            block.next.sort_unstable();
            block.next.dedup();
        }
        Self { blocks, places }
    }

    /// The locals that are alive behind each block: those that are read before they are written. `None`: there are too
    /// many to tell.
    pub(crate) fn alive_behind(&self, code: &Code) -> Option<Vec<BitSet>> {
        let words = code.words as usize;
        if (words / 64 + 1) * self.blocks.len() > SPACE {
            return None;
        }
        let mut before = vec![BitSet::new(words); self.blocks.len()];
        let mut behind = before.clone();
        let mut effort = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for (index, block) in self.blocks.iter().enumerate().rev() {
                effort += block.lines().len() + (words / 64 + 1) * (block.next.len() + 1);
                let mut alive = behind[index].clone();
                for &next in &block.next {
                    alive.unite(&before[next]);
                }
                behind[index].unite(&alive);
                for line in code.lines[block.lines()].iter().rev() {
                    if let Some(access) = line.access() {
                        step(&mut alive, access);
                    }
                }
                changed |= before[index].unite(&alive);
            }
            if effort > EFFORT {
                return None;
            }
        }
        Some(behind)
    }

    /// The height of the operand stack before each line. `None`: no way leads there.
    pub(crate) fn heights(&self, code: &Code) -> Vec<Option<usize>> {
        let mut at_block: Vec<Option<usize>> = vec![None; self.blocks.len()];
        let mut heights = vec![None; code.lines.len()];
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
            for line in block.lines() {
                heights[line] = Some(height);
                let (takes, leaves) = code.lines[line].effect();
                height = height + leaves - takes;
            }
            for &next in &block.next {
                if at_block[next].is_none() {
                    at_block[next] = Some(height);
                    queue.push(next);
                }
            }
        }
        heights
    }
}

/// What is alive before an access, from what is alive behind it.
pub(crate) fn step(alive: &mut BitSet, access: Access) {
    match access {
        Access::Get(local) => alive.insert(local),
        Access::Set(local) | Access::Tee(local) => alive.remove(local),
    }
}
