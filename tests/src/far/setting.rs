//! What surrounds cases: how deep frames and operands are, how much is stored, how far on the code
//! stands.

use weightware::Profile;
use weightware_isa::{FRAME_LIMIT, Instruction, Op};

use super::writer::{COUNTER, Ground, Writer};
use crate::random::Random;

/// What surrounds the cases of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Cases stand in the last frame in which a call of any size succeeds.
    pub frames: bool,
    /// Below the operands of cases are as many as fit.
    pub stack: bool,
    /// All of the memory is written, and idle loops store: the last store comes just before the
    /// last position.
    pub stores: bool,
    /// The prompt has many data sections, of more and of fewer than 255 bytes.
    pub sections: bool,
    /// Loads go as far as addresses reach in a memory that has grown; plans give up a table for
    /// that.
    pub looks_far: bool,
    /// How far on the code of cases stands.
    pub code: Code,
}

/// How far on the code of cases stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// At the beginning.
    Near,
    /// Beyond 2^16 instructions.
    Beyond,
    /// Behind a prompt that takes three fifths of all positions: its targets have three bytes.
    Far,
}

impl Setting {
    /// Nothing in particular.
    pub const PLAIN: Self = Self {
        name: "plain",
        frames: false,
        stack: false,
        stores: false,
        sections: false,
        looks_far: false,
        code: Code::Near,
    };

    /// All of them; courses take turns.
    pub const ALL: [Self; 8] = [
        Self::PLAIN,
        Self {
            name: "the last frames, the farthest loads",
            frames: true,
            looks_far: true,
            ..Self::PLAIN
        },
        Self {
            name: "up to the last store",
            stores: true,
            ..Self::PLAIN
        },
        Self {
            name: "the deepest stack",
            stack: true,
            ..Self::PLAIN
        },
        Self {
            name: "code beyond 2^16 instructions, the farthest loads",
            looks_far: true,
            code: Code::Beyond,
            ..Self::PLAIN
        },
        Self {
            name: "a thousand sections",
            sections: true,
            ..Self::PLAIN
        },
        Self {
            name: "code far on",
            code: Code::Far,
            ..Self::PLAIN
        },
        Self {
            name: "everything at once",
            frames: true,
            stack: true,
            stores: true,
            sections: true,
            code: Code::Beyond,
            ..Self::PLAIN
        },
    ];

    /// What cases may use.
    pub(super) fn ground(&self, profile: &Profile) -> Ground {
        let as_word =
            |number: i64| u32::try_from(number).expect("the limits of a machine are words");
        Ground {
            frame: if self.frames { FRAME_LIMIT - 255 } else { 0 },
            room: ROOM,
            last_word: as_word(profile.words.last()),
            last_address: as_word(profile.memory.last()),
            centre: as_word(profile.memory.centre),
            looks_far: self.looks_far,
        }
    }

    /// The bytes of the prompt's sections, and where they begin.
    pub(super) fn sections(&self, profile: &Profile, random: &mut Random) -> Vec<(u32, Vec<u8>)> {
        let mut sections = vec![];
        if !self.sections {
            return sections;
        }
        let end = self.ground(profile).last_address + 1;
        // Every address of the lowest and of the highest pages, a byte of which follows every 257
        // of another section.
        let lengths = [1, 3, 254, 255, 256, 257, 0, 700];
        for length in lengths.into_iter().cycle().take(1_000) {
            let begin = match random.below(5) {
                0 | 1 => end - length - random.below(600) as u32,
                2 | 3 => random.below(600) as u32,
                _ => random.below(u64::from(end - length)) as u32,
            };
            let bytes = (0..length).map(|_| random.bits() as u8).collect();
            sections.push((begin, bytes));
        }
        sections
    }

    /// Instructions before those of cases that are never executed.
    fn skipped(&self, profile: &Profile) -> u64 {
        match self.code {
            Code::Near => 0,
            Code::Beyond => 70_000,
            Code::Far => profile.last_position / 5 * 3 / 5,
        }
    }

    /// Makes it so.
    pub(super) fn write(&self, writer: &mut Writer, profile: &Profile) {
        let skipped = self.skipped(profile);
        if skipped > 0 {
            let over = writer.gap();
            for _ in 0..skipped {
                let op = Op::ALL[writer.below(Op::ALL.len() as u32) as usize];
                let op = match op {
                    Op::Section => Op::Drop,
                    op => op,
                };
                let immediate = writer.random.bits() as u32;
                writer.emit(op, immediate);
            }
            writer.branch_here(over, Op::Br);
        }
        if self.stores {
            sweep(writer);
        }
        if self.frames {
            let mut left = writer.ground.frame;
            while left > 0 {
                let frame = left.min(255);
                let callee = writer.here() + 2;
                writer.call(callee, frame as u8);
                left -= frame;
            }
        }
        if self.stack {
            let last = writer.ground.last_word;
            writer.emit(Op::I32Const, last - ROOM);
            writer.emit(Op::LocalSet, COUNTER);
            let again = writer.here();
            writer.emit(Op::LocalGet, COUNTER);
            count_down(writer, again);
        }
    }
}

/// Operands that a case may push.
const ROOM: u32 = 90;

/// Writes 8 bytes at 8,000 addresses, from the lowest to the highest, as far apart as need be.
fn sweep(writer: &mut Writer) {
    const STORES: u32 = 8_000;
    let apart = (writer.ground.last_address + 1 - 8) / STORES;
    writer.emit(Op::I32Const, STORES);
    writer.emit(Op::LocalSet, COUNTER);
    let again = writer.here();
    writer.emit(Op::LocalGet, COUNTER);
    writer.emit(Op::I32Const, apart);
    writer.emit(Op::I32Mul, 0);
    writer.emit(Op::LocalGet, COUNTER);
    writer.emit(Op::LocalGet, COUNTER);
    writer.emit(Op::I64Join, 0);
    writer
        .code
        .push(Instruction::with_byte(Op::I64Store, 0, 255));
    count_down(writer, again);
}

/// Goes back unless the counter, less one, is 0: 24 tokens, or 21.
pub(super) fn count_down(writer: &mut Writer, again: u32) {
    writer.emit(Op::LocalGet, COUNTER);
    writer.emit(Op::I32Const, 1);
    writer.emit(Op::I32Sub, 0);
    writer.emit(Op::LocalTee, COUNTER);
    writer.emit(Op::BrIf, again);
}
