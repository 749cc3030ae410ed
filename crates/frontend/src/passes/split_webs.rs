//! Renaming: a local that is used for several things in turn becomes several locals. Writes belong together if there is a
//! read that either may reach.

use super::cfg::{Cfg, step};
use crate::code::{Access, Code};

/// Locals of all blocks and ways between them beyond which nothing is renamed.
const EFFORT: usize = 1 << 21;

/// Renames the locals, unless there are too many to tell. The frame grows by those that are new.
pub(crate) fn split(code: &mut Code) {
    let cfg = Cfg::new(code);
    let Some(live_out) = cfg.live_out(code) else {
        return;
    };
    let ways = cfg.blocks.iter().zip(&live_out);
    let effort = ways.map(|(block, live)| (block.successors.len() + 1) * live.iter().count());
    if effort.sum::<usize>() > EFFORT {
        return;
    }
    // A node is what a local holds at the beginning of a block, or a write.
    let mut nodes = Nodes::default();
    // By block: the locals that are live at its beginning, ascending.
    let mut at_begin: Vec<Vec<(u32, usize)>> = Vec::with_capacity(live_out.len());
    for (block, mut live) in cfg.blocks.iter().zip(live_out) {
        let accesses = code.insts[block.range()].iter().rev();
        accesses
            .filter_map(|inst| inst.access())
            .for_each(|access| step(&mut live, access));
        at_begin.push(live.iter().map(|local| (local, nodes.add())).collect());
    }
    // The node that each access is of.
    let mut node_of: Vec<Option<usize>> = vec![None; code.insts.len()];
    // By local, the node that holds it; none between blocks.
    let mut now: Vec<Option<usize>> = vec![None; code.words as usize];
    let mut written = Vec::new();
    for (block, begin) in cfg.blocks.iter().zip(&at_begin) {
        for &(local, node) in begin {
            now[local as usize] = Some(node);
        }
        for inst in block.range() {
            let Some(access) = code.insts[inst].access() else {
                continue;
            };
            let local = access.local();
            if !matches!(access, Access::Get(_)) {
                now[local as usize] = Some(nodes.add());
                written.push(local);
            }
            node_of[inst] = now[local as usize];
        }
        for &next in &block.successors {
            for &(local, into) in &at_begin[next] {
                if let Some(from) = now[local as usize] {
                    nodes.unite(from, into);
                }
            }
        }
        let begin = begin.iter().map(|&(local, _)| local);
        for local in begin.chain(written.drain(..)) {
            now[local as usize] = None;
        }
    }
    let mut names: Vec<Option<u32>> = vec![None; nodes.0.len()];
    let mut count = 0;
    for (inst, node) in code.insts.iter_mut().zip(node_of) {
        let (Some(access), Some(node)) = (inst.access(), node) else {
            continue;
        };
        let name = *names[nodes.root(node)].get_or_insert_with(|| {
            count += 1;
            count - 1
        });
        *inst = inst.with_access(access.of(name));
    }
    code.words = count;
}

/// Classes of nodes.
#[derive(Default)]
struct Nodes(Vec<usize>);

impl Nodes {
    fn add(&mut self) -> usize {
        self.0.push(self.0.len());
        self.0.len() - 1
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.0[node] != node {
            self.0[node] = self.0[self.0[node]];
            node = self.0[node];
        }
        node
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
