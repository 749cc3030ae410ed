//! Settings of cases: the depth of frames and operands, the number of stores, and the place of the
//! code.

use weightware::Profile;
use weightware_isa::{FRAME_LIMIT, Instruction, Op};

use super::writer::{COUNTER, Ground, Writer};
use crate::random::Random;

/// The surroundings of a course's cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Whether cases run in the last frame in which a call of any size succeeds.
    pub frames: bool,
    /// Whether as many operands as fit are below those of cases.
    pub stack: bool,
    /// Whether all of the memory is written and idle loops store. The last store then comes just
    /// before the last position.
    pub stores: bool,
    /// Whether the prompt has many data sections, of more and of fewer than 255 bytes.
    pub sections: bool,
    /// Whether loads reach to the end of the address range, in a memory that has grown. Plans give
    /// up a table for that.
    pub looks_far: bool,
    /// The place of the code of cases in the program.
    pub code: Code,
}

/// A place in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The code is at the beginning.
    Near,
    /// The code is beyond 2^16 instructions.
    Beyond,
    /// The code follows a prompt that takes three fifths of all positions, so its targets have
    /// three bytes.
    Far,
}

impl Setting {
    /// The setting without any of these.
    pub const PLAIN: Self = Self {
        name: "plain",
        frames: false,
        stack: false,
        stores: false,
        sections: false,
        looks_far: false,
        code: Code::Near,
    };

    /// All settings, in which courses take turns.
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

    /// The limits that cases must keep to.
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

    /// The bytes of the prompt's sections, and their addresses.
    pub(super) fn sections(&self, profile: &Profile, random: &mut Random) -> Vec<(u32, Vec<u8>)> {
        let mut sections = vec![];
        if !self.sections {
            return sections;
        }
        let end = self.ground(profile).last_address + 1;
        // A thousand sections: most overlap at the lowest or at the highest addresses, the others
        // are anywhere.
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

    /// The number of instructions before those of cases, which are never executed.
    fn skipped(&self, profile: &Profile) -> u64 {
        match self.code {
            Code::Near => 0,
            Code::Beyond => 70_000,
            Code::Far => profile.last_position / 5 * 3 / 5,
        }
    }

    /// Emits the code that establishes the setting.
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

/// The number of operands that a case may push.
const ROOM: u32 = 90;

/// Writes 8 bytes at 8,000 addresses, evenly spaced from the lowest to the highest.
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

/// Branches back unless the counter, less one, is 0: 24 tokens, or 21.
pub(super) fn count_down(writer: &mut Writer, again: u32) {
    writer.emit(Op::LocalGet, COUNTER);
    writer.emit(Op::I32Const, 1);
    writer.emit(Op::I32Sub, 0);
    writer.emit(Op::LocalTee, COUNTER);
    writer.emit(Op::BrIf, again);
}
