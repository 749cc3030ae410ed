//! A writer of the code of cases: numbers, the origins of operands, the uses of results, words,
//! addresses.

use weightware_isa::{Instruction, Op};

use crate::random::Random;
use crate::verify::some_operand;

/// The limits of the machine within which cases must stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ground {
    /// The first word of the frame.
    pub(super) frame: u32,
    /// The number of operands that may be pushed.
    pub(super) room: u32,
    /// The greatest word of frames.
    pub(super) last_word: u32,
    /// The greatest address that may be written, and the address at which keys are centred.
    pub(super) last_address: u32,
    pub(super) centre: u32,
    /// Whether loads go beyond that, to the end of the address range.
    pub(super) looks_far: bool,
}

/// The bytes of a page of memory.
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

    /// Emits an access with an offset to a memory of this many pages.
    pub(super) fn access(&mut self, op: Op, offset: u32, pages: u8) {
        self.code.push(Instruction::with_byte(op, offset, pages));
    }

    /// The index of the next instruction.
    pub(super) fn here(&self) -> u32 {
        self.code.len() as u32
    }

    /// Reserves an instruction that refers to a later one.
    pub(super) fn gap(&mut self) -> usize {
        self.emit(Op::Unreachable, 0);
        self.code.len() - 1
    }

    /// Fills a gap with a branch to here.
    pub(super) fn branch_here(&mut self, gap: usize, op: Op) {
        self.code[gap] = Instruction::new(op, self.here());
    }

    /// Emits a call and its `resume`.
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

    /// A number at an edge of an operation, or any number.
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

    /// Pushes a number: as a constant, or through a word or the memory.
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

    /// Pops the top of the stack: outputs it, keeps it in a word, or drops it.
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

    /// A local: a low one, any one, or one of the last words.
    pub(super) fn word(&mut self) -> u32 {
        let last = self.ground.last_word - self.ground.frame;
        let within = self.below(last + 1);
        let near = self.below(3);
        self.pick(&[near, near + 7, within.min(COUNTER - 1), within, last - near])
    }

    /// An address that may be written, for an access of this many bytes, and the part of it that is
    /// the offset.
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

    /// The pages of a memory that contains an access: as few as possible, or more.
    pub(super) fn pages(&mut self, address: u32, size: u32) -> u8 {
        let fewest = (address + size).div_ceil(PAGE) as u8;
        match self.below(3) {
            0 => self.pick(&[fewest, 255]),
            _ => fewest.max(3),
        }
    }
}

/// The instructions that set and get a local of that width.
pub(super) fn words_of(width: u8) -> (Op, Op) {
    match width {
        4 => (Op::LocalSet, Op::LocalGet),
        _ => (Op::LocalSet64, Op::LocalGet64),
    }
}
