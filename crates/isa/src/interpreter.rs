//! The plain interpreter: what a trace must be.

mod arithmetic;
mod fault;
mod machine;
mod paged;

use std::iter::FusedIterator;

pub use fault::{Fault, FaultKind};
use paged::Paged;

use crate::{Commit, End, Instruction, Op, Outcome, Program, Token, Trap};

/// Why an instruction has no result.
enum Stop {
    Fault(FaultKind),
    Trap(Trap),
}

/// A call that has not returned.
#[derive(Debug, Clone)]
struct Caller {
    resume: Instruction,
    frame: u8,
}

/// Runs a program and yields its trace: the tokens that follow the prompt.
///
/// The iterator ends behind a token that [ends the run](Token::ends_run), or behind the first [`Fault`]. A program that
/// loops has an endless trace. A memory access outside the memory yields nothing but its trap.
///
/// ```
/// use weightware_isa::{Interpreter, Outcome, Program};
///
/// let program: Program = "{ i32.const 48 00 00 00 output 00 00 00 00 }".parse()?;
/// let mut run = Interpreter::new(&program);
/// let trace: Vec<String> = run.by_ref().map(|token| token.unwrap().to_string()).collect();
/// assert_eq!(trace.join(" "), "48 00 00 00 commit(+1,sts=1,bt=0) out(48) halt");
/// assert_eq!(run.output(), b"H");
/// assert_eq!(run.outcome(), Some(Outcome::Halted));
/// # Ok::<(), weightware_isa::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Interpreter<'p> {
    code: &'p [Instruction],
    cursor: usize,
    stack: Vec<u32>,
    words: Paged<Option<u32>>,
    memory: Paged<u8>,
    frame: usize,
    callers: Vec<Caller>,
    /// Tokens of the current instruction, the next one last.
    pending: Vec<Token>,
    output: Vec<u8>,
    outcome: Option<Outcome>,
    fault: Option<Fault>,
    fault_told: bool,
    tokens: u64,
    executed: [u64; Op::ALL.len()],
}

impl<'p> Interpreter<'p> {
    /// A machine that has read the program's prompt.
    #[must_use]
    pub fn new(program: &'p Program) -> Self {
        let code = program.code.as_slice();
        let declared = program.leading_sections();
        let given = program.sections.len();
        let mut memory = Paged::default();
        for (instruction, bytes) in code[..declared].iter().zip(&program.sections) {
            for (address, &byte) in (instruction.low() as usize..).zip(bytes) {
                memory.set(address, byte);
            }
        }
        let fault = (declared != given).then_some(Fault {
            instruction: declared,
            kind: FaultKind::Sections { declared, given },
        });
        Self {
            code,
            cursor: declared,
            stack: Vec::new(),
            words: Paged::default(),
            memory,
            frame: 0,
            callers: Vec::new(),
            pending: Vec::with_capacity(5),
            output: Vec::new(),
            outcome: None,
            fault,
            fault_told: false,
            tokens: 0,
            executed: [0; Op::ALL.len()],
        }
    }

    /// Runs for at most `limit` more tokens and returns how the run ended, if it did.
    ///
    /// # Errors
    /// The fault, if the program has one on its way.
    pub fn run(&mut self, limit: u64) -> Result<Option<Outcome>, Fault> {
        for _ in 0..limit {
            match self.next() {
                Some(token) => token?,
                None => break,
            };
        }
        self.fault.map_or(Ok(self.outcome()), Err)
    }

    /// The bytes put out so far.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// How the run ended, once its last token is out.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.filter(|_| self.pending.is_empty())
    }

    /// The fault that the run met.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Tokens yielded so far.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Instructions executed so far; `}` is none.
    #[must_use]
    pub fn executed(&self) -> u64 {
        self.executed.iter().sum()
    }

    /// How often each opcode was executed so far, without those that never were, in the order of the table.
    pub fn histogram(&self) -> impl Iterator<Item = (Op, u64)> {
        let counts = Op::ALL.iter().copied().zip(self.executed);
        counts.filter(|&(_, count)| count > 0)
    }

    /// Index of the instruction that is executed next.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The operand stack behind the instruction whose tokens are being yielded, its top last.
    #[must_use]
    pub fn stack(&self) -> &[u32] {
        &self.stack
    }

    /// Executes one instruction, or `}`, into `pending`.
    fn step(&mut self) -> Result<(), FaultKind> {
        let at = self.cursor;
        if at == self.code.len() {
            self.outcome = Some(Outcome::Halted);
            self.pending.push(Token::Halt);
            return Ok(());
        }
        let instruction = *self.code.get(at).ok_or(FaultKind::Outside)?;
        self.cursor = at + 1;
        let end = match self.execute(instruction) {
            Ok(end) => end,
            Err(Stop::Fault(kind)) => return Err(kind),
            Err(Stop::Trap(trap)) => {
                self.outcome = Some(Outcome::Trapped(trap));
                Token::Trap(trap)
            }
        };
        self.executed[instruction.op as usize] += 1;
        self.pending.push(end);
        self.pending.reverse();
        Ok(())
    }

    /// Executes one instruction whose index is `cursor - 1` and returns its end token.
    fn execute(&mut self, instruction: Instruction) -> Result<Token, Stop> {
        let op = instruction.op;
        match op.spec().end {
            End::Commit(commit) => Ok(Token::Commit(self.ordinary(instruction, commit)?)),
            End::Call => {
                let frame = instruction.immediate[3];
                let resume = self
                    .code
                    .get(self.cursor)
                    .filter(|next| next.op == Op::Resume);
                let resume = *resume.ok_or(Stop::Fault(FaultKind::NoResume))?;
                if frame == 0 {
                    return Err(Stop::Fault(FaultKind::NoFrame));
                }
                self.callers.push(Caller { resume, frame });
                self.frame += usize::from(frame);
                self.jump(instruction);
                Ok(Token::Call(frame))
            }
            End::Return => {
                let caller = self.callers.pop().ok_or(Stop::Fault(FaultKind::NoCaller))?;
                self.frame -= usize::from(caller.frame);
                self.jump(caller.resume);
                Ok(Token::Return(caller.frame))
            }
            End::Out => {
                let [byte, ..] = self.pop()?.to_le_bytes();
                self.output.push(byte);
                Ok(Token::Out(byte))
            }
            End::Exit => {
                let code = self.pop()?;
                self.write(code, 4);
                self.outcome = Some(Outcome::Exited(code));
                Ok(Token::Exit)
            }
            End::Trap(trap) => Err(Stop::Trap(trap)),
            End::Loaded | End::Halt => Err(Stop::Fault(FaultKind::NotExecutable(op))),
        }
    }

    /// Executes an instruction that ends in a commit: `commit`, but for branches not taken.
    fn ordinary(&mut self, instruction: Instruction, commit: Commit) -> Result<Commit, Stop> {
        let low = instruction.low() as usize;
        match instruction.op {
            Op::I32Const => self.result(instruction.immediate()),
            Op::LocalGet => self.get_word(self.frame + low)?,
            Op::LocalSet => {
                self.set_word(self.frame + low)?;
                self.pop()?;
            }
            Op::LocalTee => self.set_word(self.frame + low)?,
            Op::GlobalGet => self.get_word(low)?,
            Op::GlobalSet => {
                self.set_word(low)?;
                self.pop()?;
            }
            Op::I32Add => {
                let (a, b) = self.pop_two()?;
                self.pending.extend(arithmetic::add(a, b));
                self.stack.push(a.wrapping_add(b));
            }
            Op::I32Sub => {
                let (a, b) = self.pop_two()?;
                self.pending.extend(arithmetic::sub(a, b));
                self.stack.push(a.wrapping_sub(b));
            }
            Op::I32And => self.binary(|a, b| a & b)?,
            Op::I32Or => self.binary(|a, b| a | b)?,
            Op::I32Xor => self.binary(|a, b| a ^ b)?,
            Op::I32Shl => self.binary(u32::wrapping_shl)?,
            Op::I32ShrS => self.binary(|a, b| (a as i32).wrapping_shr(b) as u32)?,
            Op::I32ShrU => self.binary(u32::wrapping_shr)?,
            Op::I32Rotl => self.binary(|a, b| a.rotate_left(b & 31))?,
            Op::I32Rotr => self.binary(|a, b| a.rotate_right(b & 31))?,
            Op::I32Mul => self.binary(u32::wrapping_mul)?,
            Op::DivDigits => {
                let (a, b) = self.pop_two()?;
                let quotient = a.checked_div(b).ok_or(Stop::Trap(Trap::DivideByZero))?;
                self.stack.extend([a, b]);
                self.result(quotient.swap_bytes());
            }
            Op::DivResult => {
                let digits = self.pop()?;
                self.pop_two()?;
                self.result(digits.swap_bytes());
            }
            Op::I32Bswap => {
                let a = self.pop()?;
                self.result(a.swap_bytes());
            }
            Op::I32Extend8S | Op::I32Extend16S => {
                let a = self.pop()?;
                let low = if instruction.op == Op::I32Extend8S {
                    i32::from(a as i8)
                } else {
                    i32::from(a as i16)
                };
                self.result(low as u32);
            }
            Op::I32Eqz => {
                let a = self.pop()?;
                self.result(u32::from(a == 0));
            }
            Op::I32Eq => self.binary(|a, b| u32::from(a == b))?,
            Op::I32Ne => self.binary(|a, b| u32::from(a != b))?,
            Op::I32LtS => self.binary(|a, b| u32::from((a as i32) < b as i32))?,
            Op::I32LtU => self.binary(|a, b| u32::from(a < b))?,
            Op::I32GtS => self.binary(|a, b| u32::from(a as i32 > b as i32))?,
            Op::I32GtU => self.binary(|a, b| u32::from(a > b))?,
            Op::I32LeS => self.binary(|a, b| u32::from(a as i32 <= b as i32))?,
            Op::I32LeU => self.binary(|a, b| u32::from(a <= b))?,
            Op::I32GeS => self.binary(|a, b| u32::from(a as i32 >= b as i32))?,
            Op::I32GeU => self.binary(|a, b| u32::from(a >= b))?,
            Op::I32Load => self.load(instruction, 4, |word| word)?,
            Op::I32Load8S => self.load(instruction, 1, |byte| byte as i8 as u32)?,
            Op::I32Load8U => self.load(instruction, 1, |byte| byte)?,
            Op::I32Load16S => self.load(instruction, 2, |half| half as i16 as u32)?,
            Op::I32Load16U => self.load(instruction, 2, |half| half)?,
            Op::I32Store => self.store(instruction, 4)?,
            Op::I32Store8 => self.store(instruction, 1)?,
            Op::I32Store16 => self.store(instruction, 2)?,
            Op::Br => self.jump(instruction),
            Op::BrIf | Op::BrUnless => {
                let condition = self.pop()? != 0;
                if condition != (instruction.op == Op::BrIf) {
                    return Ok(Commit {
                        jumped: false,
                        ..commit
                    });
                }
                self.jump(instruction);
            }
            Op::Drop => {
                self.pop()?;
            }
            Op::Select => {
                let condition = self.pop()?;
                let (a, b) = self.pop_two()?;
                self.result(if condition != 0 { a } else { b });
            }
            Op::Call | Op::Resume | Op::Return | Op::Output | Op::Exit | Op::Section => {
                unreachable!("{} does not end in a commit", instruction.op)
            }
            Op::Unreachable
            | Op::TrapOutOfBounds
            | Op::TrapDivideByZero
            | Op::TrapIntegerOverflow
            | Op::TrapUndefinedElement
            | Op::TrapUninitializedElement
            | Op::TrapIndirectCallType
            | Op::TrapCallStackExhausted => {
                unreachable!("{} does not end in a commit", instruction.op)
            }
        }
        Ok(commit)
    }
}

impl Iterator for Interpreter<'_> {
    type Item = Result<Token, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.pending.is_empty() {
            if self.outcome.is_some() || self.fault_told {
                return None;
            }
            let instruction = self.cursor;
            if self.fault.is_none()
                && let Err(kind) = self.step()
            {
                self.pending.clear();
                self.fault = Some(Fault { instruction, kind });
            }
            if let Some(fault) = self.fault {
                self.fault_told = true;
                return Some(Err(fault));
            }
        }
        self.tokens += 1;
        self.pending.pop().map(Ok)
    }
}

impl FusedIterator for Interpreter<'_> {}
