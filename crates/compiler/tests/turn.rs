//! Contexts that turn, in the exact evaluator: the instructions with which a program saves its
//! state, and interrupted jumps.

use crate::context::Context;
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_isa::{BLOCK, Instruction, Op, Program};

const fn new(op: Op, immediate: u32) -> Instruction {
    Instruction::new(op, immediate)
}

const fn access(op: Op, offset: u32) -> Instruction {
    Instruction::with_byte(op, offset, 255)
}

fn follow(machine: &Machine, program: &Program) {
    let mut context = Context::empty(machine);
    context.read(program.full_prompt());
    let mut run = machine.profile().interpreter(program);
    context.follow_run(&mut run);
}

/// Probes and blocks around written bytes, the centre of the addresses, and the ends of both.
#[test]
fn blocks() {
    let centre = u32::try_from(Profile::STOCK.memory.centre).unwrap();
    let mut code = vec![new(Op::Section, 70_000)];
    let mut store = |address: u32| {
        code.extend([new(Op::I32Const, address), new(Op::I32Const, 0x0403_0201)]);
        code.push(access(Op::I32Store, 3));
    };
    [5, 4_000, 140_000].into_iter().for_each(&mut store);
    let half = BLOCK / 2;
    for address in [5, 3_997, 70_000, 70_030, 140_000, centre] {
        for distance in [
            0,
            1,
            half - 1,
            half,
            half + 1,
            half + 200,
            2 * half,
            3 * half,
        ] {
            for address in [address + distance, address.saturating_sub(distance)] {
                code.extend([new(Op::I32Const, address), new(Op::Probe, 3)]);
                code.push(new(Op::Output, 0));
            }
        }
    }
    // Halfway between two bytes.
    for address in [20_000, 20_801] {
        code.extend([new(Op::I32Const, address), new(Op::I32Const, 7)]);
        code.push(access(Op::I32Store8, 0));
        code.extend([new(Op::I32Const, 20_400), new(Op::Probe, 0)]);
        code.extend([new(Op::I32Const, 20_401), new(Op::Probe, 0)]);
    }
    for address in [3_000, 69_990, 20_000, centre - 3] {
        code.extend([new(Op::I32Const, address); 2]);
        code.extend([new(Op::Dump, 7), new(Op::Drop, 0), new(Op::Output, 0)]);
    }
    let program = Program {
        code,
        sections: vec![(100..130).collect()],
        turns: None,
        resident: None,
    };
    for profile in [Profile::STOCK, Profile::FAR] {
        follow(&Machine::with_profile(profile, &Extension::ALL), &program);
    }
}
