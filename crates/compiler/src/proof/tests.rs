//! Bounds of the analysis against the exact evaluator, at far positions. A mistake in the bounds
//! would make both the proof and the plan engine unsound.

use std::collections::HashMap;

use weightware_analysis::Range;
use weightware_isa::{Interpreter, Program, Token};

use super::facts::Facts;
use crate::evaluate::Evaluator;
use crate::form::Dim;
use crate::graph::Writer;
use crate::machine::{Extension, Machine, Profile};
use crate::profile_model;
use crate::schedule::Schedule;

#[path = "../../tests/common/mod.rs"]
mod common;

/// The dimensions that hold the same integers in the evaluator and in the weights: no averages,
/// which the evaluator keeps as sums, and no shifted terms, which it rounds at once.
fn comparable(machine: &Machine) -> Vec<Dim> {
    let graph = &machine.graph;
    let whole = |dim: &Dim| {
        let parts = &graph.dims[dim.index()].parts;
        parts.iter().all(|part| {
            let writer = &graph.writers[part.output.writer.index()].writer;
            part.shift == 0 && !matches!(writer, Writer::Average { .. } | Writer::Total { .. })
        })
    };
    graph.dims().filter(whole).collect()
}

/// The instructions of a trace: the fetched token, the token before the instruction, and the
/// instruction's tokens.
fn instructions(program: &Program) -> Vec<(Token, Token, Vec<Token>)> {
    let mut run = Interpreter::new(program);
    let mut before = program.full_prompt().last().expect("a prompt");
    let mut all = vec![];
    while run.outcome().is_none() {
        let fetched = program.code.get(run.cursor());
        let fetched = fetched.map_or(Token::Close, |instruction| Token::Op(instruction.op));
        let mut tokens = vec![];
        loop {
            let token = run.next().expect("a token").expect("no fault");
            tokens.push(token);
            if token.ends_instruction() {
                break;
            }
        }
        let last = *tokens.last().expect("an end token");
        all.push((fetched, before, tokens));
        before = last;
    }
    all
}

/// Runs a program after `skipped` positions, and returns how many numbers were compared.
fn compare(
    facts: &mut Facts<'_>,
    known: &mut HashMap<(u16, Token, usize), Vec<Range>>,
    dims: &[Dim],
    (program, skipped): (&Program, u64),
) -> usize {
    let machine = facts.machine;
    let mut evaluator = Evaluator::new(&machine.graph);
    let mut prompt: Vec<Token> = program.full_prompt().collect();
    let last = prompt.pop().expect("a prompt");
    prompt
        .iter()
        .for_each(|&token| evaluator.push(&machine.embed(token)));
    evaluator.skip(skipped);
    evaluator.push(&machine.embed(last));
    let mut compared = 0;
    for (fetched, before, tokens) in instructions(program) {
        for (index, &token) in tokens.iter().enumerate() {
            let current = if index == 0 {
                before
            } else {
                tokens[index - 1]
            };
            let class = facts.class_of(current);
            let ranges = known.entry((class, fetched, index)).or_insert_with(|| {
                facts.enter_plainly(class, fetched, index);
                let range = |dim: &Dim| {
                    let form = facts.dim(*dim).expect("the analysis holds");
                    facts.analysis.interner.tight(facts.exact(form))
                };
                dims.iter().map(range).collect()
            });
            for (&dim, range) in dims.iter().zip(ranges.iter()) {
                let value = evaluator.value(dim) as f64;
                // Beyond 2^53 the weights are rounded and the evaluator is not.
                let slack = if value.abs() > 2.0_f64.powi(53) {
                    value.abs() * 2.0_f64.powi(-45)
                } else {
                    0.0
                };
                assert!(
                    range.lo - slack <= value && value <= range.hi + slack,
                    "{} after {current}, byte {index} of {fetched}, {skipped} tokens on: {value} is not in {range:?}",
                    machine.graph.name(dim),
                );
                compared += 1;
            }
            evaluator.push(&machine.embed(token));
        }
    }
    compared
}

#[test]
fn bounds_hold_at_far_positions() {
    for profile in [Profile::STOCK, Profile::FAR] {
        let machine = Machine::with_profile(profile, &Extension::ALL);
        let schedule = Schedule::parse(&machine.graph, profile.schedule())
            .expect("the committed schedule fits");
        let model = profile_model(profile);
        let mut facts =
            Facts::new(&machine, &schedule, &model).expect("the analysis accepts the weights");
        let dims = comparable(&machine);
        assert!(dims.len() > 80, "{} dimensions", dims.len());
        let (mut known, mut compared) = (HashMap::new(), 0);
        for seed in 0..24 {
            let program = common::random_program(seed, 50);
            // From the first positions to the last.
            let skipped = (profile.last_position - 20_000) * seed / 23;
            compared += compare(&mut facts, &mut known, &dims, (&program, skipped));
        }
        assert!(compared > 500_000, "{compared} numbers are too few to tell");
    }
}
