//! Live-range splitting: each web of a local becomes a local of its own.
//!
//! Two writes of a local belong to one web if some read may see the value of either. Union-find
//! over the writes and the values at the beginning of blocks finds the webs.

use super::cfg::{Cfg, transfer};
use crate::code::{Access, Code};

/// Functions with more pairs of a live local and a control-flow edge are left unchanged.
const MOST_VISITS: usize = 1 << 21;

/// Renames the locals so that each web has a word of the frame, unless the function is too large.
pub(crate) fn split(code: &mut Code) {
    let cfg = Cfg::new(code);
    let Some(live_out) = cfg.live_out(code) else {
        return;
    };
    let blocks = cfg.blocks.iter().zip(&live_out);
    let visits =
        blocks.map(|(block, live)| (cfg.successors(block).len() + 1) * live.iter().count());
    if visits.sum::<usize>() > MOST_VISITS {
        return;
    }
    // A node is the value of a local at the beginning of a block, or a write.
    let mut nodes = Nodes::default();
    // By block: the locals that are live at its beginning, ascending.
    let mut at_begin: Vec<Vec<(u32, usize)>> = Vec::with_capacity(live_out.len());
    for (block, mut live) in cfg.blocks.iter().zip(live_out) {
        let accesses = code.insts[block.range()].iter().rev();
        accesses
            .filter_map(|inst| inst.access())
            .for_each(|access| transfer(&mut live, access));
        at_begin.push(live.iter().map(|local| (local, nodes.add())).collect());
    }
    // By instruction, the node that it accesses.
    let mut node_of: Vec<Option<usize>> = vec![None; code.insts.len()];
    // By local, the node that it holds now; none between blocks.
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
        for &next in cfg.successors(block) {
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

/// Disjoint sets of nodes (union-find).
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
