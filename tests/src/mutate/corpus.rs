//! Short programs that together touch every instruction, every byte token and every call and return.

use weightware::{Decoder, Finish, TokenId};
use weightware_isa::{Instruction, Interpreter, Op, Program, Vocabulary};
use weightware_model::Model;

use self::common::random_program;
use crate::execution::FASTEST;
use crate::random::Random;
use crate::verify::{self, ROWS, Row, edges, straight};

#[path = "../../../crates/compiler/tests/common/mod.rs"]
mod common;

/// Programs with what the plain interpreter says of them.
#[derive(Debug, Clone)]
pub struct Corpus {
    runs: Vec<Run>,
}

#[derive(Debug, Clone)]
struct Run {
    prompt: Vec<TokenId>,
    trace: Vec<TokenId>,
}

impl Corpus {
    /// So many random programs of so many instructions, and some that put out every byte, plain, with carry and with
    /// borrow, and call with every size of frame.
    ///
    /// # Panics
    /// If the plain interpreter finds a fault in one of them.
    #[must_use]
    pub fn new(count: u64, length: u32) -> Self {
        let random = (0..count).map(|seed| random_program(seed, length));
        let mut runs: Vec<Run> = random.map(|program| run(&program)).collect();
        // Most mutations are noticed by any program: the short ones first.
        runs.sort_by_key(|run| run.prompt.len() + run.trace.len());
        runs.extend(ROWS.chunks(12).map(|rows| run(&arithmetic(rows))));
        runs.extend(
            [bytes(), flags(Op::I32Add), flags(Op::I32Sub), calls()].map(|program| run(&program)),
        );
        Self { runs }
    }

    /// Tokens that a model must say for all of it to pass.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.runs.iter().map(|run| run.trace.len()).sum()
    }

    /// Whether the model says another token somewhere, or stops.
    #[must_use]
    pub fn notices(&self, model: &Model) -> bool {
        self.first_difference(model).is_some()
    }

    /// Where a model says another token, or stops: the run, and the tokens of its trace that are right.
    #[must_use]
    pub fn first_difference(&self, model: &Model) -> Option<(usize, usize)> {
        let Ok(mut decoder) = Decoder::new(model, FASTEST) else {
            return Some((0, 0));
        };
        (0..self.runs.len()).find_map(|at| {
            let run = &self.runs[at];
            decoder.reset();
            if decoder.prefill(&run.prompt).is_err() {
                return Some((at, 0));
            }
            let mut said = decoder.generate(None);
            let right = run
                .trace
                .iter()
                .take_while(|&&token| said.next() == Some(token))
                .count();
            let ended = matches!(decoder.finish(), Some(Finish::EndToken(_)));
            (right < run.trace.len() || !ended).then_some((at, right))
        })
    }
}

fn run(program: &Program) -> Run {
    let vocabulary = Vocabulary::new();
    let id = |token| TokenId(vocabulary.id(token));
    let trace = Interpreter::new(program).map(|token| id(token.expect("the program has no fault")));
    Run {
        prompt: program.full_prompt().map(id).collect(),
        trace: trace.collect(),
    }
}

fn program(code: Vec<Instruction>) -> Program {
    Program {
        code,
        sections: vec![],
    }
}

/// Instructions of the table of arithmetic, each on some edge operands and some random ones that do not trap.
fn arithmetic(rows: &[Row]) -> Program {
    let code = rows.iter().flat_map(|row| {
        let mut random = Random::new(row.name.len() as u64);
        let edges = edges(row.meaning.widths());
        let some = (0..OPERANDS).map(|_| edges[random.below(edges.len() as u64) as usize]);
        let all = some.chain(verify::random(7, OPERANDS));
        let returning: Vec<_> = all
            .filter(|&operands| row.meaning.of(operands).is_some())
            .collect();
        straight(row, &returning).code
    });
    program(code.collect())
}

/// Operands of each kind for an instruction.
const OPERANDS: usize = 10;

/// Puts out every byte, having put it through a local.
fn bytes() -> Program {
    let code = (0..=255_u32).flat_map(|byte| {
        [
            Instruction::new(Op::I32Const, byte * 0x0101_0101),
            Instruction::new(Op::LocalSet, 4),
            Instruction::new(Op::LocalGet, 4),
            Instruction::new(Op::Output, 0),
        ]
    });
    program(code.collect())
}

/// Makes every byte with a carry or a borrow, at all places of a word, and puts it out.
fn flags(op: Op) -> Program {
    let code = (0..=255_u32).flat_map(|byte| {
        let word = byte * 0x0101_0101;
        // With a carry into every byte but the first, and out of every one.
        let (a, b) = match op {
            Op::I32Add => (0xffff_ffff, word.wrapping_add(1)),
            _ => (word & 0x7f7f_7f7f, 0x8080_8080 | word),
        };
        [
            Instruction::new(Op::I32Const, a),
            Instruction::new(Op::I32Const, b),
            Instruction::new(op, 0),
            Instruction::new(Op::LocalTee, 4),
            Instruction::new(Op::Output, 0),
            Instruction::new(Op::LocalGet, 4),
            Instruction::new(Op::I32Const, 8),
            Instruction::new(Op::I32ShrU, 0),
            Instruction::new(Op::Output, 0),
        ]
    });
    program(code.collect())
}

/// Calls a function that returns at once, with frames of all sizes.
fn calls() -> Program {
    let function = 255 * 2 + 1;
    let mut code = vec![];
    for size in 1..=255_u8 {
        code.push(Instruction::with_byte(Op::Call, function, size));
        code.push(Instruction::new(Op::Resume, code.len() as u32 + 1));
    }
    code.push(Instruction::new(Op::Br, function + 1));
    code.push(Instruction::new(Op::Return, 0));
    program(code)
}
