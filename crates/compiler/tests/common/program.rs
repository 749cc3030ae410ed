//! Random programs that touch every instruction.

use weightware_isa::{Instruction, Op, Program};

use super::Random;

/// Instructions with the widths of their operands and of their result.
const PLAIN: &[(&[Op], &[u8], u8)] = &[
    (
        &[
            Op::I32Add,
            Op::I32Sub,
            Op::I32And,
            Op::I32Or,
            Op::I32Xor,
            Op::I32Shl,
            Op::I32ShrS,
            Op::I32ShrU,
            Op::I32Rotl,
            Op::I32Rotr,
            Op::I32Mul,
            Op::I32Mul,
            Op::I32Eq,
            Op::I32Ne,
            Op::I32LtS,
            Op::I32LtU,
            Op::I32GtS,
            Op::I32GtU,
            Op::I32LeS,
            Op::I32LeU,
            Op::I32GeS,
            Op::I32GeU,
        ],
        &[4, 4],
        4,
    ),
    (
        &[
            Op::I32Eqz,
            Op::I32Extend8S,
            Op::I32Extend16S,
            Op::I32Bswap,
            Op::I32Abs,
            Op::I32Clz,
            Op::I32Ctz,
            Op::I32Popcnt,
        ],
        &[4],
        4,
    ),
    (
        &[
            Op::I64Add,
            Op::I64Sub,
            Op::I64And,
            Op::I64Or,
            Op::I64Xor,
            Op::I64Shl,
            Op::I64ShrS,
            Op::I64ShrU,
            Op::I64Rotl,
            Op::I64Rotr,
        ],
        &[8, 8],
        8,
    ),
    (
        &[
            Op::I64Eq,
            Op::I64Ne,
            Op::I64LtS,
            Op::I64LtU,
            Op::I64GtS,
            Op::I64GtU,
            Op::I64LeS,
            Op::I64LeU,
            Op::I64GeS,
            Op::I64GeU,
        ],
        &[8, 8],
        4,
    ),
    (
        &[
            Op::I64Extend8S,
            Op::I64Extend16S,
            Op::I64Extend32S,
            Op::I64Clz,
            Op::I64Ctz,
            Op::I64Popcnt,
            Op::I64Abs,
        ],
        &[8],
        8,
    ),
    (&[Op::I64Eqz, Op::I32WrapI64, Op::I64High], &[8], 4),
    (&[Op::I64ExtendI32S, Op::I64ExtendI32U], &[4], 8),
    (&[Op::I64Join], &[4, 4], 8),
    (&[Op::Select], &[4, 4, 4], 4),
    (&[Op::Select64], &[8, 8, 4], 8),
];
const LOADS: &[(Op, u8)] = &[
    (Op::I32Load, 4),
    (Op::I32Load8S, 4),
    (Op::I32Load8U, 4),
    (Op::I32Load16S, 4),
    (Op::I32Load16U, 4),
    (Op::I64Load, 8),
    (Op::I64Load8S, 8),
    (Op::I64Load8U, 8),
    (Op::I64Load16S, 8),
    (Op::I64Load16U, 8),
    (Op::I64Load32S, 8),
    (Op::I64Load32U, 8),
];
const STORES: &[(Op, u8)] = &[
    (Op::I32Store, 4),
    (Op::I32Store8, 4),
    (Op::I32Store16, 4),
    (Op::I64Store, 8),
    (Op::I64Store8, 8),
    (Op::I64Store16, 8),
    (Op::I64Store32, 8),
];

/// Globals are words 0 to 3, and the frame of the outermost code is words 4 to 11. The 64-bit ones
/// are the last of each.
const GLOBALS: [u32; 2] = [2, 2];
const LOCALS: [u32; 2] = [4, 4];
const FRAME: u32 = 4;

/// A random program that touches every instruction: two functions, one of which calls itself,
/// forward branches, a data section, and accesses all over the memory, a few of them out of bounds.
pub fn random_program(seed: u64, length: u32) -> Program {
    random_program_near(&[0, 100, 65530, 131_000], seed, length)
}

/// A random program whose accesses are mostly shortly after one of these addresses.
pub fn random_program_near(bases: &[u32], seed: u64, length: u32) -> Program {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let base = random.pick(bases);
    let section: Vec<u8> = (0..random.below(40))
        .map(|_| random.below(256) as u8)
        .collect();
    let mut writer = Writer {
        code: vec![Instruction::with_byte(Op::Section, base, 0)],
        stack: vec![],
        calls: vec![],
        base,
        random,
    };
    for index in 0..4 {
        let width = if index < GLOBALS[0] { 4 } else { 8 };
        writer.constant(width);
        writer.pop_to(Op::GlobalSet, Op::GlobalSet64, index);
    }
    writer.locals(0);
    writer.body(length, 2);
    if writer.random.below(2) == 0 {
        writer.constant(4);
        writer.emit(Op::Exit, 0);
    } else {
        writer.emit(Op::Br, 0); // to the end, patched
    }
    writer.stack.clear();
    let to_end = writer.code.len() - 1;
    let mut starts = vec![];
    for callees in [1, 0] {
        starts.push(writer.code.len() as u32);
        // One argument.
        writer.stack.push(4);
        writer.pop_to(Op::LocalSet, Op::LocalSet64, FRAME);
        writer.locals(1);
        writer.body(length / 3, callees);
        let local = FRAME + writer.random.below(LOCALS[0]);
        writer.emit(Op::LocalGet, local);
        writer.emit(Op::Return, 0);
    }
    let Writer {
        mut code,
        calls,
        mut random,
        ..
    } = writer;
    for (at, callee) in calls {
        let frame = random.below(12) + 12;
        code[at] = Instruction::with_byte(Op::Call, starts[2 - callee as usize], frame as u8);
        code[at + 1] = Instruction::new(Op::Resume, at as u32 + 2);
    }
    if code[to_end].op == Op::Br {
        code[to_end] = Instruction::new(Op::Br, code.len() as u32);
    }
    Program {
        code,
        sections: vec![section],
        turns: None,
        resident: None,
    }
}

struct Writer {
    code: Vec<Instruction>,
    /// The widths of the values on the stack.
    stack: Vec<u8>,
    /// The calls and their callees, patched when the callees' places are known.
    calls: Vec<(usize, u32)>,
    base: u32,
    random: Random,
}

impl Writer {
    fn emit(&mut self, op: Op, immediate: u32) {
        self.code.push(Instruction::new(op, immediate));
    }

    fn constant(&mut self, width: u8) {
        let word = self.random.word();
        if width == 4 {
            self.emit(Op::I32Const, word);
        } else {
            self.emit(Op::I64Const, word);
            // Small and negative numbers occur, too.
            let any = self.random.word();
            let high = self.random.pick(&[0, u32::MAX, any]);
            self.emit(Op::I64ConstHigh, high);
        }
        self.stack.push(width);
    }

    /// Pops the top of the stack into a word, by the instruction for its width.
    fn pop_to(&mut self, narrow: Op, wide: Op, index: u32) {
        let width = self.stack.pop().expect("a value");
        self.emit_sized(width, [narrow, wide], index);
    }

    /// Emits the instruction for values of a width.
    fn emit_sized(&mut self, width: u8, [narrow, wide]: [Op; 2], index: u32) {
        self.emit(if width == 4 { narrow } else { wide }, index);
    }

    /// Initialises the locals from the given one on.
    fn locals(&mut self, first: u32) {
        for index in first..LOCALS[0] + LOCALS[1] {
            self.constant(if index < LOCALS[0] { 4 } else { 8 });
            self.pop_to(Op::LocalSet, Op::LocalSet64, FRAME + index);
        }
    }

    fn word_of(&mut self, first: u32, counts: [u32; 2], width: u8) -> u32 {
        match width {
            4 => first + self.random.below(counts[0]),
            _ => first + counts[0] + self.random.below(counts[1]),
        }
    }

    /// Emits instructions that leave the stack unchanged. `callees`: 2 may call both functions, 1
    /// the second one, 0 none.
    fn body(&mut self, length: u32, callees: u32) {
        let begin = self.code.len();
        while self.code.len() - begin < length as usize {
            self.instruction(callees);
        }
        while !self.stack.is_empty() {
            self.consume();
        }
    }

    /// Pops the top of the stack.
    fn consume(&mut self) {
        let width = *self.stack.last().expect("a value");
        let choice = self.random.below(if width == 4 { 5 } else { 3 });
        match choice {
            0 => {
                let local = self.word_of(FRAME, LOCALS, width);
                self.pop_to(Op::LocalSet, Op::LocalSet64, local);
            }
            1 => {
                let global = self.word_of(0, GLOBALS, width);
                self.pop_to(Op::GlobalSet, Op::GlobalSet64, global);
            }
            2 => self.pop_to(Op::Drop, Op::Drop, 0),
            3 => self.pop_to(Op::Output, Op::Output, 0),
            _ => self.pop_to(Op::OutputErr, Op::OutputErr, 0),
        }
    }

    fn instruction(&mut self, callees: u32) {
        let width = self.random.pick(&[4, 8]);
        let top = self.stack.last().copied();
        match self.random.below(22) {
            0 | 1 => self.constant(width),
            2 => {
                let local = self.word_of(FRAME, LOCALS, width);
                self.emit_sized(width, [Op::LocalGet, Op::LocalGet64], local);
                self.stack.push(width);
            }
            3 => {
                let global = self.word_of(0, GLOBALS, width);
                self.emit_sized(width, [Op::GlobalGet, Op::GlobalGet64], global);
                self.stack.push(width);
            }
            4 | 5 => self.load(),
            6 | 7 => self.store(),
            8 => {
                if let Some(width) = top {
                    let local = self.word_of(FRAME, LOCALS, width);
                    self.emit_sized(width, [Op::LocalTee, Op::LocalTee64], local);
                }
            }
            9 if top == Some(4) => self.branch(),
            10 if top == Some(4) && callees > 0 => {
                let callee = if callees == 2 {
                    1 + self.random.below(2)
                } else {
                    1
                };
                self.calls.push((self.code.len(), callee));
                self.emit(Op::Call, 0);
                self.emit(Op::Resume, 0);
            }
            11 if self.stack.ends_with(&[4, 4]) => self.divide(),
            12 if self.stack.ends_with(&[4, 4]) => {
                // Products of two words, from two locals that keep them.
                for local in [FRAME, FRAME + 1] {
                    self.pop_to(Op::LocalSet, Op::LocalSet64, local);
                }
                for op in [Op::I64Join, Op::I32Mul, Op::I32MulHigh] {
                    if op != Op::I32MulHigh {
                        self.emit(Op::LocalGet, FRAME);
                        self.emit(Op::LocalGet, FRAME + 1);
                    }
                    self.emit(op, 0);
                }
                self.stack.push(4);
            }
            13 if self.random.below(8) == 0 => {
                let pages = self.random.below(2);
                self.emit(Op::I32Const, pages);
                self.emit(Op::MemoryGrown, 0);
            }
            16 if self.stack.ends_with(&[width, width]) => {
                // A magnitude, or sometimes any number, which may trap.
                let (abs, with_sign) = match width {
                    4 => (Op::I32Abs, Op::I32WithSign),
                    _ => (Op::I64Abs, Op::I64WithSign),
                };
                if self.random.below(30) > 0 {
                    let local = self.word_of(FRAME, LOCALS, width);
                    self.pop_to(Op::LocalSet, Op::LocalSet64, local);
                    self.emit(abs, 0);
                    self.emit_sized(width, [Op::LocalGet, Op::LocalGet64], local);
                } else {
                    self.stack.pop();
                }
                self.emit(with_sign, 0);
            }
            14 => {
                let target = self.code.len() as u32 + 3;
                self.emit(Op::I32Const, target);
                self.emit(Op::BrStack, 0);
                self.emit(Op::Unreachable, 0);
            }
            15 if self.stack.len() > 6 => self.consume(),
            _ => self.plain(),
        }
    }

    /// Emits one of the instructions whose operands are on the stack.
    fn plain(&mut self) {
        let fits = |row: &&(&[Op], &[u8], u8)| self.stack.ends_with(row.1);
        let rows: Vec<_> = PLAIN.iter().filter(fits).collect();
        if rows.is_empty() {
            return;
        }
        let (ops, operands, result) = *self.random.pick(&rows);
        let op = self.random.pick(ops);
        self.emit(op, 0);
        self.stack.truncate(self.stack.len() - operands.len());
        self.stack.push(result);
    }

    fn address(&mut self) {
        let near = self.base + self.random.below(50);
        let address = match self.random.below(60) {
            0 => self.random.word(),
            _ => near,
        };
        self.emit(Op::I32Const, address);
    }

    fn load(&mut self) {
        let (op, width) = self.random.pick(LOADS);
        self.address();
        let offset = self.random.below(3);
        self.code.push(Instruction::with_byte(op, offset, 3));
        self.stack.push(width);
    }

    fn store(&mut self) {
        let Some(&width) = self.stack.last() else {
            return;
        };
        let stores: Vec<_> = STORES.iter().filter(|store| store.1 == width).collect();
        let (op, _) = *self.random.pick(&stores);
        let local = self.word_of(FRAME, LOCALS, width);
        self.pop_to(Op::LocalSet, Op::LocalSet64, local);
        self.address();
        self.emit_sized(width, [Op::LocalGet, Op::LocalGet64], local);
        let offset = self.random.below(3);
        self.code.push(Instruction::with_byte(op, offset, 3));
    }

    /// Emits a branch over an instruction that keeps the depth.
    fn branch(&mut self) {
        let target = self.code.len() as u32 + 3;
        let op = self.random.pick(&[Op::BrIf, Op::BrUnless]);
        self.emit(op, target - 1);
        self.emit(Op::Br, target + 1);
        let word = self.random.word();
        self.emit(Op::I32Const, word);
        self.emit(Op::Output, 0);
        self.stack.pop();
    }

    /// Emits a division, sometimes by zero, or a remainder.
    fn divide(&mut self) {
        if self.random.below(30) > 0 {
            let bit = 1 << self.random.below(32);
            self.emit(Op::I32Const, bit);
            self.emit(Op::I32Or, 0);
        }
        self.emit(Op::DivDigits, 0);
        if self.random.below(2) == 0 {
            self.emit(Op::DivResult, 0);
        } else {
            for op in [Op::I32Bswap, Op::I32Mul, Op::I32Sub] {
                self.emit(op, 0);
            }
        }
        self.stack.pop();
    }
}
