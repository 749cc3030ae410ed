//! Exactness of intermediate sums: no sum of a neuron's gate or a query may exceed 2^53 at any
//! position of a trace.
//!
//! Positions are taken at the horizon, all other dimensions at the greatest value in traces of
//! random programs. Dimensions that exceed 2^53 themselves (squares and products of operands that
//! are not addresses or factors) are meaningless by design: they are cleared or pushed out of
//! range, and left out here.

use crate::common;
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_compiler::{Evaluator, Writer};
use weightware_isa::{Interpreter, Token};

const POSITIONS: [&str; 12] = [
    "t",
    "latest_end",
    "base",
    "count",
    "opcode",
    "top_at",
    "second_at",
    "third_at",
    "growth_at",
    "local_at",
    "resume_at",
    "depth_sum",
];

/// Sums of which only the sign matters. They may be rounded once, as sums of two exact terms.
const SIGNS: [&str; 3] = ["compare.rise", "compare.fall", "compare.decided"];

/// Calls `see` with the evaluator after every token of the traces of some random programs.
fn at_every_token(
    machine: &Machine,
    seeds: std::ops::Range<u64>,
    mut see: impl FnMut(&Evaluator<'_>),
) {
    for seed in seeds {
        let program = common::random_program(seed, 60);
        let mut evaluator = Evaluator::new(&machine.graph);
        program
            .full_prompt()
            .for_each(|token| evaluator.push(&machine.embed(token)));
        for token in Interpreter::new(&program) {
            let token: Token = token.expect("the program has no fault");
            evaluator.push(&machine.embed(token));
            see(&evaluator);
        }
    }
}

#[test]
fn sums_stay_below_2_53() {
    for profile in Profile::ALL {
        let machine = Machine::with_profile(profile, &Extension::ALL);
        let graph = &machine.graph;
        let mut greatest = vec![0_i128; graph.dims().count()];
        at_every_token(&machine, 0..6, |evaluator| {
            for dim in graph.dims() {
                greatest[dim.index()] = greatest[dim.index()].max(evaluator.value(dim).abs());
            }
        });
        check(&machine, &greatest);
    }
}

/// Checks every sum of a machine, given the greatest value of each dimension except positions.
fn check(machine: &Machine, greatest: &[i128]) {
    let graph = &machine.graph;
    let mut greatest = greatest.to_vec();
    for dim in graph.dims() {
        if POSITIONS.contains(&graph.name(dim)) {
            greatest[dim.index()] = machine.profile().last_position.into();
        }
    }
    let mut checked = 0;
    for (writer, kind) in graph.writers() {
        let forms = match kind {
            Writer::Neuron { value, gate } => vec![value, gate],
            Writer::Lookup { query, scale, .. } => vec![query, scale],
            Writer::Table { argument, .. } => vec![argument],
            Writer::Average { .. } | Writer::Total { .. } => vec![],
        };
        for form in forms {
            let terms = form
                .terms()
                .iter()
                .map(|&(dim, coefficient)| i128::from(coefficient).abs() * greatest[dim.index()]);
            if form
                .terms()
                .iter()
                .any(|(dim, _)| greatest[dim.index()] >= 1 << 53)
            {
                continue;
            }
            if SIGNS.contains(&graph.writer_name(writer)) {
                assert!(form.terms().len() <= 2, "{}", graph.writer_name(writer));
                continue;
            }
            let sum: i128 = terms.sum();
            checked += 1;
            assert!(
                sum < 1 << 53,
                "{} sums up to 2^{:.1}",
                graph.writer_name(writer),
                (sum as f64).log2()
            );
        }
    }
    assert!(checked > 200, "only {checked} sums were checked");
}

/// A slot is reused by adding new - old: both are integers below 2^53, for the prompt's tokens,
/// too.
#[test]
fn what_is_written_over_is_exact() {
    for profile in Profile::ALL {
        let machine = Machine::with_profile(profile, &Extension::ALL);
        let graph = &machine.graph;
        let exact: Vec<_> = graph.dims().filter(|&dim| graph.is_exact(dim)).collect();
        let mut checked = 0;
        for seed in 30..33 {
            let program = common::random_program(seed, 60);
            let mut evaluator = Evaluator::new(graph);
            let trace = Interpreter::new(&program).map(|token| token.expect("no fault"));
            for token in program.full_prompt().chain(trace) {
                evaluator.push(&machine.embed(token));
                for &dim in &exact {
                    // Lifted numbers are near 1.5 * 2^52.
                    let value = evaluator.value(dim).abs();
                    assert!(value < 1 << 53, "{} is {value}", graph.name(dim));
                    checked += 1;
                }
            }
        }
        assert!(checked > 50_000, "only {checked} numbers were checked");
    }
    // The index is greatest in the text of a program as long as the context: a push for each byte
    // past the operand.
    for profile in Profile::ALL {
        let greatest = (i128::from(profile.last_position) + 16) << 27;
        assert!(greatest < 1 << 53, "{}", profile.name);
    }
}

/// The terms that neurons add to the dimensions that the unembedding reads are so small that their
/// sum is exact in any order. Otherwise a pair that cancels would leave a remainder under some
/// schedules.
#[test]
fn outputs_are_never_rounded() {
    let machine = Machine::new(&Extension::ALL);
    let graph = &machine.graph;
    let outputs: Vec<_> = graph.outputs().collect();
    let mut greatest = 0.0_f64;
    at_every_token(&machine, 20..26, |evaluator| {
        for &output in &outputs {
            let mut sum = 0.0;
            for (writer, kind) in graph.writers() {
                let Writer::Neuron { value, gate } = kind else {
                    continue;
                };
                for (_, coefficient) in graph.writes(writer).filter(|(dim, _)| *dim == output) {
                    let open = evaluator.form(gate).max(0) as f64;
                    sum += (evaluator.form(value) as f64 * open * coefficient).abs();
                }
            }
            greatest = greatest.max(sum);
        }
    });
    assert!(greatest < 2.0_f64.powi(48), "2^{:.1}", greatest.log2());
}
