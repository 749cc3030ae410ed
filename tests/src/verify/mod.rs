//! Every arithmetic instruction on many operands, in three comparisons: the plain interpreter with
//! Rust, and the machine's graph in exact integers and the weights with the plain interpreter,
//! token by token.
//!
//! Operands are not part of the code. For the weights they are bytes of the memory, for the graph
//! bytes of the trace that two constants are assumed to have generated.

mod operands;
mod table;

use weightware::{Computer, Engine, RunEnd};
use weightware_compiler::machine::{Extension, Machine};
use weightware_isa::{Instruction, Interpreter, Op, Program, Token, Trap};

pub(crate) use self::operands::some_operand;
pub use self::operands::{Operands, edges, random, small};
pub use self::table::{Meaning, ROWS, Row};
use crate::exact::ExactMachine;

/// The number of operands in a run of the weights.
const RUN: usize = 1_000;
/// The number of operands after one prompt of the graph, whose lookups take time in proportion to
/// the earlier tokens.
const CHAIN: usize = 12;

/// The number of operands that each comparison checks of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// The plain interpreter.
    pub interpreter: usize,
    /// The graph in exact integers.
    pub exact: usize,
    /// The weights.
    pub weights: usize,
}

/// The three comparisons.
#[derive(Debug)]
pub struct Verifier<'c> {
    exact: ExactMachine,
    computer: &'c Computer,
    engine: Engine,
}

/// The tokens of consecutive instructions, with a mark at those to check.
type Trace = Vec<(Token, bool)>;

impl Row {
    /// The operands of the instruction with their widths.
    fn operands(&self, all: &Operands) -> impl Iterator<Item = (u8, u64)> {
        let widths = self.meaning.widths();
        let taken = all[3 - widths.len()..].to_vec();
        widths.iter().copied().zip(taken)
    }
}

impl<'c> Verifier<'c> {
    /// Creates a verifier with the weights of this computer.
    #[must_use]
    pub fn new(computer: &'c Computer, engine: Engine) -> Self {
        Self::with_machine(Machine::new(&Extension::ALL), computer, engine)
    }

    /// A verifier of a machine's graph, and of the weights of this computer.
    #[must_use]
    pub fn with_machine(machine: Machine, computer: &'c Computer, engine: Engine) -> Self {
        Self {
            exact: ExactMachine::new(machine),
            computer,
            engine,
        }
    }

    /// Compares the plain interpreter with Rust.
    ///
    /// # Errors
    /// The first operands with another result.
    pub fn interpreter(row: &Row, all: &[Operands]) -> Result<usize, String> {
        for operands in runs(row, all, RUN) {
            let program = straight(row, &operands);
            let mut run = Interpreter::new(&program);
            for operands in operands {
                let wanted = row.meaning.of(operands);
                let found = result(row, &mut run)?;
                if found != wanted {
                    return Err(format!(
                        "{}: {found:x?}, not {wanted:x?}",
                        shown(row, operands)
                    ));
                }
            }
        }
        Ok(all.len())
    }

    /// Compares the graph in exact integers with the plain interpreter.
    ///
    /// # Errors
    /// The first operands with another token.
    pub fn exact(&self, row: &Row, all: &[Operands]) -> Result<usize, String> {
        let prompt = straight(row, &[[0; 3]; CHAIN]);
        let start = self.exact.after(prompt.full_prompt());
        for operands in runs(row, all, CHAIN) {
            let mut evaluator = start.clone();
            for operands in operands {
                for (token, judged) in trace(row, operands)? {
                    if judged {
                        let said = self.exact.argmax(&evaluator);
                        if said != Some(token) {
                            let said = said.map_or("nothing".to_owned(), |said| said.to_string());
                            return Err(format!("{}: {said}, not {token}", shown(row, operands)));
                        }
                    }
                    self.exact.push(&mut evaluator, token);
                }
            }
        }
        Ok(all.len())
    }

    /// Compares the weights with the plain interpreter.
    ///
    /// # Errors
    /// The first token that differs.
    pub fn weights(&self, row: &Row, all: &[Operands]) -> Result<usize, String> {
        for operands in runs(row, all, RUN) {
            self.run(&loading(row, &operands))
                .map_err(|problem| self.located(row, &operands, &problem))?;
        }
        Ok(all.len())
    }

    /// The problem of a run, reduced to as few operands as show one.
    fn located(&self, row: &Row, operands: &[Operands], problem: &str) -> String {
        let halves = operands.chunks(operands.len().div_ceil(2));
        for half in halves.filter(|half| half.len() < operands.len()) {
            if let Err(problem) = self.run(&loading(row, half)) {
                return self.located(row, half, &problem);
            }
        }
        let all: Vec<String> = operands
            .iter()
            .map(|&operands| shown(row, operands))
            .collect();
        format!("{}: {problem}", all.join(", then "))
    }

    fn run(&self, program: &Program) -> Result<(), String> {
        let run = self.computer.run(program, self.engine, None);
        let mut run = run.map_err(|error| error.to_string())?;
        let mut expected = Interpreter::new(program);
        for (at, wanted) in expected.by_ref().enumerate() {
            let wanted = wanted.map_err(|fault| fault.to_string())?;
            let said = run.next();
            if said != Some(wanted) {
                return Err(format!(
                    "from there on token {at} is {said:?}, not {wanted}"
                ));
            }
        }
        match (run.end(), expected.outcome()) {
            (RunEnd::Outcome(said), Some(wanted)) if said == wanted => Ok(()),
            (said, wanted) => Err(format!("ends with {said:?}, not {wanted:?}")),
        }
    }
}

/// Operands in groups of one run each; operands that trap end their group.
fn runs(row: &Row, all: &[Operands], length: usize) -> Vec<Vec<Operands>> {
    let returns = |operands: &&Operands| row.meaning.of(**operands).is_some();
    let (returning, trapping): (Vec<&Operands>, Vec<_>) = all.iter().partition(returns);
    let returning: Vec<Operands> = returning.into_iter().copied().collect();
    let returning = returning.chunks(length).map(<[Operands]>::to_vec);
    let alone = trapping.into_iter().map(|&operands| vec![operands]);
    returning.chain(alone).collect()
}

/// Runs an instruction and the constants before it, then drops its result. `None` if it traps for
/// its operands.
fn result(row: &Row, run: &mut Interpreter<'_>) -> Result<Option<u64>, String> {
    for _ in 0..row.meaning.arity() + row.ops.len() {
        match instruction(run)? {
            Token::Trap(Trap::DivideByZero | Trap::IntegerOverflow) => return Ok(None),
            Token::Trap(trap) => return Err(format!("{}: {trap:?}", row.name)),
            _ => {}
        }
    }
    let result = run.stack().last().ok_or("the stack is empty")?.bits();
    instruction(run)?;
    Ok(Some(result))
}

/// Runs one instruction and returns its last token.
fn instruction(run: &mut Interpreter<'_>) -> Result<Token, String> {
    loop {
        let token = run.next().ok_or("the run is over")?;
        let token = token.map_err(|fault| fault.to_string())?;
        if !matches!(token, Token::Byte(..)) {
            return Ok(token);
        }
    }
}

/// The instruction that pushes a constant, and its second half.
fn constant(width: u8, value: u64) -> Vec<Instruction> {
    let (low, high) = (value as u32, (value >> 32) as u32);
    match width {
        4 => vec![Instruction::new(Op::I32Const, low)],
        _ => vec![
            Instruction::new(Op::I64Const, low),
            Instruction::new(Op::I64ConstHigh, high),
        ],
    }
}

/// Constants, the instruction, `drop`, for one operand after another.
#[must_use]
pub fn straight(row: &Row, all: &[Operands]) -> Program {
    let mut code = vec![];
    for operands in all {
        for (width, operand) in row.operands(operands) {
            code.extend(constant(width, operand));
        }
        code.extend(row.ops.iter().map(|&op| Instruction::new(op, 0)));
        code.push(Instruction::new(Op::Drop, 0));
    }
    Program {
        code,
        ..Program::default()
    }
}

/// The program with operands from the memory.
fn loading(row: &Row, all: &[Operands]) -> Program {
    let mut code = vec![Instruction::new(Op::Section, 0)];
    let mut bytes = vec![];
    for operands in all {
        for (width, operand) in row.operands(operands) {
            code.push(Instruction::new(Op::I32Const, bytes.len() as u32));
            let load = if width == 4 { Op::I32Load } else { Op::I64Load };
            code.push(Instruction::with_byte(load, 0, 2));
            bytes.extend(&operand.to_le_bytes()[..width.into()]);
        }
        code.extend(row.ops.iter().map(|&op| Instruction::new(op, 0)));
        code.push(Instruction::new(Op::Drop, 0));
    }
    Program {
        code,
        sections: vec![bytes],
        turns: None,
        resident: None,
    }
}

/// The tokens of the instructions for one operand; a trap is their last one.
fn trace(row: &Row, operands: Operands) -> Result<Trace, String> {
    let program = straight(row, &[operands]);
    let mut run = Interpreter::new(&program);
    let mut trace = vec![];
    let (first, last) = (row.meaning.arity(), row.meaning.arity() + row.ops.len());
    for at in 0..=last {
        loop {
            let token = run.next().ok_or("the run is over")?;
            let token = token.map_err(|fault| fault.to_string())?;
            trace.push((token, (first..last).contains(&at)));
            match token {
                Token::Byte(..) => {}
                Token::Trap(_) => return Ok(trace),
                _ => break,
            }
        }
    }
    Ok(trace)
}

fn shown(row: &Row, operands: Operands) -> String {
    format!(
        "{} of {:#x?}",
        row.name,
        &operands[3 - row.meaning.arity()..]
    )
}
