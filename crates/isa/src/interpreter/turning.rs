//! Contexts that turn: interrupted jumps, and values of either width.

use super::{FaultKind, Interpreter, Stop, Value};
use crate::{BLOCK, Commit, Effect, Instruction, Op, Program, Token};

/// Blocks that `probe` takes for written although they were not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nearest {
    /// The address that the first token stands for: its block counts as written.
    pub centre: u32,
    /// Whether the machine takes the mean of two written addresses that are the nearest, at equal
    /// distance below and above. A block between such addresses may count as written.
    pub mean: bool,
}

/// The word that counts as written from the beginning: the first token's.
const FIRST_WORD: usize = 1 << 13;

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

/// The state that decides on interrupts, and the bytes before values.
#[derive(Debug, Clone)]
pub(super) struct Turning {
    pub(super) context: Option<u64>,
    handler: u32,
    mark: Mark,
    prompt: u64,
    /// Tokens yielded in earlier contexts.
    pub(super) before: u64,
    pub(super) nearest: Nearest,
    /// The trace since `saving`.
    pub(super) saved: Vec<Token>,
    saving: bool,
    /// The number of the latest write of a word.
    writes: u64,
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
    /// The state after the prompt, without the end of the trace of the context before if this is a
    /// later context.
    pub(super) fn new(program: &Program, later: bool) -> Self {
        let mut turning = Self {
            context: None,
            handler: 0,
            mark: Mark::Never,
            prompt: 0,
            before: 0,
            nearest: Nearest {
                centre: u32::MAX,
                mean: false,
            },
            saved: Vec::new(),
            saving: false,
            writes: 0,
            jump: 0,
            jumps: false,
            window: 0,
            raws: Vec::new(),
        };
        let Some(turns) = &program.turns else {
            return turning;
        };
        turning.handler = turns.handler;
        let prompt = program.prompt_until_saved(later);
        for token in program.preamble().chain(prompt) {
            turning.prompt += 1;
            turning.read(token);
        }
        turning.mark = Mark::After(turning.prompt - 1);
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
            _ => self.program.instruction(at),
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

    /// Ends the current instruction, whose tokens are pending: interrupts its jump if the context
    /// is full.
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
            Token::Interrupted | Token::Saving | Token::Turned => Some(Mark::Never),
            Token::Stepping => Some(Mark::Next),
            Token::Continued => Some(Mark::After(at)),
            _ => None,
        };
        turning.saving |= end == Token::Saving;
        if turning.saving {
            turning.saved.extend(&self.pending);
        }
        if std::mem::take(&mut turning.jumps) && full && mark.is_none() {
            self.cursor = Program::INTERRUPT as usize;
        }
        turning.mark = mark.unwrap_or(turning.mark);
        for &token in &self.pending {
            turning.read(token);
        }
    }

    /// Sets a local or global.
    pub(super) fn set_word(&mut self, index: usize, value: Value, raw: u64) {
        self.turning.writes += 1;
        let time = self.turning.writes;
        self.words.set(index, Some(Word { value, raw, time }));
    }

    /// Pushes a local or global of either width: the word, or the nearest one that was written; of
    /// two at equal distance, the one written later. The first token counts as a word.
    pub(super) fn get_raw(&mut self, index: usize) {
        let at = |index: Option<usize>| index.and_then(|index| self.words.get(index));
        let first = |distance| (index.abs_diff(FIRST_WORD) == distance).then_some((0, 0));
        let nearest = (0..=self.words.len().max(FIRST_WORD)).find_map(|distance| {
            let below = at(index.checked_sub(distance));
            let above = at(index.checked_add(distance));
            let words = below.into_iter().chain(above);
            let words = words.map(|word| (word.time, word.raw));
            words.chain(first(distance)).max()
        });
        self.result(Value::Raw(nearest.map_or(0, |(_, raw)| raw)));
    }

    /// Pops the top of the stack, of either width, into a local or global.
    pub(super) fn set_raw(&mut self, index: usize) -> Result<(), Stop> {
        self.pop_value()?;
        let raw = self.turning.raws.get(self.stack.len());
        let raw = *raw.ok_or(Stop::Fault(FaultKind::Underflow))?;
        self.write(raw, 8);
        self.set_word(index, Value::Raw(raw), raw);
        Ok(())
    }

    /// Writes a block of the memory to the trace, and to where it is.
    pub(super) fn dump(&mut self, instruction: Instruction) -> Result<(), Stop> {
        let [.., copy, address] = self.stack.as_slice() else {
            return Err(Stop::Fault(FaultKind::Underflow));
        };
        let (copy, address) = (copy.expect(4)?, address.expect(4)?);
        if copy != address {
            return Err(Stop::Fault(FaultKind::NotAlike));
        }
        let address = address as usize + instruction.low() as usize;
        let bytes: Vec<u8> = (address..address + BLOCK as usize)
            .map(|address| self.memory.get(address))
            .collect();
        self.pending.extend(bytes.iter().copied().map(Token::byte));
        self.memory.write(address, &bytes);
        Ok(())
    }

    /// Pops an address and pushes whether the block around it was written.
    pub(super) fn probe(&mut self, offset: usize) -> Result<(), Stop> {
        let address = self.pop()? as usize + offset;
        let Nearest { centre, mean } = self.turning.nearest;
        let half = BLOCK as usize / 2;
        let block = address.saturating_sub(half)..address + half;
        let centre = centre as usize;
        let [below, above] = self.memory.nearest(address);
        let within = [below, above].into_iter().flatten().chain([centre]);
        let written = within.into_iter().any(|at| block.contains(&at));
        // The mean of the squares of two addresses at distance d is greater by d^2 than that of the
        // address between them.
        let distance = match (below, above) {
            (Some(below), Some(above)) if address - below == above - address => address - below,
            _ => usize::MAX,
        };
        let near = (address + (1 << 18)) * BLOCK as usize;
        let is_nearest = distance <= address.abs_diff(centre);
        let mistaken = mean && is_nearest && distance.saturating_mul(distance) <= near;
        self.word(if written || mistaken { 0x0101_0101 } else { 0 })
    }

    /// Reads the end of the trace of the context before, as the machine does: what a line does
    /// depends on its tokens and the current instruction alone.
    pub(super) fn replay(&mut self, tokens: &[Token]) -> Result<(), FaultKind> {
        let mut ended = false;
        for line in tokens.split_inclusive(|token| token.ends_instruction()) {
            let [bytes @ .., end] = line else { break };
            if ended {
                return Err(FaultKind::Saved);
            }
            self.pending.extend(bytes);
            self.replay_line(bytes, *end).map_err(|stop| match stop {
                Stop::Fault(kind) => kind,
                Stop::Trap(_) => FaultKind::Saved,
            })?;
            self.pending.push(*end);
            self.close(*end);
            self.pending.clear();
            self.turning.prompt += line.len() as u64;
            ended = *end == Token::Turned;
        }
        self.turning.saving = false;
        self.turning.saved.clear();
        ended.then_some(()).ok_or(FaultKind::Saved)
    }

    fn replay_line(&mut self, bytes: &[Token], end: Token) -> Result<(), Stop> {
        let bytes = bytes.iter().map(|&token| match token {
            Token::Byte(byte, _) => Ok(byte),
            _ => Err(Stop::Fault(FaultKind::Saved)),
        });
        let bytes = bytes.collect::<Result<Vec<u8>, Stop>>()?;
        let last = |count: usize| {
            let from = bytes.len().checked_sub(count);
            let last = bytes[from.ok_or(Stop::Fault(FaultKind::Saved))?..].iter();
            Ok(last.rfold(0, |number, &byte| number << 8 | u64::from(byte)))
        };
        let instruction = self.instruction(self.cursor);
        self.cursor = self.cursor.wrapping_add(1);
        match end {
            Token::Saving => self.cursor = last(3)? as usize,
            Token::Turned => {}
            Token::Loaded => {
                let instruction = instruction.ok_or(Stop::Fault(FaultKind::Outside))?;
                let [.., address, _] = self.stack.as_slice() else {
                    return Err(Stop::Fault(FaultKind::Underflow));
                };
                let address = address.expect(4)? as usize + instruction.low() as usize;
                self.memory.write(address, &bytes);
            }
            Token::Commit(commit) => {
                let instruction = instruction.ok_or(Stop::Fault(FaultKind::Outside))?;
                let op = instruction.op;
                let width = if bytes.len() < 8 { 4 } else { 8 };
                if matches!(op, Op::GlobalSet | Op::LocalTee) {
                    let value = Value::of_width(width, last(width.into())?);
                    self.set_word(instruction.low() as usize, value, self.raw());
                }
                let popped = i8::from(commit.stored) - commit.delta;
                for _ in 0..popped {
                    self.pop_value()?;
                }
                if commit.stored {
                    self.stack.push(Value::of_width(width, last(width.into())?));
                }
                if commit.effect == Effect::Jump {
                    self.cursor = last(3)? as usize;
                }
            }
            _ => return Err(Stop::Fault(FaultKind::Saved)),
        }
        Ok(())
    }
}
