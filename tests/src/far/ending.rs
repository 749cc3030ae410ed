//! Every way to end a run, shortly before the last position and with end tokens.

use weightware::{Computer, Engine, FinishReason, Program};
use weightware_isa::{FRAME_LIMIT, Instruction, Op, Trap};

use super::Ends;
use super::course::{COUNTING, begin};
use super::run::{Difference, Ran, follow};
use super::setting::{Setting, count_down};
use super::writer::Writer;
use crate::random::Random;

/// A way to end.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The name of the ending.
    pub name: String,
    /// The instructions that end the run.
    code: Vec<Instruction>,
    /// Whether calls precede it until one more frame would be too many.
    frames: bool,
}

/// The positions that an ending may take.
const ROOM: u64 = 60;

/// Every way to end a run: each instruction that always traps, instructions that trap for their
/// operands, an exit, and the end of the program.
#[must_use]
pub fn endings() -> Vec<Ending> {
    let new = Instruction::new;
    let word = |value| new(Op::I32Const, value);
    let wide = |high| [new(Op::I64Const, 5), new(Op::I64ConstHigh, high)];
    let ending = |name: &str, code: &[Instruction]| Ending {
        name: name.to_owned(),
        code: code.to_vec(),
        frames: false,
    };
    let mut endings: Vec<Ending> = Trap::ALL
        .into_iter()
        .map(|trap| {
            ending(
                Op::trap(trap).spec().name,
                &[word(7), new(Op::trap(trap), 0)],
            )
        })
        .collect();
    let beyond = |op| Instruction::with_byte(op, 0, 1);
    let [a, b] = wide(1 << 31);
    let [c, d] = wide(0);
    endings.extend([
        ending(
            "division by zero",
            &[word(u32::MAX), word(0), new(Op::DivDigits, 0)],
        ),
        ending(
            "i32.with_sign",
            &[word(1 << 31), word(1), new(Op::I32WithSign, 0)],
        ),
        ending("i64.with_sign", &[a, b, c, d, new(Op::I64WithSign, 0)]),
        ending("load", &[word(65_533), beyond(Op::I32Load)]),
        ending("store", &[word(65_536), word(1), beyond(Op::I32Store8)]),
        ending("exit", &[word(0x8000_00ff), new(Op::Exit, 0)]),
        ending("halt", &[]),
    ]);
    let call = Instruction::with_byte(Op::Call, 0, 255);
    endings.push(Ending {
        frames: true,
        ..ending("call", &[call, new(Op::Resume, 0)])
    });
    endings
}

impl Ending {
    /// The program that idles until only this ending fits before the last position.
    #[must_use]
    pub fn program(&self, ends: &Ends) -> Program {
        let mut writer = Writer {
            code: vec![],
            random: Random::new(0),
            ground: Setting::PLAIN.ground(&ends.profile),
        };
        let mut left = if self.frames { FRAME_LIMIT } else { 0 };
        while left > 0 {
            let frame = left.min(255);
            let callee = writer.here() + 2;
            writer.call(callee, frame as u8);
            left -= frame;
        }
        let calls = writer.code.len() as u64 / 2;
        let (rounds, again) = begin(&mut writer);
        count_down(&mut writer, again);
        let at = writer.here();
        writer.code.extend(&self.code);
        if self.frames {
            writer.code[at as usize + 1] = Instruction::new(Op::Resume, at + 2);
        }
        let prompt = (Program::PREAMBLE_LEN + 5 * writer.code.len() + 2) as u64;
        let begun = prompt + 4 * calls + COUNTING[0];
        let more = (ends.last_position - ROOM).saturating_sub(begun) / COUNTING[1];
        writer.code[rounds] = Instruction::new(Op::I32Const, 1 + more as u32);
        Program {
            code: writer.code,
            ..Program::default()
        }
    }

    /// Runs that program on a model that has its end tokens.
    ///
    /// # Errors
    /// The first token that differs, or another end than the plain interpreter's.
    pub fn run(&self, computer: &Computer, ends: &Ends, engine: Engine) -> Result<Ran, Difference> {
        let ran = follow(computer, &self.program(ends), engine, std::iter::empty())?;
        let at_the_end = ran.tokens + 2 * ROOM > ends.last_position;
        match ran.finish {
            Some(FinishReason::EndToken(_)) if at_the_end => Ok(ran),
            finish => Err(Difference {
                position: ran.tokens,
                found: format!("{finish:?}"),
                expected: self.name.clone(),
            }),
        }
    }
}
