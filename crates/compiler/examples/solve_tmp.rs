use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_compiler::attempt;
use std::collections::BTreeMap;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let far = args[1] == "far";
    let (first, last): (u64, u64) = (args[2].parse().unwrap(), args[3].parse().unwrap());
    let moves: u32 = args[4].parse().unwrap();
    let profile = if far { Profile::FAR } else { Profile::STOCK };
    let graph = Machine::with_profile(profile, &Extension::ALL).graph;
    let mut exceeded: BTreeMap<String, usize> = BTreeMap::new();
    let mut best = (usize::MAX, usize::MAX);
    let mut fit = 0;
    for seed in first..=last {
        match attempt(&graph, profile.budget(), seed, moves) {
            Ok(s) => {
                fit += 1;
                let w = s.wiping();
                println!("seed {seed} fits: {w:?}");
                let w = (w.0 as usize, w.1 as usize);
                if w < best { best = w; std::fs::write(&args[5], s.to_text(&graph)).unwrap(); }
            }
            Err(f) => { if f.exceeded.is_empty() { println!("{}", f.error); } for e in f.exceeded { *exceeded.entry(e).or_default() += 1; } }
        }
    }
    println!("{fit} fit; {exceeded:?}");
}
