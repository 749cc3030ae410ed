//! Directed programs, which cover what random ones leave out, each for a part of the weights.

use weightware_isa::{FRAME_LIMIT, Instruction, Op, Program, Token, Trap};

use crate::common::random_program;
use crate::random::Random;
use crate::verify::{self, ROWS, Row, edges, straight};

/// All directed programs.
pub(super) fn directed() -> Vec<Program> {
    let mut programs: Vec<Program> = ROWS.chunks(12).map(arithmetic).collect();
    programs.extend([
        bytes(),
        flags(Op::I32Add),
        flags(Op::I32Sub),
        calls(),
        words(),
        positions(),
    ]);
    for flag in [None, Some(Op::I32Add), Some(Op::I32Sub)] {
        programs.extend([columns(flag), wide_columns(flag)]);
    }
    programs.extend(edges_of_memory());
    programs.extend([frames(0), frames(1), frames(9), growing(), growing_far()]);
    programs.extend(traps());
    programs.extend(small());
    programs
}

fn new(op: Op, immediate: u32) -> Instruction {
    Instruction::new(op, immediate)
}

fn program(code: Vec<Instruction>) -> Program {
    Program {
        code,
        ..Program::default()
    }
}

/// Short programs: each row of the table of arithmetic on one operand, calls, globals and loads.
pub(super) fn small() -> impl Iterator<Item = Program> {
    let arithmetic = ROWS.chunks(8).map(|rows| {
        let code = rows.iter().flat_map(|row| {
            let mut all = verify::random(11, 4).into_iter();
            let operands = all.find(|&operands| row.meaning.of(operands).is_some());
            straight(row, &[operands.expect("some do not trap")]).code
        });
        program(code.collect())
    });
    arithmetic.chain([between(), neighbours()])
}

/// A callee that uses its own globals and the caller's, between other computations.
fn between() -> Program {
    program(vec![
        new(Op::I32Const, 0x8182_8384),
        new(Op::GlobalSet, 1),
        new(Op::I32Const, 5),
        new(Op::LocalSet, 20),
        Instruction::with_byte(Op::Call, 8, 16),
        new(Op::Resume, 6),
        new(Op::GlobalGet, 1),
        new(Op::Exit, 0),
        new(Op::LocalGet, 4),
        new(Op::GlobalGet, 1),
        new(Op::I32Mul, 0),
        new(Op::GlobalSet, 1),
        new(Op::I32Const, 0x0001_0003),
        new(Op::GlobalGet, 1),
        new(Op::I32LtS, 0),
        new(Op::LocalTee, 3),
        new(Op::BrUnless, 19),
        new(Op::LocalGet, 3),
        new(Op::Output, 0),
        new(Op::Return, 0),
    ])
}

/// Loads from addresses that were never written, near written ones of both signs.
fn neighbours() -> Program {
    let mut code = vec![new(Op::Section, 100)];
    for (byte, address) in [(0xff, 200_u32), (0x7f, 220), (0x80, 240)] {
        code.extend([new(Op::I32Const, address), new(Op::I32Const, byte)]);
        code.push(Instruction::with_byte(Op::I32Store8, 0, 1));
    }
    for address in [
        95, 98, 103, 108, 194, 197, 199, 201, 203, 217, 219, 222, 236, 238, 239, 241, 245,
    ] {
        for op in [Op::I32Load8S, Op::I32Load16S, Op::I32Load8U, Op::I32Load] {
            code.push(new(Op::I32Const, address));
            code.extend([Instruction::with_byte(op, 0, 1), new(Op::Drop, 0)]);
        }
    }
    Program {
        code,
        sections: vec![vec![0x81, 0x7e, 0xff, 1]],
        turns: None,
        resident: None,
    }
}

/// Rows of the table of arithmetic, each on some edge operands and some random ones that do not
/// trap.
fn arithmetic(rows: &[Row]) -> Program {
    let code = rows.iter().flat_map(|row| {
        let mut random = Random::new(row.name.len() as u64);
        let edges = edges(row.meaning.widths());
        let some = (0..OPERANDS).map(|_| edges[random.below(edges.len() as u64) as usize]);
        let all = some.chain(verify::random(7, OPERANDS));
        let returning: Vec<_> = all
            .filter(|&operands| row.meaning.of(operands).is_some())
            .collect();
        straight(row, &returning).code
    });
    program(code.collect())
}

/// The number of operands of each kind for an instruction.
const OPERANDS: usize = 10;

/// Writes every byte to both streams, after a local has held it, above an operand that is read
/// again.
fn bytes() -> Program {
    let mut code = vec![new(Op::I32Const, 0x1234_5678)];
    code.extend((0..=255_u32).flat_map(|byte| {
        [
            new(Op::I32Const, byte | (!byte & 0xff) << 8 | byte << 24),
            new(Op::LocalSet, 4),
            new(Op::LocalGet, 4),
            new(Op::Output, 0),
            new(Op::LocalGet, 4),
            new(Op::OutputErr, 0),
            new(Op::LocalTee, 5),
        ]
    }));
    code.push(new(Op::Output, 0));
    program(code)
}

/// Outputs every byte with a carry or a borrow, at all places of a word.
fn flags(op: Op) -> Program {
    let code = (0..=255_u32).flat_map(|byte| {
        let mut code = word(byte, Some(op));
        code.extend([
            new(Op::LocalTee, 4),
            new(Op::Output, 0),
            new(Op::LocalGet, 4),
            new(Op::I32Const, 8),
            new(Op::I32ShrU, 0),
            new(Op::Output, 0),
        ]);
        code
    });
    program(code.collect())
}

/// A word that has this byte at its places: as a constant, with carries, or with borrows. `ff` with
/// a carry and `00` with a borrow need one from the byte before, so their first byte is another.
fn word(byte: u32, op: Option<Op>) -> Vec<Instruction> {
    let all = byte * 0x0101_0101;
    let Some(op) = op else {
        return vec![new(Op::I32Const, all)];
    };
    let operands = match (op, byte) {
        (Op::I32Add, 255) => [u32::MAX, u32::MAX],
        (Op::I32Add, _) => [u32::MAX, all.wrapping_add(1)],
        (_, 0) => [0, u32::MAX],
        _ => [0, all.wrapping_neg()],
    };
    let [a, b] = operands.map(|operand| new(Op::I32Const, operand));
    vec![a, b, new(op, 0)]
}

/// Outputs every byte in its roles: as a sign, and as the count of a shift to the left and to the
/// right.
fn columns(flag: Option<Op>) -> Program {
    let code = (0..=255_u32).flat_map(|byte| {
        let mut code = vec![];
        for shift in [Op::I32Shl, Op::I32ShrU, Op::I32Rotr] {
            code.push(new(Op::I32Const, 0x9e37_79b9));
            code.extend(word(byte, flag));
            code.push(new(shift, 0));
        }
        code.extend([Op::Drop, Op::Drop, Op::Drop].map(|op| new(op, 0)));
        code.extend(word(byte, flag));
        code.push(new(Op::I32Abs, 0));
        code.extend(word(byte, flag));
        code.extend([new(Op::Output, 0), new(Op::Output, 0)]);
        code
    });
    program(code.collect())
}

/// Every byte as the count of a shift of 64 bits.
fn wide_columns(flag: Option<Op>) -> Program {
    let constant = |word: u32| [new(Op::I64Const, word), new(Op::I64ConstHigh, word)];
    let code = (0..=255_u32).flat_map(|byte| {
        let mut code = constant(0x9e37_79b9).to_vec();
        for instruction in word(byte, flag) {
            match instruction.op {
                Op::I32Const => code.extend(constant(instruction.immediate())),
                Op::I32Add => code.push(new(Op::I64Add, 0)),
                _ => code.push(new(Op::I64Sub, 0)),
            }
        }
        code.extend([Op::I64Rotl, Op::I32WrapI64, Op::Output].map(|op| new(op, 0)));
        code
    });
    program(code.collect())
}

/// Calls with frames of all sizes. Caller and callee read a local, whose word holds its own number,
/// and an operand below.
fn calls() -> Program {
    let mut code = vec![];
    for word in 0..300_u32 {
        code.extend([new(Op::I32Const, word * 0x0101), new(Op::GlobalSet, word)]);
    }
    let begin = code.len() as u32;
    let function = begin + 255 * CALL + 1;
    for size in 1..=255_u8 {
        let at = code.len() as u32;
        code.extend([
            new(Op::I32Const, u32::from(size).wrapping_mul(0x0102_0305)),
            Instruction::with_byte(Op::Call, function, size),
            new(Op::Resume, at + 3),
            new(Op::LocalGet, 7),
            new(Op::Output, 0),
            new(Op::LocalTee, 299),
            new(Op::Output, 0),
        ]);
    }
    assert_eq!(code.len() as u32, function - 1, "as many as were counted");
    code.push(new(Op::Br, function + 4));
    code.extend([
        new(Op::LocalGet, 7),
        new(Op::Output, 0),
        new(Op::LocalTee, 290),
        new(Op::Return, 0),
    ]);
    program(code)
}

/// The number of instructions of a call of [`calls`].
const CALL: u32 = 7;

/// Words all over their space, written twice and read between their neighbours.
fn words() -> Program {
    let words: Vec<u32> = (0..14)
        .flat_map(|bit| [(1_u32 << bit) - 1, 1 << bit, (1 << bit) + 1])
        .collect();
    let mut code = vec![];
    for round in [3, 5] {
        for &word in &words {
            code.extend([new(Op::I32Const, word * round), new(Op::LocalSet, word)]);
        }
    }
    for &word in &words {
        code.extend([new(Op::LocalGet, word), new(Op::GlobalSet, word)]);
        code.extend([new(Op::GlobalGet, word), new(Op::Output, 0)]);
    }
    program(code)
}

/// Differences that are positions: comparisons look up the position of every kind of token of a
/// prompt, and of the trace.
fn positions() -> Program {
    let compared = |positions: &[u32]| {
        let mut code = vec![];
        for &position in positions {
            code.extend([new(Op::I32Const, position), new(Op::I32Const, 0)]);
            code.extend([new(Op::I32Ne, 0), new(Op::Output, 0)]);
        }
        // These are never executed; lookups find them.
        code.push(new(Op::Br, code.len() as u32 + Op::ALL.len() as u32));
        let others = Op::ALL.iter().filter(|&&op| op != Op::Section);
        code.extend(others.map(|&op| new(op, 0)));
        program(code)
    };
    let kinds = Op::ALL.len() + 8;
    let prompt: Vec<Token> = compared(&vec![0; kinds]).full_prompt().collect();
    let mut seen = vec![];
    for (token, position) in prompt.iter().zip(0..) {
        let known = seen.iter().any(|&at: &u32| prompt[at as usize] == *token);
        if position > 0 && !matches!(token, Token::Byte(..)) && !known {
            seen.push(position);
        }
    }
    assert!(seen.len() <= kinds, "there is room for {}", seen.len());
    // Also the last positions of the preamble, and some of the trace.
    seen.resize(kinds, 304);
    compared(&seen)
}

/// The last access of every size inside a memory of this many pages, grown by this many; then one
/// that ends beyond it.
fn edges_of_memory() -> impl Iterator<Item = Program> {
    const ACCESSES: [(Op, u32, bool); 14] = [
        (Op::I32Load, 4, false),
        (Op::I32Load8U, 1, false),
        (Op::I32Load16S, 2, false),
        (Op::I64Load, 8, true),
        (Op::I64Load8S, 1, true),
        (Op::I64Load16U, 2, true),
        (Op::I64Load32S, 4, true),
        (Op::I32Store, 4, false),
        (Op::I32Store8, 1, false),
        (Op::I32Store16, 2, false),
        (Op::I64Store, 8, true),
        (Op::I64Store8, 1, true),
        (Op::I64Store16, 2, true),
        (Op::I64Store32, 4, true),
    ];
    let sizes = [(0, 1), (1, 0), (1, 1), (2, 0), (1, 200), (255, 255), (3, 0)];
    let trapping = ACCESSES.iter().zip(sizes.into_iter().cycle());
    trapping.map(move |(&(op, size, wide), (pages, grown))| {
        let stores = ACCESSES[7..].iter().any(|access| access.0 == op);
        // Stores stay where keys are exact.
        let (pages, grown) = match stores && pages + grown > 2 {
            true => (2, 0),
            false => (pages, grown),
        };
        let access = |op, end: u32, size: u32, wide: bool, offset: u32| {
            let mut code = vec![new(Op::I32Const, end - size - offset)];
            let stores = ACCESSES[7..].iter().any(|access| access.0 == op);
            if stores && wide {
                code.extend([
                    new(Op::I64Const, 0xa1b2_c3d4),
                    new(Op::I64ConstHigh, 0x8796_a5b4),
                ]);
            } else if stores {
                code.push(new(Op::I32Const, 0xa1b2_c3d4));
            }
            code.push(Instruction::with_byte(op, offset, pages as u8));
            if !stores {
                code.extend(wide.then(|| new(Op::I64High, 0)));
                code.push(new(Op::Output, 0));
            }
            code
        };
        let mut code = vec![];
        if grown > 0 {
            code.extend([new(Op::I32Const, grown), new(Op::MemoryGrown, 0)]);
        }
        let end = 65536 * (pages + grown);
        for &(op, size, wide) in &ACCESSES {
            if end <= 2 * 65536 || size <= 4 && !ACCESSES[7..].iter().any(|access| access.0 == op) {
                code.extend(access(op, end, size, wide, 0));
                code.extend(access(op, end, size, wide, 5));
            }
        }
        // Some end a byte beyond the memory, some further out.
        let beyond = if pages == 1 { 9 } else { 1 };
        code.extend(access(op, end + beyond, size, wide, 3));
        program(code)
    })
}

/// The memory grows while operands are on the stack, and the new pages are used.
fn growing() -> Program {
    let mut code = vec![new(Op::I32Const, 77)];
    for (pages, address) in [
        (0_u32, 65_532_u32),
        (1, 131_068),
        (2, 196_604),
        (255, 0x00ff_fffc),
    ] {
        code.extend([new(Op::I32Const, pages), new(Op::MemoryGrown, 0)]);
        code.push(new(Op::LocalTee, 4));
        code.push(new(Op::I32Const, address));
        code.extend([
            Instruction::with_byte(Op::I32Load, 0, 1),
            new(Op::Output, 0),
        ]);
    }
    code.push(new(Op::Exit, 0));
    program(code)
}

/// The memory grows by more pages than a byte counts: its last word is there, the next is not.
fn growing_far() -> Program {
    let load = |address| {
        let load = Instruction::with_byte(Op::I32Load, 0, 1);
        [new(Op::I32Const, address), load, new(Op::Output, 0)]
    };
    let mut code = vec![new(Op::I32Const, 0x0102), new(Op::MemoryGrown, 0)];
    let end = (1 + 0x0102) << 16;
    code.extend(load(end - 4));
    code.extend(load(end));
    program(code)
}

/// Calls itself until the next frame would begin at the limit, or beyond it.
fn frames(more: u32) -> Program {
    let calls = FRAME_LIMIT / 255;
    let rest = (FRAME_LIMIT % 255 + more) as u8;
    let mut code = vec![];
    for _ in 0..calls {
        let at = code.len() as u32;
        code.push(Instruction::with_byte(Op::Call, at + 2, 255));
        code.push(new(Op::Resume, at + 2));
    }
    let at = code.len() as u32;
    code.push(Instruction::with_byte(Op::Call, at + 2, rest.max(1)));
    code.push(new(Op::Resume, at + 2));
    code.extend([
        new(Op::I32Const, 1),
        new(Op::LocalSet, 0),
        new(Op::LocalGet, 0),
        new(Op::Exit, 0),
    ]);
    program(code)
}

/// Every way to end.
fn traps() -> impl Iterator<Item = Program> {
    let constant = |word| new(Op::I32Const, word);
    let wide = |word| [new(Op::I64Const, 5), new(Op::I64ConstHigh, word)];
    let mut ends: Vec<Vec<Instruction>> = Trap::ALL
        .iter()
        .map(|&trap| vec![constant(3), new(Op::trap(trap), 0)])
        .collect();
    for dividend in [0, 1, 0x8000_0000, u32::MAX] {
        ends.push(vec![constant(dividend), constant(0), new(Op::DivDigits, 0)]);
    }
    for (a, s) in [(0x8000_0000, 0), (u32::MAX, 0x7fff_ffff), (0x8000_0001, 1)] {
        ends.push(vec![constant(a), constant(s), new(Op::I32WithSign, 0)]);
        let mut code = wide(a).to_vec();
        code.extend(wide(s));
        code.push(new(Op::I64WithSign, 0));
        ends.push(code);
    }
    ends.push(vec![constant(0x0403_0201), new(Op::Exit, 0)]);
    ends.push(vec![]);
    ends.into_iter().map(program)
}

/// Random programs.
pub(super) fn random(count: u64, length: u32) -> impl Iterator<Item = Program> {
    (0..count).map(move |seed| random_program(seed, length))
}
