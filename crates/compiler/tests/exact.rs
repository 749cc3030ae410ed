//! The exact evaluator of the machine's graph against the plain interpreter.

use crate::common;
use weightware_compiler::Evaluator;
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_isa::{Interpreter, Program, Token, Vocabulary};

/// Compares the evaluator's token with the interpreter's at every step, and returns the number of
/// tokens.
fn compare(machine: &Machine, program: &Program) -> usize {
    let vocabulary = Vocabulary::new();
    let logits: Vec<_> = vocabulary
        .tokens()
        .iter()
        .map(|&token| machine.logit(token))
        .collect();
    let mut evaluator = Evaluator::new(&machine.graph);
    program
        .full_prompt()
        .for_each(|token| evaluator.push(&machine.embed(token)));
    let mut count = 0;
    let interpreter = Interpreter::new(program);
    let mut recent: Vec<String> = vec![];
    for expected in interpreter {
        let expected: Token = expected.expect("the program has no fault");
        let best = logits
            .iter()
            .zip(0..)
            .max_by_key(|(logit, id)| (evaluator.form(logit), u32::MAX - id));
        let token = vocabulary.token(best.expect("tokens").1).expect("in range");
        recent.push(expected.to_string());
        let tail = &recent[recent.len().saturating_sub(30)..];
        assert_eq!(token, expected, "token {count}, after {}", tail.join(" "));
        evaluator.push(&machine.embed(token));
        count += 1;
    }
    count
}

#[test]
fn random_programs() {
    random_programs_of(Profile::STOCK);
}

#[test]
fn random_programs_of_the_far_shape() {
    random_programs_of(Profile::FAR);
}

fn random_programs_of(profile: Profile) {
    let machine = Machine::with_profile(profile, &Extension::ALL);
    let mut total = 0;
    for seed in 0..40 {
        total += compare(&machine, &common::random_program(seed, 60));
    }
    assert!(total > 10_000, "{total} tokens are too few to tell");
}
