//! 64-bit operations, products of two words and counts on edge operands, against equivalent
//! computations.

use weightware_isa::{FaultKind, Instruction, Interpreter, Op, Outcome, Program, Trap, Value};

use crate::{lines, program};

const MIN: u64 = 1 << 63;
const EDGES: [u64; 16] = [
    0,
    1,
    2,
    31,
    63,
    0x80,
    0xff,
    0xffff_ffff,
    1 << 31,
    1 << 32,
    0x0000_0001_ffff_ffff,
    0xff00_ff00_00ff_00ff,
    MIN - 1,
    MIN,
    u64::MAX - 1,
    u64::MAX,
];

fn double(value: u64) -> [Instruction; 2] {
    [
        Instruction::new(Op::I64Const, value as u32),
        Instruction::new(Op::I64ConstHigh, (value >> 32) as u32),
    ]
}

fn word(value: u64) -> [Instruction; 1] {
    [Instruction::new(Op::I32Const, value as u32)]
}

/// The top of the stack after a program.
fn top(program: &Program) -> Value {
    let mut run = Interpreter::new(program);
    run.run(10_000).unwrap_or_else(|fault| panic!("{fault}"));
    *run.stack().last().expect("a value")
}

fn of_two(op: Op, a: u64, b: u64) -> Value {
    let code = [double(a), double(b)].concat();
    top(&program(&[code, vec![Instruction::new(op, 0)]].concat()))
}

#[test]
fn binary_results() {
    type Binary = fn(u128, u128) -> u128;
    let rows: &[(Op, Binary)] = &[
        (Op::I64Add, |a, b| a + b),
        (Op::I64Sub, |a, b| a + (1 << 64) - b),
        (Op::I64And, |a, b| !(!a | !b)),
        (Op::I64Or, |a, b| !(!a & !b)),
        (Op::I64Xor, |a, b| (a | b) & !(a & b)),
        (Op::I64Shl, |a, b| a << (b % 64)),
        (Op::I64ShrU, |a, b| a >> (b % 64)),
        (Op::I64ShrS, |a, b| {
            (a as u64 as i64 as i128 >> (b % 64)) as u128
        }),
        (Op::I64Rotl, |a, b| (a << (b % 64)) | (a << (b % 64)) >> 64),
        (Op::I64Rotr, |a, b| {
            ((a << 64 | a) >> (b % 64)) & u128::from(u64::MAX)
        }),
    ];
    for &(op, meaning) in rows {
        for a in EDGES {
            for b in EDGES {
                let wanted = Value::I64(meaning(a.into(), b.into()) as u64);
                assert_eq!(of_two(op, a, b), wanted, "{op} {a:#x} {b:#x}");
            }
        }
    }
}

#[test]
fn comparisons() {
    type Comparison = fn(i128, i128) -> bool;
    let signed = |value: u64| i128::from(value as i64);
    let rows: &[(Op, bool, Comparison)] = &[
        (Op::I64Eq, false, |a, b| a - b == 0),
        (Op::I64Ne, false, |a, b| a - b != 0),
        (Op::I64LtS, true, |a, b| a - b < 0),
        (Op::I64LtU, false, |a, b| a - b < 0),
        (Op::I64GtS, true, |a, b| a - b > 0),
        (Op::I64GtU, false, |a, b| a - b > 0),
        (Op::I64LeS, true, |a, b| a - b <= 0),
        (Op::I64LeU, false, |a, b| a - b <= 0),
        (Op::I64GeS, true, |a, b| a - b >= 0),
        (Op::I64GeU, false, |a, b| a - b >= 0),
    ];
    for &(op, is_signed, meaning) in rows {
        for a in EDGES {
            for b in EDGES {
                let [x, y] = [a, b].map(|v| if is_signed { signed(v) } else { v.into() });
                let wanted = Value::I32(meaning(x, y).into());
                assert_eq!(of_two(op, a, b), wanted, "{op} {a:#x} {b:#x}");
            }
        }
    }
}

#[test]
fn unary_results_and_parts() {
    for a in EDGES {
        let unary = |op| {
            top(&program(
                &[&double(a)[..], &[Instruction::new(op, 0)]].concat(),
            ))
        };
        let narrow = |op| {
            top(&program(
                &[&word(a)[..], &[Instruction::new(op, 0)]].concat(),
            ))
        };
        assert_eq!(unary(Op::I64Eqz), Value::I32((a < 1).into()));
        assert_eq!(unary(Op::I32WrapI64), Value::I32((a % (1 << 32)) as u32));
        assert_eq!(unary(Op::I64High), Value::I32((a / (1 << 32)) as u32));
        let extended = |bits: u32| Value::I64(((a << (64 - bits)) as i64 >> (64 - bits)) as u64);
        assert_eq!(unary(Op::I64Extend8S), extended(8));
        assert_eq!(unary(Op::I64Extend16S), extended(16));
        assert_eq!(unary(Op::I64Extend32S), extended(32));
        assert_eq!(narrow(Op::I64ExtendI32S), extended(32));
        assert_eq!(narrow(Op::I64ExtendI32U), Value::I64(a % (1 << 32)));
        let bits = |value: u64, width: u32| (0..width).map(move |bit| value >> bit & 1);
        for (width, [clz, ctz, popcnt]) in [
            (64, [Op::I64Clz, Op::I64Ctz, Op::I64Popcnt]),
            (32, [Op::I32Clz, Op::I32Ctz, Op::I32Popcnt]),
        ] {
            let count = |op| {
                if width == 64 {
                    unary(op).bits()
                } else {
                    narrow(op).bits()
                }
            };
            let zeros = |mut bits: Vec<u64>| {
                bits.truncate(bits.iter().position(|&bit| bit == 1).unwrap_or(bits.len()));
                bits.len() as u64
            };
            assert_eq!(
                count(clz),
                zeros(bits(a, width).rev().collect()),
                "{clz} {a:#x}"
            );
            assert_eq!(count(ctz), zeros(bits(a, width).collect()), "{ctz} {a:#x}");
            assert_eq!(
                count(popcnt),
                bits(a, width).sum::<u64>(),
                "{popcnt} {a:#x}"
            );
        }
        let join = [
            &word(a)[..],
            &word(a >> 32),
            &[Instruction::new(Op::I64Join, 0)],
        ]
        .concat();
        assert_eq!(top(&program(&join)), Value::I64(a));
        let mul = [
            &word(a)[..],
            &word(a >> 32),
            &[Instruction::new(Op::I32Mul, 0)],
        ]
        .concat();
        let code = [&double(a)[..], &mul, &[Instruction::new(Op::I32MulHigh, 0)]].concat();
        let product = (a % (1 << 32)) * (a >> 32);
        assert_eq!(top(&program(&code)), Value::I32((product >> 32) as u32));
    }
}

#[test]
fn signs() {
    for a in EDGES {
        let double_of = |op| {
            top(&program(
                &[&double(a)[..], &[Instruction::new(op, 0)]].concat(),
            ))
        };
        let word_of = |op| {
            top(&program(
                &[&word(a)[..], &[Instruction::new(op, 0)]].concat(),
            ))
        };
        let magnitude = i128::from(a as i64).unsigned_abs() as u64;
        assert_eq!(double_of(Op::I64Abs), Value::I64(magnitude));
        let magnitude = i64::from(a as u32 as i32).unsigned_abs() as u32;
        assert_eq!(word_of(Op::I32Abs), Value::I32(magnitude));
        for (b, negative) in [
            (0, false),
            (7, false),
            (MIN - 1, false),
            (MIN, true),
            (u64::MAX, true),
        ] {
            let code = [
                &double(a)[..],
                &double(b),
                &[Instruction::new(Op::I64WithSign, 0)],
            ]
            .concat();
            let with_sign = program(&code);
            let mut run = Interpreter::new(&with_sign);
            let outcome = run.run(1000).expect("no fault");
            if !negative && a >= MIN {
                assert_eq!(outcome, Some(Outcome::Trapped(Trap::IntegerOverflow)));
                continue;
            }
            let wanted = if negative {
                (1 << 64) - u128::from(a)
            } else {
                a.into()
            };
            assert_eq!(run.stack().last(), Some(&Value::I64(wanted as u64)));
        }
    }
    let abs = [&word(0xffff_ff01)[..], &[Instruction::new(Op::I32Abs, 0)]].concat();
    let line = lines(&program(&abs)).swap_remove(1);
    assert_eq!(line, "ff- 00- 00- 00- commit(0,sts=1,bt=0)");
}

#[test]
fn memory_and_words() {
    let value = 0x8182_8384_8586_8788_u64;
    let stores = [Op::I64Store8, Op::I64Store16, Op::I64Store32, Op::I64Store];
    let loads = [
        (Op::I64Load8S, 0xffff_ffff_ffff_ff88),
        (Op::I64Load8U, 0x88),
        (Op::I64Load16S, 0xffff_ffff_ffff_8788),
        (Op::I64Load16U, 0x8788),
        (Op::I64Load32S, 0xffff_ffff_8586_8788),
        (Op::I64Load32U, 0x8586_8788),
        (Op::I64Load, value),
    ];
    for (load, wanted) in loads {
        let code = [
            &word(5)[..],
            &double(value),
            &[Instruction::with_byte(Op::I64Store, 1, 1)],
            &word(6),
            &[Instruction::with_byte(load, 0, 1)],
            &[Instruction::new(Op::LocalTee64, 3)],
            &[Instruction::new(Op::GlobalSet64, 9)],
            &[Instruction::new(Op::GlobalGet64, 9)],
        ]
        .concat();
        assert_eq!(top(&program(&code)), Value::I64(wanted), "{load}");
    }
    for (store, size) in stores.into_iter().zip([1, 2, 4, 8]) {
        let code = [
            &word(0)[..],
            &double(value),
            &[Instruction::with_byte(store, 0, 1)],
            &word(0),
            &[Instruction::with_byte(Op::I64Load, 0, 1)],
        ]
        .concat();
        let wanted = value << (64 - 8 * size) >> (64 - 8 * size);
        assert_eq!(top(&program(&code)), Value::I64(wanted), "{store}");
    }
}

#[test]
fn traces() {
    let line = |code: &[Instruction], at: usize| lines(&program(code)).swap_remove(at);
    let clz = [&word(0x0001_0000)[..], &[Instruction::new(Op::I32Clz, 0)]].concat();
    assert_eq!(line(&clz, 1), "08 10 07 0f 00 00 00 commit(0,sts=1,bt=0)");
    let ctz = [&word(0x0001_0000)[..], &[Instruction::new(Op::I32Ctz, 0)]].concat();
    assert_eq!(line(&ctz, 1), "08 10 10 10 00 00 00 commit(0,sts=1,bt=0)");
    let add = [
        &double(0xffff_ffff)[..],
        &double(1),
        &[Instruction::new(Op::I64Add, 0)],
    ]
    .concat();
    assert_eq!(
        line(&add, 0),
        "ff ff ff ff 00 00 00 00 commit(+1,sts=1,bt=0,skip=1)"
    );
    assert_eq!(
        line(&add, 2),
        "00+ 00+ 00+ 00+ 01 00 00 00 commit(-1,sts=1,bt=0)"
    );
}

#[test]
fn the_memory_grows() {
    let load = Instruction::with_byte(Op::I32Load8U, 0, 0);
    let grow = [&word(1)[..], &[Instruction::new(Op::MemoryGrown, 0)]].concat();
    let inside = [&grow[..], &word(0xffff), &[load]].concat();
    assert_eq!(
        lines(&program(&inside))[1],
        "01 00 00 00 commit(-1,sts=0,bt=0,grow=1)"
    );
    assert_eq!(top(&program(&inside)), Value::I32(0));
    let outside = [&grow[..], &word(0x1_0000), &[load]].concat();
    assert_eq!(lines(&program(&outside))[3], "trap(out_of_bounds)");
}

#[test]
fn faults_of_width() {
    let fault = |code: &[Instruction]| {
        let program = program(code);
        let mut run = Interpreter::new(&program);
        run.run(1000).expect_err("a fault").kind
    };
    let add = [&double(1)[..], &word(1), &[Instruction::new(Op::I32Add, 0)]].concat();
    assert_eq!(fault(&add), FaultKind::Width { wanted: 4 });
    let get = [
        &word(1)[..],
        &[
            Instruction::new(Op::LocalSet, 0),
            Instruction::new(Op::LocalGet64, 0),
        ],
    ];
    assert_eq!(fault(&get.concat()), FaultKind::Width { wanted: 8 });
    assert_eq!(fault(&double(1)[..1]), FaultKind::NoHighWord);
    let product = [
        &double(3 << 32 | 3)[..],
        &word(8),
        &[Instruction::new(Op::I32MulHigh, 0)],
    ];
    assert_eq!(fault(&product.concat()), FaultKind::NotAProduct);
}
