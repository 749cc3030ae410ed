//! Allocation: locals that are never alive together share a word of the frame. First the two ends of a copy, which then
//! copies a word to itself and vanishes; then each local gets the lowest word that is free.

use super::cfg::{Flow, step};
use super::split_webs;
use crate::bitset::BitSet;
use crate::code::{Access, Code, Line};

/// Locals beyond which they keep their own words.
const MOST: u32 = 1 << 11;

/// Gives each local a word; `shared`: that of another, if they are never alive together, or else only that of its copies.
pub(crate) fn run(code: &mut Code, shared: bool) {
    let before = code.clone();
    split_webs::split(code);
    if code.words > MOST {
        *code = before;
        return;
    }
    let flow = Flow::new(code);
    let Some(interference) = Interference::of(code, &flow) else {
        return;
    };
    let (words, count) = interference.allocate(code, &flow, shared);
    code.words = count;
    let mut lines: Vec<Line> = Vec::with_capacity(code.lines.len());
    for line in std::mem::take(&mut code.lines) {
        let Some(access) = line.access() else {
            lines.push(line);
            continue;
        };
        let word = words[access.local() as usize];
        let access = access.of(word);
        // Copies of a word to itself.
        let last = lines.last().and_then(Line::access);
        match (last, access) {
            (Some(Access::Get(from)), Access::Set(to)) if from == to => drop(lines.pop()),
            (Some(Access::Get(from) | Access::Tee(from)), Access::Tee(to)) if from == to => {}
            (Some(Access::Tee(from)), Access::Set(to)) if from == to => {
                lines.pop();
                lines.push(line.with_access(access));
            }
            _ => lines.push(line.with_access(access)),
        }
    }
    code.lines = lines;
}

/// Which locals need words of their own.
struct Interference {
    with: Vec<BitSet>,
    used: Vec<bool>,
}

impl Interference {
    fn of(code: &Code, flow: &Flow) -> Option<Self> {
        let count = code.words as usize;
        let mut graph = Self {
            with: vec![BitSet::new(count); count],
            used: vec![false; count],
        };
        let behind = flow.alive_behind(code)?;
        for (block, mut alive) in flow.blocks.iter().zip(behind) {
            for index in block.lines().rev() {
                let Some(access) = code.lines[index].access() else {
                    continue;
                };
                let local = access.local();
                graph.used[local as usize] = true;
                if !matches!(access, Access::Get(_)) {
                    // What is copied has the same value.
                    let same = source(code, index);
                    for other in alive.iter() {
                        if other != local && Some(other) != same {
                            graph.connect(local, other);
                        }
                    }
                }
                step(&mut alive, access);
            }
            if block.first == 0 {
                // Whatever is read before it is written.
                let first: Vec<u32> = alive.iter().collect();
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
    fn allocate(mut self, code: &Code, flow: &Flow, shared: bool) -> (Vec<u32>, u32) {
        let count = code.words;
        // Locals that share a word are represented by one of them.
        let mut of: Vec<u32> = (0..count).collect();
        for (a, b) in copies(code, flow) {
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
    match code.lines[write.checked_sub(1)?].access()? {
        Access::Get(local) | Access::Tee(local) => Some(local),
        Access::Set(_) => None,
    }
}

/// The copies of one local to another, those in inner loops first.
fn copies(code: &Code, flow: &Flow) -> Vec<(u32, u32)> {
    let mut depth_changes = vec![0_i32; code.lines.len() + 1];
    for (index, line) in code.lines.iter().enumerate() {
        for place in line
            .targets()
            .iter()
            .filter_map(|label| flow.places.get(label))
        {
            if *place <= index {
                depth_changes[*place] += 1;
                depth_changes[index + 1] -= 1;
            }
        }
    }
    let mut depth = 0;
    let mut copies = Vec::new();
    for (index, line) in code.lines.iter().enumerate() {
        depth += depth_changes[index];
        if let (Some(to), Some(from)) = (line.writes(), source(code, index)) {
            copies.push((depth, from, to));
        }
    }
    copies.sort_by_key(|&(depth, ..)| std::cmp::Reverse(depth));
    copies.into_iter().map(|(_, from, to)| (from, to)).collect()
}
