//! The exact evaluator on machines with planned features: today's programs run unchanged, and the
//! features compute what they should.

use crate::common;
use crate::context::Context;
use weightware_compiler::Schedule;
use weightware_compiler::machine::planned::{Planned, ROM_BASE};
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_isa::{Instruction, Op, Token};

fn machine(profile: Profile, planned: &[Planned]) -> Machine {
    Machine::with_planned(profile, &Extension::ALL, planned)
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

/// Runs a program of instructions of both kinds, and compares the trace line of each.
fn run(machine: &Machine, code: &[(Op, u32)], expected: &[&str]) {
    let mut context = Context::new(machine);
    context.read([Token::Open]);
    for &(op, immediate) in code {
        context.push(Token::Op(op));
        context.read(immediate.to_le_bytes().map(Token::byte));
    }
    context.read([Token::Close]);
    for (line, number) in expected.iter().zip(0..) {
        assert_eq!(context.instruction(), *line, "instruction {number}");
    }
}

const PUSHED: &str = "commit(+1,sts=1,bt=0)";
const BINARY: &str = "commit(-1,sts=1,bt=0)";
const POPPED: &str = "commit(-1,sts=0,bt=0)";

/// The bytes of a word as on the trace.
fn bytes(word: u32) -> String {
    let bytes = word.to_le_bytes().map(|byte| format!("{byte:02x}"));
    bytes.join(" ")
}

/// `x -- 2 x + 0x01010101` in the weights, called from the prompt and from the weights.
#[test]
fn code_in_the_weights() {
    let doubled = |x: u32| 2 * x + 0x0101_0101;
    let called = |x: u32| {
        [
            format!("{} {POPPED}", bytes(x)),
            format!("{} {PUSHED}", bytes(x)),
            format!("{} {PUSHED}", bytes(x)),
            format!("{} {BINARY}", bytes(2 * x)),
            format!("{} {PUSHED}", bytes(0x0101_0101)),
            format!("{} {BINARY}", bytes(doubled(x))),
        ]
    };
    let base = ROM_BASE as u32;
    let code = [
        (Op::I32Const, 5),
        (Op::Call, base | 3 << 24),
        (Op::Resume, 3),
        (Op::Call, (base + 7) | (4 << 24)),
        (Op::Resume, 5),
        (Op::Output, 0),
    ];
    let mut expected = vec![
        format!("{} {PUSHED}", bytes(5)),
        "00 00 10 call(3)".to_owned(),
    ];
    expected.extend(called(5));
    expected
        .extend(["03 00 00 return(3)", "07 00 10 call(4)", "00 00 10 call(7)"].map(String::from));
    let without_calls = expected.len() - 1;
    expected.extend(called(doubled(5)));
    expected.extend(["08 00 10 return(7)", "00 00 10 commit(0,sts=0,bt=1)"].map(String::from));
    expected.extend(called(doubled(doubled(5))));
    expected.extend(["05 00 00 return(4)", "out(2f)", "halt"].map(String::from));
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();

    let anywhere = [Planned::Anywhere, Planned::Rom];
    for set in [&[Planned::Rom][..], &anywhere] {
        run(
            &machine(Profile::STOCK, set),
            &code,
            &expected[..without_calls],
        );
    }
    for set in [&[Planned::RomCalls][..], &Planned::ALL] {
        run(&machine(Profile::STOCK, set), &code, &expected);
    }
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
