//! Contexts that turn, in the exact evaluator: the instructions with which a program writes down its
//! state, and interrupted jumps.

use crate::common::Context;
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_isa::{Instruction, Interpreter, Op, Program};

const fn new(op: Op, immediate: u32) -> Instruction {
    Instruction::new(op, immediate)
}

const fn access(op: Op, offset: u32) -> Instruction {
    Instruction::with_byte(op, offset, 255)
}

fn follow(machine: &Machine, program: &Program) {
    let mut context = Context::empty(machine);
    context.read(program.full_prompt());
    let mut run = Interpreter::new(program).with_context(machine.profile().context);
    context.follow_run(&mut run);
}

#[test]
fn data_sections() {
    let mut code = vec![new(Op::Section, 70_000)];
    for size in [0, 1, 4, 15, 16, 17, 40] {
        for address in [69_990_u32, 70_003] {
            code.extend([new(Op::I32Const, size), new(Op::I32Const, address - 7)]);
            code.extend([access(Op::Dump, 7), new(Op::Drop, 0), new(Op::Output, 0)]);
        }
    }
    let program = Program {
        code,
        sections: vec![(100..130).collect()],
        turns: None,
    };
    for profile in [Profile::STOCK, Profile::FAR] {
        follow(&Machine::with_profile(profile, &Extension::ALL), &program);
    }
}
