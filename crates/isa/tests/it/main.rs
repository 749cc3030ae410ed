//! Tests of the crate's public interface.

mod block;
mod control;
mod hostile;
mod memory;
mod operations;
mod run;
mod text;
mod trace;
mod vocabulary;
mod wide;

use weightware_isa::{Instruction, Interpreter, Op, Program, TraceReader};

fn program(code: &[Instruction]) -> Program {
    Program {
        code: code.to_vec(),
        ..Program::default()
    }
}

/// The lines of a program's trace.
fn lines(program: &Program) -> Vec<String> {
    let mut reader = TraceReader::new();
    let mut lines = Vec::new();
    for token in Interpreter::new(program).take(10_000) {
        let token = token.unwrap_or_else(|fault| panic!("{fault}\n{}", program.disassemble()));
        lines.extend(reader.feed(token).map(|line| line.to_string()));
    }
    assert_eq!(reader.malformed(), None, "{lines:?}");
    lines
}

/// The trace line of one instruction on these operands, the last one on top.
fn line(instruction: Instruction, operands: &[u32]) -> String {
    let mut code: Vec<_> = operands
        .iter()
        .map(|&a| Instruction::new(Op::I32Const, a))
        .collect();
    code.push(instruction);
    lines(&program(&code)).swap_remove(operands.len())
}

/// The lines of the trace of a program text.
fn text_lines(text: &str) -> Vec<String> {
    lines(&text.parse().unwrap_or_else(|error| panic!("{error}")))
}
