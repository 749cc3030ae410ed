//! Every opcode on edge operands: the bytes and the end token on its trace.

use weightware_isa::{EndToken, Instruction, Interpreter, Op, Outcome, Token};

use crate::{line, lines, program};

const MIN: u32 = 0x8000_0000;
const MAX: u32 = 0x7fff_ffff;
const ONES: u32 = u32::MAX;

/// Operands at which carries, signs and bytes change.
const EDGES: [u32; 14] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0xffff,
    0x1_0000,
    0x00ff_00ff,
    MAX,
    MIN,
    ONES - 1,
    ONES,
];

fn plain_bytes(word: u32) -> String {
    word.to_le_bytes()
        .map(|byte| format!("{byte:02x}"))
        .join(" ")
}

#[test]
fn sums_and_differences_flag_their_bytes() {
    let rows: &[(Op, u32, u32, &str)] = &[
        (Op::I32Add, 3, 5, "08 00 00 00"),
        (Op::I32Add, 0xff, 1, "00+ 01 00 00"),
        (Op::I32Add, 0xffff, 1, "00+ 00+ 01 00"),
        (Op::I32Add, 0x00ff_00ff, 0x0001_0001, "00+ 01 00+ 01"),
        (Op::I32Add, ONES, 1, "00+ 00+ 00+ 00+"),
        (Op::I32Add, ONES, ONES, "fe+ ff+ ff+ ff+"),
        (Op::I32Add, MIN, MIN, "00 00 00 00+"),
        (Op::I32Add, MAX, 1, "00+ 00+ 00+ 80"),
        (Op::I32Sub, 5, 3, "02 00 00 00"),
        (Op::I32Sub, 3, 5, "fe- ff- ff- ff-"),
        (Op::I32Sub, 0x100, 1, "ff- 00 00 00"),
        (Op::I32Sub, 0x0001_0000, 1, "ff- ff- 00 00"),
        (Op::I32Sub, 0, MIN, "00 00 00 80-"),
        (Op::I32Sub, 0x0101_0101, 0x0002_0002, "ff- 00 ff- 00"),
        (Op::I32Sub, 0, ONES, "01- 00- 00- 00-"),
        (Op::I32Sub, ONES, ONES, "00 00 00 00"),
    ];
    for &(op, a, b, bytes) in rows {
        let expected = format!("{bytes} commit(-1,sts=1,bt=0)");
        assert_eq!(
            line(Instruction::new(op, 0), &[a, b]),
            expected,
            "{op} {a:#x} {b:#x}"
        );
    }
}

#[test]
fn flagged_bytes_are_the_words_bytes() {
    let value = |line: String| {
        let bytes = line
            .split(' ')
            .take(4)
            .map(|byte| u8::from_str_radix(&byte[..2], 16).unwrap());
        u32::from_le_bytes(bytes.collect::<Vec<_>>().try_into().unwrap())
    };
    for a in EDGES {
        for b in EDGES {
            let sum = line(Instruction::new(Op::I32Add, 0), &[a, b]);
            // The flag of byte i is the carry out of the low 8 (i + 1) bits.
            for (i, byte) in sum.split(' ').take(4).enumerate() {
                let mask = (1u64 << (8 * (i + 1))) - 1;
                let carry = (u64::from(a) & mask) + (u64::from(b) & mask) > mask;
                assert_eq!(byte.ends_with('+'), carry, "{a:#x} + {b:#x}: {sum}");
            }
            assert_eq!(value(sum), a.wrapping_add(b));
            let difference = line(Instruction::new(Op::I32Sub, 0), &[a, b]);
            for (i, byte) in difference.split(' ').take(4).enumerate() {
                let mask = (1u64 << (8 * (i + 1))) - 1;
                let borrow = u64::from(a) & mask < u64::from(b) & mask;
                assert_eq!(byte.ends_with('-'), borrow, "{a:#x} - {b:#x}: {difference}");
            }
            assert_eq!(value(difference), a.wrapping_sub(b));
        }
    }
}

#[test]
fn binary_and_unary_results() {
    type Binary = fn(u32, u32) -> u32;
    // Signed order is unsigned order with inverted sign bits.
    let rows: &[(Op, Binary)] = &[
        (Op::I32And, |a, b| a & b),
        (Op::I32Or, |a, b| !(!a & !b)),
        (Op::I32Xor, |a, b| (a | b) & !(a & b)),
        (Op::I32Eq, |a, b| u32::from(a ^ b == 0)),
        (Op::I32Ne, |a, b| u32::from(a ^ b != 0)),
        (Op::I32LtU, |a, b| {
            u32::from(i64::from(a) - i64::from(b) < 0)
        }),
        (Op::I32GtU, |a, b| {
            u32::from(i64::from(b) - i64::from(a) < 0)
        }),
        (Op::I32LeU, |a, b| {
            u32::from(i64::from(a) - i64::from(b) <= 0)
        }),
        (Op::I32GeU, |a, b| {
            u32::from(i64::from(b) - i64::from(a) <= 0)
        }),
        (Op::I32LtS, |a, b| u32::from((a ^ MIN) < (b ^ MIN))),
        (Op::I32GtS, |a, b| u32::from((a ^ MIN) > (b ^ MIN))),
        (Op::I32LeS, |a, b| u32::from((a ^ MIN) <= (b ^ MIN))),
        (Op::I32GeS, |a, b| u32::from((a ^ MIN) >= (b ^ MIN))),
    ];
    for &(op, compute) in rows {
        for a in EDGES {
            for b in EDGES {
                let expected = format!("{} commit(-1,sts=1,bt=0)", plain_bytes(compute(a, b)));
                let found = line(Instruction::new(op, 0), &[a, b]);
                assert_eq!(found, expected, "{op} {a:#x} {b:#x}");
            }
        }
    }
    for a in EDGES {
        let expected = format!("{} commit(0,sts=1,bt=0)", plain_bytes(u32::from(a == 0)));
        assert_eq!(line(Instruction::new(Op::I32Eqz, 0), &[a]), expected);
        let expected = format!("{} commit(+1,sts=1,bt=0)", plain_bytes(a));
        assert_eq!(line(Instruction::new(Op::I32Const, a), &[]), expected);
    }
}

#[test]
fn stack_instructions() {
    let select = Instruction::new(Op::Select, 0);
    assert_eq!(
        line(select, &[7, 8, 0]),
        "08 00 00 00 commit(-2,sts=1,bt=0)"
    );
    assert_eq!(
        line(select, &[7, 8, 1]),
        "07 00 00 00 commit(-2,sts=1,bt=0)"
    );
    assert_eq!(
        line(select, &[7, 8, MIN]),
        "07 00 00 00 commit(-2,sts=1,bt=0)"
    );
    assert_eq!(
        line(Instruction::new(Op::Drop, 0), &[7]),
        "commit(-1,sts=0,bt=0)"
    );
    assert_eq!(
        line(Instruction::new(Op::Output, 0), &[0x1234_56fe]),
        "out(fe)"
    );
    assert_eq!(
        line(Instruction::new(Op::OutputErr, 0), &[0x1234_56fe]),
        "err(fe)"
    );
    let exit = program(&[
        Instruction::new(Op::I32Const, 0x1234_56fe),
        Instruction::new(Op::Exit, 0),
        Instruction::new(Op::Output, 0),
    ]);
    assert_eq!(lines(&exit)[1..], ["fe 56 34 12 halt(exit)"]);
    assert_eq!(
        Interpreter::new(&exit).run(100),
        Ok(Some(Outcome::Exited(0x1234_56fe)))
    );
}

/// The trace of each opcode agrees with the table: the number of bytes, the end token, and the
/// change of the stack that the commit states.
#[test]
fn the_trace_agrees_with_the_table() {
    for &op in Op::ALL {
        let spec = op.spec();
        if matches!(op, Op::Section | Op::Resume | Op::I64ConstHigh | Op::Return) {
            continue;
        }
        // Most opcodes accept three operands of their width.
        let operand = |width: u8| match width {
            4 => vec![Instruction::new(Op::I32Const, 1)],
            _ => vec![
                Instruction::new(Op::I64Const, 1),
                Instruction::new(Op::I64ConstHigh, 0),
            ],
        };
        let widths = match (op, spec.end) {
            (Op::Select64, _) => [8, 8, 4],
            (Op::I32MulHigh, _) => [8, 8, 4],
            (Op::I64High, _) => [8; 3],
            (Op::I64Join, _) => [4; 3],
            (_, EndToken::Commit(commit)) if commit.delta == -2 && !commit.stored => {
                [8, 4, spec.width]
            }
            _ => [spec.width; 3],
        };
        let mut code: Vec<_> = widths.into_iter().flat_map(operand).collect();
        match op {
            // `a` and `b` of `a + 2^32 b` = 1 are 1 and 0, whose product is 0.
            Op::I32MulHigh | Op::BrUnless => {
                let last = code.len() - 1;
                code[last] = Instruction::new(Op::I32Const, 0);
            }
            _ => {}
        }
        let tee = match widths[2] {
            4 => Op::LocalTee,
            _ => Op::LocalTee64,
        };
        code.extend([Instruction::new(tee, 0), Instruction::with_byte(op, 0, 1)]);
        let at = code.len();
        match op {
            Op::Call => code.push(Instruction::new(Op::Resume, at as u32 + 1)),
            Op::I64Const => code.push(Instruction::new(Op::I64ConstHigh, 0)),
            _ => {}
        }
        let program = program(&code);
        let mut run = Interpreter::new(&program);
        while run.cursor() < at - 1 {
            run.next()
                .unwrap()
                .unwrap_or_else(|fault| panic!("{op}: {fault}"));
        }
        let executed = run.executed();
        // The previous instruction still has tokens to yield.
        while run.outcome().is_none() && run.executed() == executed && run.cursor() == at - 1 {
            let token = run
                .next()
                .unwrap()
                .unwrap_or_else(|fault| panic!("{op}: {fault}"));
            if token.ends_instruction() {
                break;
            }
        }
        let before = run.stack().len();
        let tokens: Vec<Token> = run
            .by_ref()
            .map(|token| token.unwrap_or_else(|fault| panic!("{op}: {fault}")))
            .take(usize::from(spec.bytes) + 1)
            .collect();
        let (end, bytes) = tokens.split_last().unwrap();
        let bytes: Vec<u8> = bytes
            .iter()
            .map(|token| match token {
                Token::Byte(byte, _) => *byte,
                other => panic!("{op}: {other}"),
            })
            .collect();
        let delta = run.stack().len() as i64 - before as i64;
        let wanted = match spec.end {
            EndToken::Commit(commit) => {
                assert_eq!(i64::from(commit.delta), delta, "{op}");
                if commit.stored {
                    let top = run.stack().last().unwrap();
                    let value = &top.bits().to_le_bytes()[..top.width().into()];
                    assert!(bytes.ends_with(value), "{op}: {bytes:?} {:?}", run.stack());
                }
                let target = if op == Op::BrStack { 1 } else { 0 };
                let jumped = bytes == [target, 0, 0] && run.cursor() == target.into();
                assert!(!commit.jumped() || jumped, "{op}");
                Token::Commit(commit)
            }
            EndToken::Call => Token::Call(1),
            EndToken::Out => Token::Out(1),
            EndToken::Err => Token::Err(1),
            EndToken::Exit => Token::Exit,
            EndToken::Trap(trap) => Token::Trap(trap),
            EndToken::Loaded => Token::Loaded,
            EndToken::Halt => Token::Halt,
            EndToken::Interrupted => {
                assert_eq!(delta, 1, "{op}");
                Token::Interrupted
            }
            EndToken::Stepping | EndToken::Continued => {
                assert_eq!((delta, run.cursor()), (-1, 1), "{op}");
                match spec.end {
                    EndToken::Stepping => Token::Stepping,
                    _ => Token::Continued,
                }
            }
            EndToken::Saving => {
                assert_eq!((delta, run.cursor()), (0, 0), "{op}");
                Token::Saving
            }
            EndToken::Turned => Token::Turned,
            EndToken::Refused => Token::Refused,
            EndToken::Return => unreachable!("{op} is left out above"),
        };
        assert_eq!(*end, wanted, "{op}");
        assert_eq!(run.executed(), executed + 1, "{op}");
    }
}
