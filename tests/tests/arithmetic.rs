//! Every arithmetic instruction through the weights with the hull cache, on edge operands and random ones, against Rust.
//! The operands are bytes of the memory: no compiler can fold them.

use weightware::{Computer, End, Engine, Outcome};
use weightware_isa::{Instruction, Op, Program};

const EDGES: [u32; 16] = [
    0,
    1,
    2,
    7,
    8,
    31,
    32,
    127,
    128,
    255,
    256,
    0x7fff,
    0x8000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
];

/// What Rust says, for the operand pairs of a case.
type Meaning = fn(u32, u32) -> u32;

type UnaryMeaning = fn(u32) -> u32;

/// Instructions of the machine (those of a division and a remainder in a row) and their meaning.
const BINARY: [(&[Op], Meaning); 22] = [
    (&[Op::I32Add], u32::wrapping_add),
    (&[Op::I32Sub], u32::wrapping_sub),
    (&[Op::I32Mul], u32::wrapping_mul),
    (&[Op::I32And], |a, b| a & b),
    (&[Op::I32Or], |a, b| a | b),
    (&[Op::I32Xor], |a, b| a ^ b),
    (&[Op::I32Shl], u32::wrapping_shl),
    (&[Op::I32ShrU], u32::wrapping_shr),
    (&[Op::I32ShrS], |a, b| (a as i32).wrapping_shr(b) as u32),
    (&[Op::I32Rotl], |a, b| a.rotate_left(b % 32)),
    (&[Op::I32Rotr], |a, b| a.rotate_right(b % 32)),
    (&[Op::I32Eq], |a, b| u32::from(a == b)),
    (&[Op::I32Ne], |a, b| u32::from(a != b)),
    (&[Op::I32LtU], |a, b| u32::from(a < b)),
    (&[Op::I32LeU], |a, b| u32::from(a <= b)),
    (&[Op::I32GtU], |a, b| u32::from(a > b)),
    (&[Op::I32GeU], |a, b| u32::from(a >= b)),
    (&[Op::I32LtS], |a, b| u32::from((a as i32) < b as i32)),
    (&[Op::I32LeS], |a, b| u32::from(a as i32 <= b as i32)),
    (&[Op::I32GtS], |a, b| u32::from(a as i32 > b as i32)),
    (&[Op::I32GeS], |a, b| u32::from(a as i32 >= b as i32)),
    (&[Op::DivDigits, Op::DivResult], |a, b| a / b.max(1)),
];
const REMAINDER: &[Op] = &[Op::DivDigits, Op::I32Bswap, Op::I32Mul, Op::I32Sub];
const UNARY: [(Op, UnaryMeaning); 4] = [
    (Op::I32Eqz, |a| u32::from(a == 0)),
    (Op::I32Extend8S, |a| a as i8 as u32),
    (Op::I32Extend16S, |a| a as i16 as u32),
    (Op::I32Bswap, u32::swap_bytes),
];

/// Operand pairs: all edges with each other, then random ones.
fn pairs(random: usize) -> Vec<(u32, u32)> {
    let edges = EDGES
        .iter()
        .flat_map(|&a| EDGES.iter().map(move |&b| (a, b)));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let random = (0..random).map(|_| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let bits = state.wrapping_mul(0x2545_f491_4f6c_dd1d);
        // The second operand has any number of bits.
        ((bits >> 32) as u32, bits as u32 >> (bits >> 59 & 31))
    });
    edges.chain(random).collect()
}

/// Runs `a b ops` for all pairs and compares what is put out.
fn check(computer: &Computer, ops: &[Op], pairs: &[(u32, u32)], meaning: impl Fn(u32, u32) -> u32) {
    let bytes = pairs
        .iter()
        .flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()])
        .flatten();
    let mut code = vec![Instruction::new(Op::Section, 0)];
    for at in 0..pairs.len() as u32 {
        for offset in [8 * at, 8 * at + 4] {
            code.push(Instruction::new(Op::I32Const, 0));
            code.push(Instruction::with_byte(Op::I32Load, offset, 2));
        }
        code.extend(ops.iter().map(|&op| Instruction::new(op, 0)));
        code.push(Instruction::new(Op::LocalSet, 0));
        for byte in 0..4 {
            code.push(Instruction::new(Op::LocalGet, 0));
            code.push(Instruction::new(Op::I32Const, 8 * byte));
            code.push(Instruction::new(Op::I32ShrU, 0));
            code.push(Instruction::new(Op::Output, 0));
        }
    }
    let program = Program {
        code,
        sections: vec![bytes.collect()],
    };
    let mut run = computer
        .run(&program, Engine::Hull, None)
        .expect("a sound model");
    assert_eq!(run.finish(), End::Outcome(Outcome::Halted), "{ops:?}");
    let results = run
        .reader()
        .output()
        .chunks(4)
        .map(|word| u32::from_le_bytes(word.try_into().expect("words")));
    for (&(a, b), have) in pairs.iter().zip(results) {
        assert_eq!(have, meaning(a, b), "{ops:?} {a:#x} {b:#x}");
    }
}

#[test]
fn binary() {
    let computer = Computer::default();
    let all = pairs(100);
    for (ops, meaning) in BINARY {
        let divides = ops[0] == Op::DivDigits;
        let pairs: Vec<_> = all
            .iter()
            .copied()
            .filter(|&(_, b)| !divides || b != 0)
            .collect();
        check(&computer, ops, &pairs, meaning);
        if divides {
            check(&computer, REMAINDER, &pairs, |a, b| a % b);
        }
    }
}

#[test]
fn unary() {
    let computer = Computer::default();
    let pairs: Vec<_> = pairs(60).into_iter().map(|(a, b)| (b, a)).collect();
    for (op, meaning) in UNARY {
        check(&computer, &[op], &pairs, |_, b| meaning(b));
    }
}
