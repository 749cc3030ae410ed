//! Weights assembled from different schedules, run by a plain softmax forward pass, against the
//! interpreter.

use crate::common;
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_compiler::{Evaluator, Schedule, solve};
use weightware_isa::{Interpreter, Op, Program, Token, Vocabulary};
use weightware_model::Model;

/// After every half-layer, every slot holds the value of its dimension in the exact evaluator.
#[test]
fn every_slot() {
    for profile in [Profile::STOCK, Profile::FAR] {
        let machine = Machine::with_profile(profile, &Extension::ALL);
        every_slot_of(&machine, profile.schedule(), &common::random_program(3, 30));
    }
}

/// A machine with a schedule, and a program in its prompt or in its weights.
pub(crate) fn every_slot_of(machine: &Machine, schedule: &str, program: &Program) {
    let vocabulary = Vocabulary::new();
    let (graph, profile) = (&machine.graph, machine.profile());
    let schedule = Schedule::parse(graph, schedule).expect("the committed schedule fits");
    let half_layers = 2 * i32::try_from(profile.budget().layers).expect("few");
    let readable: Vec<_> = (-1..half_layers)
        .map(|half_layer| schedule.readable(graph, half_layer))
        .collect();
    let model = machine.assemble(&schedule).expect("fits");
    let class = graph.dims().find(|&dim| graph.name(dim) == "fetched.class");
    let class = class.expect("there is one");
    let loads = [Op::I32Load, Op::I32Load8S].map(|op| {
        let row = machine.embed(Token::Op(op));
        let mut row = row.into_iter();
        let class = row.find(|&(dim, _)| graph.name(dim) == "token.class");
        i128::from(class.expect("an opcode has one").1)
    });
    let mut forward = common::Forward::new(&model);
    let mut evaluator = Evaluator::new(graph);
    let trace = Interpreter::new(program).map(|token| token.expect("the program has no fault"));
    for (token, position) in program.full_prompt().chain(trace).zip(0..) {
        forward.push(vocabulary.id(token));
        evaluator.push(&machine.embed(token));
        if position + 1 < program.full_prompt().count() {
            continue;
        }
        for ((half_layer, x), readable) in (-1..).zip(&forward.half_layers).zip(&readable) {
            for &(slot, dim) in readable {
                let (name, exact, have) = (graph.name(dim), evaluator.value(dim) as f64, x[slot]);
                // At other instructions it is the difference of two meaningless squares.
                if ["miss", "missed"].contains(&name) && !loads.contains(&evaluator.value(class)) {
                    continue;
                }
                // An average stands for its sum. Other dimensions differ from integers only by
                // rounding.
                let off = if name.starts_with("average:") {
                    0.0
                } else {
                    (have - exact).abs() / exact.abs().max(1.0)
                };
                assert!(
                    off < 1e-9,
                    "{name} in slot {slot} after half-layer {half_layer} is {have}, not {exact}, at {position} {token}"
                );
            }
        }
    }
}

#[test]
fn eleven_schedules() {
    schedules_of(Profile::STOCK, 40);
}

#[test]
fn eleven_schedules_of_the_far_shape() {
    schedules_of(Profile::FAR, 15);
}

fn schedules_of(profile: Profile, length: u32) {
    let machine = Machine::with_profile(profile, &Extension::ALL);
    let mut total = 0;
    let committed =
        Schedule::parse(&machine.graph, profile.schedule()).expect("the committed schedule fits");
    // A search sometimes finds no schedule.
    let solved =
        (1..150).filter_map(|seed| solve(&machine.graph, profile.budget(), seed, 300_000).ok());
    let schedules: Vec<_> = std::iter::once(committed).chain(solved.take(10)).collect();
    assert_eq!(schedules.len(), 11);
    for (schedule, seed) in schedules.into_iter().zip(0..) {
        let model = machine.assemble(&schedule).expect("fits");
        let program = common::random_program(seed, length);
        total += follow(&model, &program, &format!("schedule {seed}"));
    }
    assert!(total > 1000, "{total} tokens are too few to tell");
}

/// Decodes a program by a plain softmax pass, compares with the plain interpreter, and returns the
/// number of tokens.
pub(crate) fn follow(model: &Model, program: &Program, name: &str) -> usize {
    let vocabulary = Vocabulary::new();
    let mut forward = common::Forward::new(model);
    let mut x = vec![];
    program
        .full_prompt()
        .for_each(|token| x = forward.push(vocabulary.id(token)));
    let mut total = 0;
    for expected in Interpreter::new(program) {
        let expected = vocabulary.id(expected.expect("the program has no fault"));
        let token = forward.argmax(&x);
        assert_eq!(
            token,
            expected,
            "{name}, token {total}: {:?}",
            vocabulary.token(token)
        );
        x = forward.push(token);
        total += 1;
    }
    total
}

#[test]
fn default_model_has_the_shape() {
    let model = weightware_compiler::default_model();
    let shape = model.config.shape;
    assert_eq!(
        (shape.layers, shape.d_model, shape.heads, shape.d_ffn),
        (7, 36, 18, 36)
    );
    assert!(shape.vocab < 2000);
    model.validate().expect("a sound model");
}
