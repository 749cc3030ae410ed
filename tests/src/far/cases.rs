//! The code of cases: an instruction, executed repeatedly on operands whose result shows mistakes.
//! A case leaves the stack unchanged.

use weightware_isa::{EndToken, FRAME_LIMIT, FaultKind, Instruction, Interpreter, Op, Program};

use super::memory;
use super::writer::{Writer, words_of};
use crate::verify::{ROWS, Row};

/// The least number of executions of a case's instruction.
pub(super) const ROUNDS: usize = 5;

/// Whether programs contain an instruction themselves. Others are those of the handler: they carry
/// a program to its next context, which tests of turns examine.
#[must_use]
pub(super) fn has_cases(op: Op) -> bool {
    let handler = matches!(
        op,
        Op::Interrupt
            | Op::FrameGet
            | Op::DepthGet
            | Op::LocalGetRaw
            | Op::LocalSetRaw
            | Op::Dump
            | Op::Probe
            | Op::Step
            | Op::Continue
            | Op::Save
            | Op::Turn
            | Op::End
            | Op::Refuse
    );
    is_executed(op) && !handler
}

/// Whether an instruction is executed at all. Others hold data for the instruction before them, or
/// precede the first one.
#[must_use]
pub fn is_executed(op: Op) -> bool {
    let alone = Program {
        code: vec![Instruction::new(op, 0)],
        ..Program::default()
    };
    let mut run = Interpreter::new(&alone);
    // The first token of the instruction, or the reason for which it has none.
    let _ = run.next();
    let fault = run.fault().map(|fault| fault.kind);
    !matches!(
        fault,
        Some(FaultKind::NotExecutable(_) | FaultKind::Sections { .. })
    )
}

/// Writes a case for an instruction that is executed.
pub(super) fn write(writer: &mut Writer, op: Op) {
    for round in 0..ROUNDS {
        match op {
            Op::I32Const => constant(writer, 4),
            Op::I64Const => constant(writer, 8),
            Op::LocalGet | Op::LocalSet | Op::LocalTee => word(writer, 4, true),
            Op::LocalGet64 | Op::LocalSet64 | Op::LocalTee64 => word(writer, 8, true),
            Op::GlobalGet | Op::GlobalSet => word(writer, 4, false),
            Op::GlobalGet64 | Op::GlobalSet64 => word(writer, 8, false),
            Op::MemoryGrown => memory::growth(writer),
            Op::Br => branch(writer),
            Op::BrIf | Op::BrUnless => condition(writer, op),
            Op::BrStack => computed(writer),
            Op::Call | Op::Return if round == 0 => recursion(writer),
            Op::Call | Op::Return => call(writer),
            Op::Drop => pile(writer),
            Op::Output | Op::OutputErr => output(writer, op),
            Op::Exit => exit(writer),
            _ if memory::Access::of(op).is_some() => memory::access(writer, op),
            _ if matches!(op.spec().end, EndToken::Trap(_)) => trap(writer, op),
            _ => arithmetic(writer, op),
        }
    }
}

fn constant(writer: &mut Writer, width: u8) {
    let value = writer.value(width);
    writer.constant(width, value);
    writer.result(width);
}

/// Emits instructions of the table of arithmetic that include this one.
fn arithmetic(writer: &mut Writer, op: Op) {
    let rows: Vec<&Row> = ROWS.iter().filter(|row| row.ops.contains(&op)).collect();
    assert!(!rows.is_empty(), "{op} has no cases");
    let row = writer.pick(&rows);
    let mut operands = [0; 3];
    let widths = row.meaning.widths();
    let first = 3 - widths.len();
    for (operand, &width) in operands[first..].iter_mut().zip(widths) {
        *operand = writer.value(width);
    }
    if writer.below(8) == 0 {
        operands[1] = operands[2];
    }
    for (&operand, &width) in operands[first..].iter().zip(widths) {
        writer.operand(width, operand);
    }
    if row.meaning.of(operands).is_some() {
        writer.emit_all(row.ops);
        writer.result(result_width(row));
    } else {
        // The row traps at its first instruction, which leaves its operands.
        writer.emit(row.ops[0], 0);
        for _ in widths {
            writer.emit(Op::Drop, 0);
        }
    }
}

fn result_width(row: &Row) -> u8 {
    use crate::verify::Meaning::{Binary64, Join, Select64, Unary64, Widen};
    match row.meaning {
        Unary64(_) | Binary64(_) | Select64(_) | Widen(_) | Join(_) => 8,
        _ => 4,
    }
}

/// Writes a local or global twice, and reads it between its neighbours.
fn word(writer: &mut Writer, width: u8, local: bool) {
    let (set, get) = match (width, local) {
        (_, true) => words_of(width),
        (4, false) => (Op::GlobalSet, Op::GlobalGet),
        _ => (Op::GlobalSet64, Op::GlobalGet64),
    };
    let base = if local { 0 } else { writer.ground.frame };
    let index = writer.word();
    let last = writer.ground.last_word - writer.ground.frame;
    let neighbours = [index.saturating_sub(1), (index + 1).min(last)];
    for index in [index, neighbours[0], neighbours[1], index] {
        let value = writer.value(width);
        writer.operand(width, value);
        if local && writer.below(2) == 0 {
            let tee = if width == 4 {
                Op::LocalTee
            } else {
                Op::LocalTee64
            };
            writer.emit(tee, index);
            writer.result(width);
        } else {
            writer.emit(set, base + index);
        }
    }
    // The operand may have overwritten this word on its way.
    writer.emit(get, base + index);
    writer.result(width);
}

/// Branches over code that must not be executed, forward and back.
fn branch(writer: &mut Writer) {
    let over = writer.gap();
    let back = writer.here();
    let end = writer.gap();
    let apart = writer.below(40);
    for _ in 0..apart {
        writer.emit(Op::Unreachable, 0);
    }
    writer.branch_here(over, Op::Br);
    writer.emit(Op::Br, back);
    writer.branch_here(end, Op::Br);
}

/// A branch that is taken or not, by a condition of any bytes.
fn condition(writer: &mut Writer, op: Op) {
    let condition = writer.value(4);
    writer.operand(4, condition);
    let branch = writer.gap();
    writer.emit(Op::I32Const, 1);
    writer.emit(Op::Output, 0);
    writer.branch_here(branch, op);
}

/// A branch to an index on the stack, of which three bytes count.
fn computed(writer: &mut Writer) {
    let constant = writer.gap();
    writer.emit(Op::BrStack, 0);
    let apart = writer.below(20);
    for _ in 0..apart {
        writer.emit(Op::Unreachable, 0);
    }
    let above = writer.below(256) << 24;
    writer.code[constant] = Instruction::new(Op::I32Const, writer.here() | above);
}

/// The largest frame that leaves room for a call of a function that calls no other.
fn frame(writer: &mut Writer, deep: u32) -> u8 {
    let largest = (FRAME_LIMIT - writer.ground.frame).min(255) / deep;
    let any = 1 + writer.below(largest);
    writer.pick(&[1, any, largest]) as u8
}

/// Calls a function with an argument, and reads a local of its own after the return.
fn call(writer: &mut Writer) {
    let frame = frame(writer, 1);
    let own = writer.below(frame.into());
    let [kept, argument] = [0; 2].map(|_| writer.value(4));
    let over = writer.gap();
    let function = writer.here();
    let locals = writer.ground.last_word - writer.ground.frame - u32::from(frame);
    let local = writer.below(locals.min(255));
    writer.emit(Op::LocalSet, local);
    writer.emit(Op::LocalGet, local);
    writer.emit(Op::Return, 0);
    writer.branch_here(over, Op::Br);
    writer.constant(4, kept);
    writer.emit(Op::LocalSet, own);
    writer.operand(4, argument);
    writer.constant(4, kept);
    writer.emit(Op::LocalSet, own);
    writer.call(function, frame);
    writer.result(4);
    writer.emit(Op::LocalGet, own);
    writer.result(4);
}

/// A function that calls itself until frames run out, or a few times, and keeps a local in each
/// frame.
fn recursion(writer: &mut Writer) {
    let left = FRAME_LIMIT - writer.ground.frame;
    let frame = match left {
        0..512 => 2 + writer.below(10),
        _ => 2 + writer.below(254),
    };
    let most = left / frame;
    let few = 1 + writer.below(9);
    let depth = match writer.below(4) {
        0 => most.min(60),
        _ => most.min(few),
    };
    let over = writer.gap();
    let function = writer.here();
    writer.emit(Op::LocalTee, 0);
    let last = writer.gap();
    writer.emit(Op::LocalGet, 0);
    writer.emit(Op::I32Const, 1);
    writer.emit(Op::I32Sub, 0);
    writer.call(function, frame as u8);
    writer.emit(Op::LocalGet, 0);
    writer.emit(Op::I32Xor, 0);
    writer.emit(Op::Return, 0);
    writer.branch_here(last, Op::BrUnless);
    writer.constant(4, 0x5a5a_0000);
    writer.emit(Op::Return, 0);
    writer.branch_here(over, Op::Br);
    writer.constant(4, u64::from(depth) - 1);
    writer.call(function, frame as u8);
    writer.result(4);
}

/// Pushes a pile of operands, and pops them.
fn pile(writer: &mut Writer) {
    let high = match writer.below(4) {
        0 => writer.ground.room,
        _ => 1 + writer.below(4),
    };
    for _ in 0..high {
        let width = writer.pick(&[4, 8]);
        let value = writer.value(width);
        writer.constant(width, value);
    }
    for _ in 0..high {
        writer.emit(Op::Drop, 0);
    }
}

fn output(writer: &mut Writer, op: Op) {
    let value = writer.value(4);
    writer.operand(4, value);
    writer.emit(op, 0);
}

/// Exit codes of any bytes. After the exit the code is still on the stack.
fn exit(writer: &mut Writer) {
    let code = writer.value(4);
    writer.operand(4, code);
    writer.emit_all(&[Op::Exit, Op::Drop]);
}

/// A trap above an operand.
fn trap(writer: &mut Writer, op: Op) {
    let width = writer.pick(&[4, 8]);
    let value = writer.value(width);
    writer.operand(width, value);
    writer.emit(op, 0);
    writer.result(width);
}
