use weightware_compiler::machine::{Machine, Module};
use weightware_compiler::{Budget, solve};
fn main() {
    let args: Vec<u64> = std::env::args()
        .skip(1)
        .map(|a| a.parse().unwrap())
        .collect();
    let graph = Machine::new(&Module::ALL).graph;
    let heads = graph.writers().filter(|(_, w)| w.is_head()).count();
    println!(
        "{} writers, {heads} heads, {} dims",
        graph.writers().count(),
        graph.dims().count()
    );
    for d_model in args[2]..=args[3] {
        let budget = Budget {
            d_model: d_model as usize,
            ..Budget::DEFAULT
        };
        for seed in 1..=args[0] {
            match solve(&graph, budget, seed, args[1] as u32) {
                Ok(s) if args.len() > 4 => {
                    println!("{}", s.to_text(&graph));
                    return;
                }
                Ok(_) => println!("{d_model} seed {seed}: fits"),
                Err(e) => println!("{d_model} seed {seed}: {e}"),
            }
        }
    }
}
