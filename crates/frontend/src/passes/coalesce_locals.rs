//! Allocation of frame words by greedy colouring of an interference graph, after copy coalescing.
//!
//! Locals that are not live together can share a word. If source and destination of a copy share a
//! word, the copy is removed. So these are coalesced first, copies of inner loops before others.
//! Then each local gets the lowest word that none of its neighbours has.

use super::cfg::{Cfg, transfer};
use super::split_webs;
use crate::bitset::BitSet;
use crate::code::{Access, Code, Inst};

/// Functions with more locals are left unchanged.
const MOST_LOCALS: u32 = 1 << 11;

/// Allocates a word to each local. `shared`: locals that are not live together share one;
/// otherwise only source and destination of a copy do.
pub(crate) fn run(code: &mut Code, shared: bool) {
    let before = code.clone();
    split_webs::split(code);
    if code.words > MOST_LOCALS {
        *code = before;
        return;
    }
    let cfg = Cfg::new(code);
    let Some(interference) = Interference::of(code, &cfg) else {
        return;
    };
    let (words, count) = interference.allocate(code, &cfg, shared);
    code.words = count;
    let mut insts: Vec<Inst> = Vec::with_capacity(code.insts.len());
    for inst in std::mem::take(&mut code.insts) {
        let Some(access) = inst.access() else {
            insts.push(inst);
            continue;
        };
        let word = words[access.local() as usize];
        let access = access.of(word);
        // A copy of a word to itself is removed.
        let last = insts.last().and_then(Inst::access);
        match (last, access) {
            (Some(Access::Get(from)), Access::Set(to)) if from == to => drop(insts.pop()),
            (Some(Access::Get(from) | Access::Tee(from)), Access::Tee(to)) if from == to => {}
            (Some(Access::Tee(from)), Access::Set(to)) if from == to => {
                insts.pop();
                insts.push(inst.with_access(access));
            }
            _ => insts.push(inst.with_access(access)),
        }
    }
    code.insts = insts;
}

/// The interference graph of locals.
struct Interference {
    /// The locals that are live together with each local.
    neighbours: Vec<BitSet>,
    /// Whether each local is accessed.
    used: Vec<bool>,
}

impl Interference {
    fn of(code: &Code, cfg: &Cfg) -> Option<Self> {
        let count = code.words as usize;
        let mut graph = Self {
            neighbours: vec![BitSet::new(count); count],
            used: vec![false; count],
        };
        let live_out = cfg.live_out(code)?;
        for (block, mut live) in cfg.blocks.iter().zip(live_out) {
            for index in block.range().rev() {
                let Some(access) = code.insts[index].access() else {
                    continue;
                };
                let local = access.local();
                graph.used[local as usize] = true;
                if !matches!(access, Access::Get(_)) {
                    let neighbours = &mut graph.neighbours[local as usize];
                    // The source of a copy has the same value, so it does not interfere.
                    let same = source(code, index).filter(|&same| !neighbours.contains(same));
                    neighbours.unite(&live);
                    neighbours.remove(local);
                    same.into_iter().for_each(|same| neighbours.remove(same));
                }
                transfer(&mut live, access);
            }
            if block.first == 0 {
                // A local that may be read before it is written shares no word.
                let first: Vec<u32> = live.iter().collect();
                for &a in &first {
                    (0..code.words)
                        .filter(|&b| b != a)
                        .for_each(|b| graph.connect(a, b));
                }
            }
        }
        graph.mirror();
        Some(graph)
    }

    /// Makes each local a neighbour of its neighbours.
    fn mirror(&mut self) {
        for local in 0..self.neighbours.len() {
            let theirs = self.neighbours[local].clone();
            for other in theirs.iter() {
                self.neighbours[other as usize].insert(local as u32);
            }
        }
    }

    fn connect(&mut self, a: u32, b: u32) {
        self.neighbours[a as usize].insert(b);
        self.neighbours[b as usize].insert(a);
    }

    /// Coalesces copies and colours the graph: the word of each local, and the number of words.
    fn allocate(mut self, code: &Code, cfg: &Cfg, shared: bool) -> (Vec<u32>, u32) {
        let count = code.words;
        // Union-find: coalesced locals are represented by one of them.
        let mut parents: Vec<u32> = (0..count).collect();
        for (a, b) in copies(code, cfg) {
            let (a, b) = (root(&parents, a), root(&parents, b));
            if a != b && !self.neighbours[a as usize].contains(b) {
                parents[b as usize] = a;
                let theirs = self.neighbours[b as usize].clone();
                for other in theirs.iter() {
                    self.connect(a, other);
                }
            }
        }
        let mut words: Vec<Option<u32>> = vec![None; count as usize];
        let mut most = 0;
        for local in 0..count {
            let local = root(&parents, local) as usize;
            if words[local].is_some() || !self.used[local] {
                continue;
            }
            if !shared {
                words[local] = Some(most);
                most += 1;
                continue;
            }
            let mut taken = BitSet::new(count as usize + 1);
            for other in self.neighbours[local].iter() {
                let word = words[root(&parents, other) as usize];
                word.into_iter().for_each(|word| taken.insert(word));
            }
            let word = (0..=count)
                .find(|&word| !taken.contains(word))
                .unwrap_or(count);
            words[local] = Some(word);
            most = most.max(word + 1);
        }
        let word = |local| words[root(&parents, local) as usize].unwrap_or(0);
        ((0..count).map(word).collect(), most)
    }
}

fn root(parents: &[u32], mut local: u32) -> u32 {
    while parents[local as usize] != local {
        local = parents[local as usize];
    }
    local
}

/// The local that is copied by a write, if it is a copy.
fn source(code: &Code, write: usize) -> Option<u32> {
    match code.insts[write.checked_sub(1)?].access()? {
        Access::Get(local) | Access::Tee(local) => Some(local),
        Access::Set(_) => None,
    }
}

/// The copies between locals, as source and destination, those in inner loops first.
fn copies(code: &Code, cfg: &Cfg) -> Vec<(u32, u32)> {
    let mut depth_changes = vec![0_i32; code.insts.len() + 1];
    for (index, inst) in code.insts.iter().enumerate() {
        for place in inst
            .targets()
            .iter()
            .filter_map(|label| cfg.label_positions.get(label))
        {
            if *place <= index {
                depth_changes[*place] += 1;
                depth_changes[index + 1] -= 1;
            }
        }
    }
    let mut depth = 0;
    let mut copies = Vec::new();
    for (index, inst) in code.insts.iter().enumerate() {
        depth += depth_changes[index];
        if let (Some(to), Some(from)) = (inst.writes(), source(code, index)) {
            copies.push((depth, from, to));
        }
    }
    copies.sort_by_key(|&(depth, ..)| std::cmp::Reverse(depth));
    copies.into_iter().map(|(_, from, to)| (from, to)).collect()
}
