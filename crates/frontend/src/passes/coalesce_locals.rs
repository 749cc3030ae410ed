//! Allocation: locals that are never live together share a word of the frame. First the two ends of a copy, which then
//! copies a word to itself and vanishes; then each local gets the lowest word that is free.

use super::cfg::{Cfg, step};
use super::split_webs;
use crate::bitset::BitSet;
use crate::code::{Access, Code, Inst};

/// Locals beyond which they keep their own words.
const MOST: u32 = 1 << 11;

/// Gives each local a word; `shared`: that of another, if they are never live together, or else only that of its copies.
pub(crate) fn run(code: &mut Code, shared: bool) {
    let before = code.clone();
    split_webs::split(code);
    if code.words > MOST {
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
        // Copies of a word to itself.
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

/// Which locals need words of their own.
struct Interference {
    with: Vec<BitSet>,
    used: Vec<bool>,
}

impl Interference {
    fn of(code: &Code, cfg: &Cfg) -> Option<Self> {
        let count = code.words as usize;
        let mut graph = Self {
            with: vec![BitSet::new(count); count],
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
                    // What is copied has the same value.
                    let same = source(code, index);
                    for other in live.iter() {
                        if other != local && Some(other) != same {
                            graph.connect(local, other);
                        }
                    }
                }
                step(&mut live, access);
            }
            if block.first == 0 {
                // Whatever is read before it is written.
                let first: Vec<u32> = live.iter().collect();
                for &a in &first {
                    (0..code.words)
                        .filter(|&b| b != a)
                        .for_each(|b| graph.connect(a, b));
                }
            }
        }
        Some(graph)
    }

    fn connect(&mut self, a: u32, b: u32) {
        self.with[a as usize].insert(b);
        self.with[b as usize].insert(a);
    }

    /// The word of each local, and how many words there are.
    fn allocate(mut self, code: &Code, cfg: &Cfg, shared: bool) -> (Vec<u32>, u32) {
        let count = code.words;
        // Locals that share a word are represented by one of them.
        let mut of: Vec<u32> = (0..count).collect();
        for (a, b) in copies(code, cfg) {
            let (a, b) = (root(&of, a), root(&of, b));
            if a != b && !self.with[a as usize].contains(b) {
                of[b as usize] = a;
                let theirs = self.with[b as usize].clone();
                for other in theirs.iter() {
                    self.connect(a, other);
                }
            }
        }
        let mut words: Vec<Option<u32>> = vec![None; count as usize];
        let mut most = 0;
        for local in 0..count {
            let local = root(&of, local) as usize;
            if words[local].is_some() || !self.used[local] {
                continue;
            }
            let mut taken = BitSet::new(count as usize + 1);
            if !shared {
                words[local] = Some(most);
                most += 1;
                continue;
            }
            for other in self.with[local].iter() {
                let word = words[root(&of, other) as usize];
                word.into_iter().for_each(|word| taken.insert(word));
            }
            let word = (0..=count)
                .find(|&word| !taken.contains(word))
                .unwrap_or(count);
            words[local] = Some(word);
            most = most.max(word + 1);
        }
        let word = |local| words[root(&of, local) as usize].unwrap_or(0);
        ((0..count).map(word).collect(), most)
    }
}

fn root(of: &[u32], mut local: u32) -> u32 {
    while of[local as usize] != local {
        local = of[local as usize];
    }
    local
}

/// The local whose value a write copies.
fn source(code: &Code, write: usize) -> Option<u32> {
    match code.insts[write.checked_sub(1)?].access()? {
        Access::Get(local) | Access::Tee(local) => Some(local),
        Access::Set(_) => None,
    }
}

/// The copies of one local to another, those in inner loops first.
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
