//! The plain interpreter: the reference for every trace.

mod arithmetic;
mod fault;
mod instructions;
mod machine;
mod memory;
mod paged;
mod turning;
mod value;

use std::iter::FusedIterator;

pub use fault::{Fault, FaultKind};
use memory::Memory;
use paged::Paged;
pub use turning::Nearest;
use turning::{Turning, Word};
pub use value::Value;

use crate::{EndToken, FRAME_LIMIT, Instruction, Op, Outcome, Program, Token, Trap};

/// The reason for which an instruction has no result.
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

/// Whether a program, or code in the weights that it may reach, looks for written memory.
fn probes(program: &Program) -> bool {
    let library = program.resident.iter().flat_map(|part| &part.library);
    let library = library.flat_map(|(_, code)| code.iter());
    let mut code = program.code.iter().chain(library);
    code.any(|instruction| instruction.op == Op::Probe)
}

/// Runs a program and yields its trace: the tokens that follow the prompt.
///
/// The iterator ends after a token that [ends the run](Token::ends_run), or after the first
/// [`Fault`]. A program that loops has an endless trace. A memory access outside the memory yields
/// only its trap.
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
    program: &'p Program,
    code: &'p [Instruction],
    cursor: usize,
    stack: Vec<Value>,
    words: Paged<Option<Word>>,
    memory: Memory,
    /// The pages by which the memory has grown.
    grown: u32,
    frame: usize,
    callers: Vec<Caller>,
    /// Tokens of the current instruction, the next one last.
    pending: Vec<Token>,
    output: Vec<u8>,
    stderr: Vec<u8>,
    outcome: Option<Outcome>,
    fault: Option<Fault>,
    fault_yielded: bool,
    tokens: u64,
    executed: [u64; Op::ALL.len()],
    turning: Turning,
}

impl<'p> Interpreter<'p> {
    /// Creates a machine that has read the program's prompt.
    #[must_use]
    pub fn new(program: &'p Program) -> Self {
        Self::begin(program, program.saved())
    }

    fn begin(program: &'p Program, saved: Option<&[Token]>) -> Self {
        let code = program.code.as_slice();
        let (declared, given) = (program.leading_sections(), program.sections.len());
        let fault = (declared != given && saved.is_none()).then_some(Fault {
            instruction: declared,
            kind: FaultKind::Sections { declared, given },
        });
        let mut interpreter = Self {
            code,
            cursor: declared,
            stack: Vec::new(),
            words: Paged::default(),
            memory: Memory::new(probes(program)),
            grown: 0,
            frame: 0,
            callers: Vec::new(),
            pending: Vec::with_capacity(16),
            output: Vec::new(),
            stderr: Vec::new(),
            outcome: None,
            fault,
            fault_yielded: false,
            tokens: 0,
            executed: [0; Op::ALL.len()],
            program,
            turning: Turning::new(program, saved.is_some()),
        };
        for (address, bytes) in program.resident.iter().flat_map(|part| &part.memory) {
            interpreter.memory.preset(*address as usize, bytes);
        }
        match saved {
            None => {
                for (instruction, bytes) in code.iter().zip(&program.sections) {
                    interpreter.memory.write(instruction.low() as usize, bytes);
                }
            }
            Some(tokens) => {
                if let Err(kind) = interpreter.replay(tokens) {
                    let instruction = interpreter.cursor;
                    interpreter.fault = Some(Fault { instruction, kind });
                }
            }
        }
        interpreter
    }

    /// Sets the number of tokens after which jumps are interrupted, if the program can go on in
    /// another context. Without it, none is, except the one after a `step`.
    #[must_use]
    pub fn with_context(mut self, tokens: u64) -> Self {
        self.turning.context = Some(tokens);
        self
    }

    /// Sets how `probe` finds the nearest address.
    #[must_use]
    pub fn with_nearest(mut self, nearest: Nearest) -> Self {
        self.turning.nearest = nearest;
        self
    }

    /// Runs for at most `limit` more tokens and returns how the run ended, if it did.
    ///
    /// # Errors
    /// The fault that the run meets.
    pub fn run(&mut self, limit: u64) -> Result<Option<Outcome>, Fault> {
        for _ in 0..limit {
            match self.next() {
                Some(token) => token?,
                None => break,
            };
        }
        self.fault.map_or(Ok(self.outcome()), Err)
    }

    /// The bytes written so far to the standard output.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// The bytes written so far to the standard error.
    #[must_use]
    pub fn stderr(&self) -> &[u8] {
        &self.stderr
    }

    /// How the run ended, once its last token was yielded.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.filter(|_| self.pending.is_empty())
    }

    /// The fault that the run met.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Continues with the next instruction after one that exited or trapped. Returns whether the
    /// run continues.
    ///
    /// A decoder that no end token stops does the same. The instruction has yielded its tokens and
    /// done nothing else; its operands are on the stack.
    ///
    /// ```
    /// use weightware_isa::{Interpreter, Program};
    ///
    /// let program: Program = "{ i32.const 48 00 00 00 unreachable 00 00 00 00 output 00 00 00 00 }".parse()?;
    /// let mut run = Interpreter::new(&program);
    /// while run.next().is_some() {}
    /// assert_eq!(run.output(), b"");
    /// assert!(run.go_on());
    /// while run.next().is_some() {}
    /// assert_eq!(run.output(), b"H");
    /// assert!(!run.go_on());
    /// # Ok::<(), weightware_isa::Error>(())
    /// ```
    pub fn go_on(&mut self) -> bool {
        let ended = matches!(
            self.outcome(),
            Some(Outcome::Exited(_) | Outcome::Trapped(_))
        );
        if ended {
            self.outcome = None;
        }
        ended
    }

    /// Goes on in the next context, after one that ended with `turned`. Returns whether the run
    /// goes on. Output and counts continue.
    pub fn turn(&mut self) -> bool {
        if self.outcome() != Some(Outcome::Turned) {
            return false;
        }
        let saved = std::mem::take(&mut self.turning.saved);
        let next = Self::begin(self.program, Some(&saved));
        let before = std::mem::replace(self, next);
        self.output = before.output;
        self.stderr = before.stderr;
        self.executed = before.executed;
        self.tokens = before.tokens;
        self.turning.before = before.tokens;
        self.turning.context = before.turning.context;
        self.turning.nearest = before.turning.nearest;
        true
    }

    /// Tokens yielded so far, in all contexts.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Instructions executed so far; `}` does not count.
    #[must_use]
    pub fn executed(&self) -> u64 {
        self.executed.iter().sum()
    }

    /// The opcodes executed so far with the number of their executions, in the order of the opcode
    /// table.
    pub fn histogram(&self) -> impl Iterator<Item = (Op, u64)> {
        let counts = Op::ALL.iter().copied().zip(self.executed);
        counts.filter(|&(_, count)| count > 0)
    }

    /// The index of the instruction that is executed next.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Indices of the `call` instructions that have not returned, the innermost last.
    pub fn callers(&self) -> impl DoubleEndedIterator<Item = usize> {
        // A `resume` stands after its call and holds the index after itself.
        let after = self
            .callers
            .iter()
            .map(|caller| caller.resume.low() as usize);
        after.map(|index| index.saturating_sub(2))
    }

    /// The operand stack after the instruction whose tokens are being yielded, its top last.
    #[must_use]
    pub fn stack(&self) -> &[Value] {
        &self.stack
    }

    /// Executes one instruction, or `}`, and puts its tokens into `pending`.
    fn step(&mut self) -> Result<(), FaultKind> {
        let at = self.cursor;
        if at == self.code.len() {
            self.outcome = Some(Outcome::Halted);
            self.pending.push(Token::Halt);
            return Ok(());
        }
        let instruction = self.instruction(at).ok_or(FaultKind::Outside)?;
        self.cursor = at.wrapping_add(1);
        let depth = self.stack.len();
        // An instruction that ends the run leaves its operands on the stack.
        let operands = [2, 1].map(|below| self.stack.get(depth.wrapping_sub(below)).copied());
        let end = match self.execute(instruction) {
            Ok(end) => end,
            Err(Stop::Fault(kind)) => return Err(kind),
            Err(Stop::Trap(trap)) => {
                self.outcome = Some(Outcome::Trapped(trap));
                Token::Trap(trap)
            }
        };
        if self.outcome.is_some() {
            let taken = depth.saturating_sub(self.stack.len()).min(2);
            self.stack.extend(operands[2 - taken..].iter().flatten());
        }
        self.executed[instruction.op as usize] += 1;
        self.pending.push(end);
        self.close(end);
        self.pending.reverse();
        Ok(())
    }

    /// Executes the instruction at index `cursor - 1` and returns its end token.
    fn execute(&mut self, instruction: Instruction) -> Result<Token, Stop> {
        let op = instruction.op;
        match op.spec().end {
            EndToken::Commit(commit) => Ok(Token::Commit(self.ordinary(instruction, commit)?)),
            EndToken::Call => {
                let frame = instruction.immediate[3];
                let resume = self
                    .instruction(self.cursor)
                    .filter(|next| next.op == Op::Resume);
                let resume = resume.ok_or(Stop::Fault(FaultKind::NoResume))?;
                if frame == 0 {
                    return Err(Stop::Fault(FaultKind::NoFrame));
                }
                if self.frame + usize::from(frame) > FRAME_LIMIT as usize {
                    return Err(Stop::Trap(Trap::CallStackExhausted));
                }
                self.callers.push(Caller { resume, frame });
                self.frame += usize::from(frame);
                self.jump(instruction.low());
                Ok(Token::Call(frame))
            }
            EndToken::Return => {
                let caller = self.callers.pop().ok_or(Stop::Fault(FaultKind::NoCaller))?;
                self.frame -= usize::from(caller.frame);
                self.jump(caller.resume.low());
                Ok(Token::Return(caller.frame))
            }
            EndToken::Out => {
                let [byte, ..] = self.pop()?.to_le_bytes();
                self.output.push(byte);
                Ok(Token::Out(byte))
            }
            EndToken::Err => {
                let [byte, ..] = self.pop()?.to_le_bytes();
                self.stderr.push(byte);
                Ok(Token::Err(byte))
            }
            EndToken::Exit => {
                let code = self.pop()?;
                self.write(code.into(), 4);
                self.outcome = Some(Outcome::Exited(code));
                Ok(Token::Exit)
            }
            EndToken::Trap(trap) => Err(Stop::Trap(trap)),
            EndToken::Interrupted => {
                self.word(self.turning.jump)?;
                Ok(Token::Interrupted)
            }
            EndToken::Stepping | EndToken::Continued => {
                let index = self.pop()?;
                self.jump(index);
                Ok(match op {
                    Op::Step => Token::Stepping,
                    _ => Token::Continued,
                })
            }
            EndToken::Saving => {
                self.jump(instruction.low());
                Ok(Token::Saving)
            }
            EndToken::Turned => {
                self.outcome = Some(Outcome::Turned);
                Ok(Token::Turned)
            }
            EndToken::Refused => {
                self.outcome = Some(Outcome::Refused);
                Ok(Token::Refused)
            }
            EndToken::Halt if op == Op::End => {
                self.outcome = Some(Outcome::Halted);
                Ok(Token::Halt)
            }
            EndToken::Loaded if op == Op::Dump => {
                self.dump(instruction)?;
                Ok(Token::Loaded)
            }
            EndToken::Loaded | EndToken::Halt => Err(Stop::Fault(FaultKind::NotExecutable(op))),
        }
    }
}

impl Iterator for Interpreter<'_> {
    type Item = Result<Token, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.pending.is_empty() {
            if self.outcome.is_some() || self.fault_yielded {
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
                self.fault_yielded = true;
                return Some(Err(fault));
            }
        }
        self.tokens += 1;
        self.pending.pop().map(Ok)
    }
}

impl FusedIterator for Interpreter<'_> {}
