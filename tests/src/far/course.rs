//! A course: one program that goes from the first position to the last, idling between cases.

use std::ops::Range;

use weightware::{Profile, Program};
use weightware_isa::{Instruction, Interpreter, Op, Token};

use super::setting::{Setting, count_down};
use super::writer::{COUNTER, PAGE, Writer};
use super::{Case, Kind, Ran, cases, program};
use crate::beside::is_store;
use crate::random::Random;

/// A case at its place in a course.
#[derive(Debug, Clone)]
pub struct Stop {
    /// The case.
    pub case: Case,
    /// The range of its instructions.
    pub code: Range<usize>,
    /// The position of its first token.
    pub start: u64,
    /// The number of its tokens.
    pub tokens: u64,
    /// The instructions that it executes, each with the token at which it begins.
    pub executed: Vec<(usize, u64)>,
}

/// A program of cases, each at its place.
#[derive(Debug, Clone)]
pub struct Course {
    /// The program, which never ends.
    pub program: Program,
    /// The setting of the cases.
    pub setting: Setting,
    /// The cases in the order of their positions; the last ones may be beyond the horizon.
    pub stops: Vec<Stop>,
    /// The number of tokens of the prompt.
    pub prompt: u64,
}

/// The limits that courses are made for.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// The machine's profile.
    pub profile: Profile,
    /// The last position.
    pub last_position: u64,
    /// The greatest number of stores.
    pub stores: u64,
}

/// Two idle loops, one that stores and one that does not: where each begins, and where it holds the
/// number of its rounds.
#[derive(Debug, Clone, Copy)]
struct Idle {
    first: usize,
    storing: Option<usize>,
    counting: usize,
}

/// The tokens of a loop with one round, and those of every further round.
pub(super) const COUNTING: [u64; 2] = [31, 24];
const STORING: [u64; 2] = [79, 72];
/// The stores in a round of the loop that stores.
const STORES: u64 = 4;
/// The stores left to the last loop, which runs until the horizon.
const LEFT: u64 = 100;
/// The positions that the last loop needs for its stores.
const ROOM: u64 = 4_000;

impl Course {
    /// Builds a course of the given cases.
    ///
    /// # Panics
    /// If a case breaks a rule of cases: it has a fault, or it is too long.
    #[must_use]
    pub fn new(ends: &Ends, setting: Setting, cases: &[Case]) -> Self {
        let mut cases = cases.to_vec();
        cases.sort_by_key(|case| case.position);
        loop {
            let mut draft = Draft::new(ends, setting, &cases);
            match draft.walk() {
                Ok(walked) => return draft.placed(ends, &walked),
                // A random program may trap here because of earlier writes to the memory.
                Err(trapped) => cases.retain(|case| case.number != trapped),
            }
        }
    }

    /// Checks that a run stopped at the last position or at the last store, where it had to.
    ///
    /// # Errors
    /// If it stopped elsewhere.
    pub fn ends_as_it_must(&self, ends: &Ends, ran: &Ran) -> Result<(), String> {
        let stores = ran.stores + self.program.sections.len() as u64;
        let positions = ran.tokens == ends.last_position + 1;
        match self.setting.stores {
            true if stores == ends.stores || positions => Ok(()),
            false if positions => Ok(()),
            _ => Err(format!(
                "{} stops after {} tokens and {stores} stores: {:?}",
                self.setting.name, ran.tokens, ran.finish
            )),
        }
    }

    /// The given number of positions inside of cases, from the last case back to the first.
    #[must_use]
    pub fn positions(&self, count: usize, last_position: u64) -> Vec<u64> {
        let inside = self
            .stops
            .iter()
            .filter(|stop| stop.start + stop.tokens <= last_position);
        let inside: Vec<&Stop> = inside.collect();
        let positions = (0..count).filter_map(|part| {
            let at = inside.len() * (count - part) / count;
            let stop = inside.get(at.checked_sub(1)?)?;
            // Any token of the case.
            Some(stop.start + stop.case.seed % stop.tokens)
        });
        positions.collect()
    }
}

/// A course whose loops have one round.
#[derive(Debug)]
struct Draft {
    program: Program,
    setting: Setting,
    stops: Vec<Stop>,
    idle: Vec<Idle>,
    end: usize,
}

/// The measurements of a draft.
#[derive(Debug)]
struct Walked {
    /// The tokens before the first loop.
    before: u64,
    /// The stores, including those of sections.
    stores: u64,
}

impl Draft {
    fn new(ends: &Ends, setting: Setting, cases: &[Case]) -> Self {
        let profile = &ends.profile;
        let mut writer = Writer {
            code: vec![],
            random: Random::new(cases.first().map_or(0, |case| case.seed)),
            ground: setting.ground(profile),
        };
        let mut sections = vec![];
        for (begin, bytes) in setting.sections(profile, &mut writer.random) {
            writer.emit(Op::Section, begin);
            sections.push(bytes);
        }
        setting.write(&mut writer, profile);
        let mut draft = Self {
            program: Program::default(),
            setting,
            stops: vec![],
            idle: vec![],
            end: 0,
        };
        for &case in cases {
            draft.idle.push(Idle::new(&mut writer, setting.stores));
            let begin = writer.code.len();
            writer.random = Random::new(case.seed);
            match case.kind {
                Kind::Op(op) => cases::write(&mut writer, op),
                Kind::Program => program::write(&mut writer),
            }
            draft.stops.push(Stop {
                case,
                code: begin..writer.code.len(),
                start: 0,
                tokens: 0,
                executed: vec![],
            });
        }
        draft.end = writer.code.len();
        let again = writer.here();
        if setting.stores {
            store(&mut writer);
        }
        writer.emit(Op::Br, again);
        draft.program = Program {
            code: writer.code,
            sections,
            turns: None,
            resident: None,
        };
        draft
    }

    /// Measures the length of each case and the instructions that it executes. A random program
    /// that traps is an error: its number.
    fn walk(&mut self) -> Result<Walked, u64> {
        let mut run = Interpreter::new(&self.program);
        let first = self.idle.first().map_or(self.end, |idle| idle.first);
        let (mut before, mut tokens) = (None, 0);
        let mut stored = self.program.sections.len() as u64;
        let (mut at, mut begun) = (0, None);
        loop {
            let cursor = run.cursor();
            if cursor == first {
                before.get_or_insert(tokens);
            }
            if let (Some(stop), Some(start)) = (self.stops.get_mut(at), begun)
                && cursor == stop.code.end
            {
                stop.tokens = tokens - start;
                (at, begun) = (at + 1, None);
            }
            if cursor == self.end {
                break;
            }
            let mut stop = self.stops.get_mut(at);
            if let Some(stop) = &mut stop {
                if cursor == stop.code.start {
                    begun.get_or_insert(tokens);
                }
                if let Some(start) = begun {
                    stop.executed.push((cursor, tokens - start));
                }
            }
            let case = stop.map(|stop| stop.case);
            loop {
                let token = match run.next() {
                    Some(Ok(token)) => token,
                    Some(Err(fault)) => panic!("{case:?}: {fault}"),
                    None => panic!("{case:?}: the program ends"),
                };
                tokens += 1;
                stored += u64::from(is_store(&token));
                if let (Token::Trap(_), Some(case)) = (token, case)
                    && case.kind == Kind::Program
                {
                    return Err(case.number);
                }
                if token.ends_instruction() {
                    break;
                }
            }
            run.go_on();
        }
        Ok(Walked {
            before: before.unwrap_or(tokens),
            stores: stored,
        })
    }

    /// The course in which each loop runs until the position of the next case.
    fn placed(mut self, ends: &Ends, walked: &Walked) -> Course {
        let prompt = self.prompt();
        let begin = prompt + walked.before;
        let storing = self.setting.stores;
        let last = ends.last_position - if storing { ROOM } else { 0 };
        let rounds = match storing {
            true => ends.stores.saturating_sub(walked.stores + LEFT) / STORES,
            false => 0,
        };
        let (mut position, mut stored) = (begin, 0);
        for (stop, idle) in self.stops.iter_mut().zip(&self.idle) {
            let target = stop.case.position.min(last);
            position += COUNTING[0];
            if let Some(storing) = idle.storing {
                position += STORING[0];
                // Stores are spread as evenly as the cases.
                let share = target.saturating_sub(begin) as f64 / (last - begin) as f64;
                let wanted = (rounds as f64 * share) as u64;
                let fitting = target.saturating_sub(position) / STORING[1];
                let more = wanted.saturating_sub(stored).min(fitting);
                self.program.code[storing] = Instruction::new(Op::I32Const, 1 + more as u32);
                (position, stored) = (position + more * STORING[1], stored + more);
            }
            let more = target.saturating_sub(position) / COUNTING[1];
            self.program.code[idle.counting] = Instruction::new(Op::I32Const, 1 + more as u32);
            position += more * COUNTING[1];
            stop.start = position;
            position += stop.tokens;
        }
        Course {
            program: self.program,
            setting: self.setting,
            stops: self.stops,
            prompt,
        }
    }

    fn prompt(&self) -> u64 {
        let sections = self.program.sections.iter();
        let bytes: usize = sections.map(|bytes| bytes.len() + 1).sum();
        (Program::PREAMBLE_LEN + 5 * self.program.code.len() + 2 + bytes) as u64
    }
}

impl Idle {
    fn new(writer: &mut Writer, stores: bool) -> Self {
        let first = writer.code.len();
        let storing = stores.then(|| {
            let (rounds, again) = begin(writer);
            store(writer);
            count_down(writer, again);
            rounds
        });
        let (counting, again) = begin(writer);
        count_down(writer, again);
        Self {
            first,
            storing,
            counting,
        }
    }
}

/// Begins a loop. Returns where it holds the number of its rounds, and the target of its branch.
pub(super) fn begin(writer: &mut Writer) -> (usize, u32) {
    writer.emit(Op::I32Const, 1);
    writer.emit(Op::LocalSet, COUNTER);
    (writer.code.len() - 2, writer.here())
}

/// Stores a few times; repeating it changes nothing.
fn store(writer: &mut Writer) {
    let ground = writer.ground;
    for address in [0, ground.last_address, ground.centre, PAGE - 1] {
        writer.emit(Op::I32Const, address);
        writer.emit(Op::I32Const, 0xa5);
        writer.access(Op::I32Store8, 0, 255);
    }
}
