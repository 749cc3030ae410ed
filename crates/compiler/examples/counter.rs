//! A transformer that counts: its graph, its schedule, and the numbers that it computes.
#![allow(clippy::print_stdout, reason = "an example prints")]

use weightware_compiler::{Budget, Evaluator, Graph, solve};

fn main() {
    // Every token carries a step. The steps so far are a running sum, rounded to an integer.
    let mut graph = Graph::new();
    let step = graph.input("step");
    let [sum] = graph.running_sums(["sum"], [step.into()]);
    let sum = graph.hold_rounded("sum", sum, 0);
    graph.output(sum);

    let budget = Budget {
        layers: 2,
        d_model: 6,
        d_ffn: 3,
    };
    let schedule = solve(&graph, budget, 1, 1000).expect("a small graph fits");
    print!("{}", schedule.to_text(&graph));

    let mut evaluator = Evaluator::new(&graph);
    for value in [0, 3, 4, -2] {
        evaluator.push(&[(graph.one(), 1), (step, value)]);
        println!("step {value:2}, sum {}", evaluator.value(sum));
    }
}
