//! Renaming: a local that is used for several things in turn becomes several locals. Writes belong together if there is a
//! read that either may reach.

use std::collections::HashMap;

use super::flow::{Flow, step};
use crate::code::{Access, Code};

/// Locals of all blocks and ways between them beyond which nothing is renamed.
const EFFORT: usize = 1 << 21;

/// Renames the locals, unless there are too many to tell. The frame grows by those that are new.
pub(crate) fn split(code: &mut Code) {
    let flow = Flow::new(code);
    let Some(behind) = flow.alive_behind(code) else {
        return;
    };
    let ways = flow.blocks.iter().zip(&behind);
    let effort = ways.map(|(block, alive)| (block.next.len() + 1) * alive.iter().count());
    if effort.sum::<usize>() > EFFORT {
        return;
    }
    // A node is what a local holds at the beginning of a block, or a write.
    let mut nodes = Nodes::default();
    let mut at_begin: HashMap<(usize, u32), usize> = HashMap::new();
    for (index, (block, alive)) in flow.blocks.iter().zip(&behind).enumerate() {
        let mut alive = alive.clone();
        let accesses = code.lines[block.lines()].iter().rev();
        accesses
            .filter_map(|line| line.access())
            .for_each(|access| step(&mut alive, access));
        for local in alive.iter() {
            at_begin.insert((index, local), nodes.add());
        }
    }
    // The node that each access is of.
    let mut node_of: Vec<Option<usize>> = vec![None; code.lines.len()];
    for (index, block) in flow.blocks.iter().enumerate() {
        let mut now: HashMap<u32, usize> = HashMap::new();
        for line in block.lines() {
            let Some(access) = code.lines[line].access() else {
                continue;
            };
            let local = access.local();
            let node = match access {
                Access::Get(_) => now
                    .get(&local)
                    .or_else(|| at_begin.get(&(index, local)))
                    .copied(),
                Access::Set(_) | Access::Tee(_) => Some(nodes.add()),
            };
            node_of[line] = node;
            now.extend(node.map(|node| (local, node)));
        }
        for &next in &block.next {
            for local in behind[index].iter() {
                let Some(&into) = at_begin.get(&(next, local)) else {
                    continue;
                };
                let from = now.get(&local).or_else(|| at_begin.get(&(index, local)));
                from.into_iter().for_each(|&from| nodes.unite(from, into));
            }
        }
    }
    let mut names: HashMap<usize, u32> = HashMap::new();
    for (line, node) in code.lines.iter_mut().zip(node_of) {
        let (Some(access), Some(node)) = (line.access(), node) else {
            continue;
        };
        let next = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let name = *names.entry(nodes.root(node)).or_insert(next);
        *line = line.with_access(access.of(name));
    }
    code.words = u32::try_from(names.len()).unwrap_or(u32::MAX);
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
