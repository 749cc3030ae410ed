//! Writes the code of cases: numbers, where operands come from and where results go, words,
//! addresses.

use weightware_isa::{Instruction, Op};

use crate::random::Random;
use crate::verify::some_operand;

/// Where cases stand: what they may use without leaving the machine's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ground {
    /// The first word of the frame.
    pub(super) frame: u32,
    /// Operands that may be pushed.
    pub(super) room: u32,
    /// The greatest word of frames.
    pub(super) last_word: u32,
    /// The greatest address that may be written, and the one that keys are centred at.
    pub(super) last_address: u32,
    pub(super) centre: u32,
    /// Whether loads go as far beyond that as addresses reach.
    pub(super) looks_far: bool,
}

/// Bytes in a page of memory.
pub(super) const PAGE: u32 = 1 << 16;

/// The local that idle loops count in.
pub(super) const COUNTER: u32 = 200;

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) code: Vec<Instruction>,
    pub(super) random: Random,
    pub(super) ground: Ground,
}

impl Writer {
    pub(super) fn emit(&mut self, op: Op, immediate: u32) {
        self.code.push(Instruction::new(op, immediate));
    }

    pub(super) fn emit_all(&mut self, ops: &[Op]) {
        self.code
            .extend(ops.iter().map(|&op| Instruction::new(op, 0)));
    }

    /// An access with that offset to a memory of so many pages.
    pub(super) fn access(&mut self, op: Op, offset: u32, pages: u8) {
        self.code.push(Instruction::with_byte(op, offset, pages));
    }

    /// The index of the next instruction.
    pub(super) fn here(&self) -> u32 {
        self.code.len() as u32
    }

    /// Room for an instruction that names one further on.
    pub(super) fn gap(&mut self) -> usize {
        self.emit(Op::Unreachable, 0);
        self.code.len() - 1
    }

    /// A branch to here, in a gap.
    pub(super) fn branch_here(&mut self, gap: usize, op: Op) {
        self.code[gap] = Instruction::new(op, self.here());
    }

    /// A call, which goes on behind itself.
    pub(super) fn call(&mut self, callee: u32, frame: u8) {
        self.code
            .push(Instruction::with_byte(Op::Call, callee, frame));
        self.emit(Op::Resume, self.here() + 1);
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.below(from.len() as u64) as usize]
    }

    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.random.below(end.into()) as u32
    }

    /// A number where something turns, or any.
    pub(super) fn value(&mut self, width: u8) -> u64 {
        some_operand(width, &mut self.random)
    }

    pub(super) fn constant(&mut self, width: u8, value: u64) {
        if width == 4 {
            self.emit(Op::I32Const, value as u32);
        } else {
            self.emit(Op::I64Const, value as u32);
            self.emit(Op::I64ConstHigh, (value >> 32) as u32);
        }
    }

    /// Pushes a number: as a constant, or by way of a word or of the memory.
    pub(super) fn operand(&mut self, width: u8, value: u64) {
        let (set, get) = words_of(width);
        match self.below(6) {
            0 => {
                let word = self.word();
                self.constant(width, value);
                self.emit(set, word);
                self.emit(get, word);
            }
            1 => {
                let (address, offset) = self.address(width.into());
                let (store, load) = match width {
                    4 => (Op::I32Store, Op::I32Load),
                    _ => (Op::I64Store, Op::I64Load),
                };
                let pages = self.pages(address, width.into());
                self.emit(Op::I32Const, address - offset);
                self.constant(width, value);
                self.access(store, offset, pages);
                self.emit(Op::I32Const, address);
                self.access(load, 0, pages);
            }
            _ => self.constant(width, value),
        }
    }

    /// Takes the top of the stack: it is put out, kept in a word, or dropped.
    pub(super) fn result(&mut self, width: u8) {
        let (set, get) = words_of(width);
        match self.below(4) {
            choice @ (0 | 1) => {
                if width == 8 {
                    let half = self.pick(&[Op::I32WrapI64, Op::I64High]);
                    self.emit(half, 0);
                }
                let stream = if choice == 0 {
                    Op::Output
                } else {
                    Op::OutputErr
                };
                self.emit(stream, 0);
            }
            2 => {
                let word = self.word();
                self.emit(set, word);
                self.emit(get, word);
                self.emit(Op::Drop, 0);
            }
            _ => self.emit(Op::Drop, 0),
        }
    }

    /// A local: low, anywhere, or the last words there are.
    pub(super) fn word(&mut self) -> u32 {
        let last = self.ground.last_word - self.ground.frame;
        let within = self.below(last + 1);
        let near = self.below(3);
        self.pick(&[near, near + 7, within.min(COUNTER - 1), within, last - near])
    }

    /// An address that all of an access of so many bytes fits behind, and how much of it is offset.
    pub(super) fn address(&mut self, size: u32) -> (u32, u32) {
        let greatest = self.ground.last_address + 1 - size;
        let near = self.below(9);
        let page = PAGE * (1 + self.below(greatest / PAGE));
        let anywhere = self.below(greatest + 1);
        let low = self.below(300);
        let from_centre = self.ground.centre + 4 - near;
        let highest = greatest - near / 4;
        let address = self.pick(&[
            near,
            low,
            anywhere,
            page - near,
            from_centre,
            highest,
            greatest - near,
        ]);
        let address = address.min(greatest);
        let offset = match self.below(5) {
            0 => near.min(address),
            1 => self.below(address + 1),
            2 => address,
            _ => 0,
        };
        (address, offset.min((1 << 24) - 1))
    }

    /// Pages of a memory that an access lies inside: as few as can be, or more.
    pub(super) fn pages(&mut self, address: u32, size: u32) -> u8 {
        let fewest = (address + size).div_ceil(PAGE) as u8;
        match self.below(3) {
            0 => self.pick(&[fewest, 255]),
            _ => fewest.max(3),
        }
    }
}

/// Sets and gets a local of that width.
pub(super) fn words_of(width: u8) -> (Op, Op) {
    match width {
        4 => (Op::LocalSet, Op::LocalGet),
        _ => (Op::LocalSet64, Op::LocalGet64),
    }
}
