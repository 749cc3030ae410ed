//! The exact evaluator on machines with planned features: today's programs run unchanged, and the
//! features compute what they should.

use crate::common;
use crate::context::Context;
use weightware_compiler::Schedule;
use weightware_compiler::machine::planned::Planned;
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_isa::{Instruction, Op, Token};

fn machine(profile: Profile, planned: &[Planned]) -> Machine {
    Machine::with_planned(profile, &Extension::ALL, planned, None)
}

#[test]
fn programs_of_today_run_as_ever() {
    let alone = Planned::ALL.map(|planned| vec![planned]);
    let sets = alone.into_iter().chain([Planned::ALL.to_vec()]);
    let mut total = 0;
    for (set, seed) in sets.zip(100..) {
        let machine = machine(Profile::STOCK, &set);
        let program = common::random_program(seed, 60);
        let mut context = Context::new(&machine);
        context.read(program.prompt());
        total += context.follow(&program);
    }
    let all = machine(Profile::FAR, &Planned::ALL);
    let program = common::random_program(200, 60);
    let mut context = Context::new(&all);
    context.read(program.prompt());
    total += context.follow(&program);
    assert!(total > 2_000, "{total} tokens are too few to tell");
}

/// Four programs in one context, with any tokens between them. None sees the memory or the locals
/// of another.
#[test]
fn programs_anywhere() {
    let mut total = 0;
    let sets = [&[Planned::Anywhere][..], &Planned::ALL];
    for (profile, seed) in [Profile::STOCK, Profile::STOCK, Profile::FAR]
        .into_iter()
        .zip(0..)
    {
        let machine = machine(profile, sets[(seed % 2) as usize]);
        let mut context = Context::new(&machine);
        for number in 0..4 {
            let mut program = common::random_program(100 * seed + number, 40);
            // The last instruction of a program has the immediate 0.
            program.code.push(Instruction::new(Op::Unreachable, 0));
            context.read(program.prompt());
            total += context.follow(&program);
            context.read((0..seed + number).map(|byte| Token::byte(7 * byte as u8 + 200)));
        }
    }
    assert!(total > 3_000, "{total} tokens are too few to tell");
}

#[test]
fn planned_features_are_not_assembled() {
    let machine = machine(Profile::STOCK, &[Planned::Anywhere]);
    let schedule = Schedule::parse(
        &Machine::new(&Extension::ALL).graph,
        Profile::STOCK.schedule(),
    );
    let error = machine
        .assemble(&schedule.expect("fits"))
        .expect_err("planned");
    assert!(error.to_string().contains("anywhere is planned"), "{error}");
}
