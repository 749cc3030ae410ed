//! Operands at which mistakes show.

use crate::random::Random;

/// Three operands, of which an instruction takes the last ones, each cut to its width.
pub type Operands = [u64; 3];

/// Numbers at the edges of carries, signs, shift counts and bytes.
const EDGES: [u64; 23] = [
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

/// Edges of 64-bit operands.
const EDGES_64: [u64; 28] = [
    0,
    1,
    2,
    7,
    8,
    31,
    32,
    33,
    63,
    64,
    65,
    128,
    255,
    256,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    0x7fff_ffff_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0x8000_0000_0000_0001,
    0x8000_0000_8000_0000,
    0xffff_ffff_0000_0000,
    0xffff_ffff_8000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];

/// An edge of that width, or any number.
pub(crate) fn some_operand(width: u8, random: &mut Random) -> u64 {
    let edges = if width == 4 {
        &EDGES[..]
    } else {
        &EDGES_64[..]
    };
    match random.below(3) {
        0 => random.number(),
        _ => edges[random.below(edges.len() as u64) as usize],
    }
}

/// All combinations of edges, for operands of these widths.
#[must_use]
pub fn edges(widths: &[u8]) -> Vec<Operands> {
    let mut all = vec![[0; 3]];
    for (&width, at) in widths.iter().rev().zip([2, 1, 0]) {
        let edges = if width == 4 {
            &EDGES[..]
        } else {
            &EDGES_64[..]
        };
        let with_each = |operands: Operands| {
            edges.iter().map(move |&edge| {
                let mut operands = operands;
                operands[at] = edge;
                operands
            })
        };
        all = all.into_iter().flat_map(with_each).collect();
    }
    all
}

/// All combinations of bytes; the first of three operands is a single byte.
#[must_use]
pub fn small(arity: usize) -> Vec<Operands> {
    let firsts = 0..if arity > 1 { 256 } else { 1 };
    firsts
        .flat_map(|b| (0..256).map(move |c| [0xa5, b, c]))
        .collect()
}

/// Random operands: of any size, near powers of two, and often equal.
#[must_use]
pub fn random(seed: u64, count: usize) -> Vec<Operands> {
    let mut random = Random::new(seed);
    let mut operand = || match random.below(2) {
        0 => random.number(),
        _ => random.bits(),
    };
    let mut all: Vec<Operands> = (0..count)
        .map(|_| [operand(), operand(), operand()])
        .collect();
    for operands in all.iter_mut().step_by(16) {
        operands[1] = operands[2];
    }
    all
}
