//! Operands that tell.

use crate::random::Random;

/// Three, of which an instruction takes the last ones.
pub type Operands = [u32; 3];

/// Numbers where carries, signs, shift counts and bytes turn.
const EDGES: [u32; 23] = [
    0,
    1,
    2,
    3,
    7,
    8,
    31,
    32,
    33,
    127,
    128,
    255,
    256,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_ff00,
    0xffff_fffe,
    0xffff_ffff,
];

/// All edges with each other.
#[must_use]
pub fn edges(arity: usize) -> Vec<Operands> {
    let all = |used: bool| if used { &EDGES[..] } else { &EDGES[..1] };
    let firsts = all(arity > 2).iter();
    let pairs = firsts.flat_map(|&a| all(arity > 1).iter().map(move |&b| (a, b)));
    pairs
        .flat_map(|(a, b)| EDGES.iter().map(move |&c| [a, b, c]))
        .collect()
}

/// All bytes with each other; of three operands the first is one byte.
#[must_use]
pub fn small(arity: usize) -> Vec<Operands> {
    let firsts = 0..if arity > 1 { 256 } else { 1 };
    firsts
        .flat_map(|b| (0..256).map(move |c| [0xa5, b, c]))
        .collect()
}

/// Random ones: of any size, near powers of two, and often alike.
#[must_use]
pub fn random(seed: u64, count: usize) -> Vec<Operands> {
    let mut random = Random::new(seed);
    let mut operand = || {
        let number = random.number();
        match random.below(2) {
            0 => number as u32,
            _ => random.bits() as u32,
        }
    };
    let mut all: Vec<Operands> = (0..count)
        .map(|_| [operand(), operand(), operand()])
        .collect();
    for operands in all.iter_mut().step_by(16) {
        operands[1] = operands[2];
    }
    all
}
