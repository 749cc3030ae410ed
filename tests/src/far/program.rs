//! Random programs as cases: their instructions are moved, and their ends continue after the case.

use weightware_isa::{Immediate, Instruction, Interpreter, Op, Outcome, Program};

use super::writer::Writer;
use crate::common::random_program_near;

/// The lengths of random programs, besides the instructions that every program has.
const LENGTHS: [u32; 3] = [10, 25, 50];
/// The greatest number of tokens of a program.
const LONGEST: u64 = 20_000;

/// Writes a random program that does not trap when it runs alone.
pub(super) fn write(writer: &mut Writer) {
    let length = writer.pick(&LENGTHS);
    let ground = writer.ground;
    // Accesses are checked against three pages.
    let highest = (ground.last_address - 63).min(3 * (1 << 16) - 64);
    let bases = [0, 100, 65_530, ground.centre.min(highest) - 30, highest];
    let program = loop {
        let program = random_program_near(&bases, writer.random.bits(), length);
        let mut run = Interpreter::new(&program);
        let ended = run.run(LONGEST);
        if matches!(ended, Ok(Some(Outcome::Halted | Outcome::Exited(_)))) {
            break program;
        }
    };
    writer.emit(Op::I32Const, 0);
    writer.emit(Op::MemoryGrown, 0);
    moved(writer, &program);
    writer.emit(Op::I32Const, 0);
    writer.emit(Op::MemoryGrown, 0);
}

/// Emits the program's instructions with moved targets. After an exit, its code is dropped and a
/// branch leads to the end.
fn moved(writer: &mut Writer, program: &Program) {
    let first = program.leading_sections();
    let code = &program.code[first..];
    // An exit becomes three instructions.
    let mut places = vec![0; first];
    let mut next = writer.here();
    for instruction in code {
        places.push(next);
        next += if instruction.op == Op::Exit { 3 } else { 1 };
    }
    places.push(next);
    let place = |index: u32| places[index as usize];
    for (at, &instruction) in code.iter().enumerate() {
        let Instruction { op, immediate } = instruction;
        let computes = code.get(at + 1).is_some_and(|next| next.op == Op::BrStack);
        let moved = match op.immediate_kind() {
            Immediate::Target => Instruction::new(op, place(instruction.low())),
            Immediate::Call => Instruction::with_byte(op, place(instruction.low()), immediate[3]),
            Immediate::Word if computes => Instruction::new(op, place(instruction.immediate())),
            _ => instruction,
        };
        writer.code.push(moved);
        if op == Op::Exit {
            writer.emit(Op::Drop, 0);
            writer.emit(Op::Br, next);
        }
    }
}
