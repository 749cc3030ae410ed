//! Contexts that turn: interrupted jumps, and values of either width.

use super::{FaultKind, Interpreter, Stop, Value};
use crate::{Commit, Instruction, Op, Program, Restart, Token, TraceReader};

/// A local or global that was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub(super) value: Value,
    /// The eight bytes of the trace up to the last one of the value.
    pub(super) raw: u64,
    /// The order of writes.
    pub(super) time: u64,
}

/// Whether a jump is interrupted, by the latest mark.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mark {
    /// None is: `interrupted`, `turned`, or no mark at all.
    Never,
    /// The next one is: `stepping`.
    Next,
    /// The first one is that is a context's tokens after this position: `ready`, `continued`.
    After(u64),
}

/// What decides on interrupts, and the bytes before a value.
#[derive(Debug, Clone)]
pub(super) struct Turning {
    pub(super) context: Option<u64>,
    handler: u32,
    mark: Mark,
    prompt: u64,
    /// Tokens yielded in earlier contexts.
    pub(super) before: u64,
    /// The data sections that this context has written.
    pub(super) dumped: Vec<Vec<u8>>,
    /// The target of the latest jump.
    pub(super) jump: u32,
    /// Whether the current instruction jumps.
    jumps: bool,
    /// The last eight tokens, the latest in the highest place; 0 for a token that is no byte.
    window: u64,
    /// For each entry of the stack, the eight bytes before its end token.
    raws: Vec<u64>,
}

impl Turning {
    pub(super) fn new(program: &Program, restart: Option<&Restart>) -> Self {
        let mut turning = Self {
            context: None,
            handler: 0,
            mark: Mark::Never,
            prompt: 0,
            before: 0,
            dumped: Vec::new(),
            jump: 0,
            jumps: false,
            window: 0,
            raws: Vec::new(),
        };
        let Some(turns) = &program.turns else {
            return turning;
        };
        turning.handler = turns.handler;
        for token in program.preamble().chain(program.prompt_from(restart)) {
            turning.prompt += 1;
            turning.read(token);
        }
        match restart {
            Some(restart) => turning.jump = restart.start,
            None => turning.mark = Mark::After(turning.prompt - 1),
        }
        turning
    }

    /// Notes a jump of the current instruction.
    pub(super) fn jumped(&mut self, target: u32) {
        self.jump = target;
        self.jumps = true;
    }

    fn read(&mut self, token: Token) {
        let byte = match token {
            Token::Byte(byte, _) => byte,
            _ => 0,
        };
        self.window = self.window >> 8 | u64::from(byte) << 56;
    }
}

impl Interpreter<'_> {
    /// The instruction of that number. Negative ones are in the preamble.
    pub(super) fn instruction(&self, at: usize) -> Option<Instruction> {
        match at.cast_signed() as i64 - Program::INTERRUPT {
            0 => Some(Instruction::new(Op::Interrupt, 0)),
            1 => Some(Instruction::new(Op::Br, self.turning.handler)),
            _ => self.code.get(at).copied(),
        }
    }

    /// The eight bytes of the trace up to the last pending one.
    pub(super) fn raw(&self) -> u64 {
        let mut turning = self.turning.window;
        for &token in &self.pending {
            if let Token::Byte(byte, _) = token {
                turning = turning >> 8 | u64::from(byte) << 56;
            }
        }
        turning
    }

    /// Ends the current instruction, whose tokens are pending: interrupts its jump if the context is
    /// full.
    pub(super) fn close(&mut self, end: Token) {
        let stored = matches!(
            end,
            Token::Commit(Commit { stored: true, .. }) | Token::Interrupted
        );
        if stored && let Some(depth) = self.stack.len().checked_sub(1) {
            let raw = self.raw();
            self.turning.raws.resize(depth + 1, 0);
            self.turning.raws[depth] = raw;
        }
        let turning = &mut self.turning;
        let tokens = self.tokens - turning.before + self.pending.len() as u64;
        let at = turning.prompt + tokens - 1;
        let full = match (turning.mark, turning.context) {
            (Mark::Next, _) => true,
            (Mark::After(mark), Some(context)) => at - mark > context,
            (Mark::Never, _) | (Mark::After(_), None) => false,
        };
        let mark = match end {
            Token::Interrupted | Token::Turned => Some(Mark::Never),
            Token::Stepping => Some(Mark::Next),
            Token::Continued => Some(Mark::After(at)),
            _ => None,
        };
        if std::mem::take(&mut turning.jumps) && full && mark.is_none() {
            self.cursor = Program::INTERRUPT as usize;
        }
        turning.mark = mark.unwrap_or(turning.mark);
        for &token in &self.pending {
            turning.read(token);
        }
    }

    /// Pushes a local or global of either width: the word, or the nearest one that was written; of
    /// two at equal distance, the one written later.
    pub(super) fn get_raw(&mut self, index: usize) {
        let at = |index: Option<usize>| index.and_then(|index| self.words.get(index));
        let nearest = (0..=self.words.len()).find_map(|distance| {
            let below = at(index.checked_sub(distance));
            let above = at(index.checked_add(distance));
            below.into_iter().chain(above).max_by_key(|word| word.time)
        });
        self.result(Value::Raw(nearest.map_or(0, |word| word.raw)));
    }

    /// Pops the top of the stack, of either width, into a local or global.
    pub(super) fn set_raw(&mut self, index: usize) -> Result<(), Stop> {
        self.pop_value()?;
        let raw = self.turning.raws.get(self.stack.len());
        let raw = *raw.ok_or(Stop::Fault(FaultKind::Underflow))?;
        self.write(raw, 8);
        let (value, time) = (Value::Raw(raw), self.tokens);
        self.words.set(index, Some(Word { value, raw, time }));
        Ok(())
    }

    /// Writes bytes of the memory to the trace, as a data section.
    pub(super) fn dump(&mut self, instruction: Instruction) -> Result<(), Stop> {
        let [.., size, address] = self.stack.as_slice() else {
            return Err(Stop::Fault(FaultKind::Underflow));
        };
        let (size, base) = (size.expect(4)? as usize, address.expect(4)? as u32);
        let address = self.address(instruction, base, TraceReader::LONGEST_SECTION)?;
        let bytes: Vec<u8> = (address..address + size)
            .map(|address| self.memory.get(address))
            .collect();
        self.pending.extend(bytes.iter().copied().map(Token::byte));
        self.turning.dumped.push(bytes);
        Ok(())
    }
}
