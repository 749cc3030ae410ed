use weightware_compiler::machine::{Machine, Module};
use weightware_compiler::{Budget, solve};
fn main() {
    let machine = Machine::new(&Module::ALL);
    for d_model in [36, 34, 32, 30] {
        for seed in 1..4 {
            let start = std::time::Instant::now();
            let budget = Budget { d_model, ..Budget::DEFAULT };
            match solve(&machine.graph, budget, seed, 300_000) {
                Ok(schedule) => { println!("{d_model} {seed}: ok {:?}", start.elapsed()); if d_model==36 && seed==1 {print!("{}", schedule.to_text(&machine.graph));} }
                Err(error) => println!("{d_model} {seed}: {error} {:?}", start.elapsed()),
            }
        }
    }
}
