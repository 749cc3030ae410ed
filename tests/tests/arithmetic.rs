//! Every arithmetic instruction of the machine against Rust, on edge operands and random ones.
//! `cargo xtask verify` checks many more.

use weightware::Computer;
use weightware_isa::Op;
use weightware_tests::FASTEST;
use weightware_tests::verify::{Meaning, Operands, ROWS, Row, Verifier, edges, random, small};

#[test]
fn interpreter() {
    for row in &ROWS {
        let arity = row.meaning.arity();
        let operands = [edges(row.meaning.widths()), small(arity), random(7, 20_000)].concat();
        Verifier::interpreter(row, &operands).unwrap();
    }
}

#[test]
fn exact() {
    let computer = Computer::default();
    let verifier = Verifier::new(&computer, FASTEST);
    for (row, seed) in ROWS.iter().zip(0..) {
        let edges = edges(row.meaning.widths());
        let some = edges.into_iter().skip(seed as usize % 19).step_by(19);
        let operands: Vec<_> = some.take(30).chain(random(seed, 30)).collect();
        verifier.exact(row, &operands).unwrap();
    }
}

#[test]
fn weights() {
    let computer = Computer::default();
    let verifier = Verifier::new(&computer, FASTEST);
    for (row, seed) in ROWS.iter().zip(100..) {
        let edges = edges(row.meaning.widths()).into_iter().step_by(2);
        let operands: Vec<_> = edges.take(400).chain(random(seed, 100)).collect();
        verifier.weights(row, &operands).unwrap();
    }
}

/// Four pairs of bytes, packed into two operands.
fn packed(pairs: &[(u8, u8)]) -> Operands {
    let word = |bytes: Vec<u8>| {
        let places = bytes.into_iter().zip(0..);
        places.fold(0, |word, (byte, place)| {
            word | u64::from(byte) << (8 * place)
        })
    };
    let first = pairs.iter().map(|&(a, _)| a).collect();
    let second = pairs.iter().map(|&(_, b)| b).collect();
    [0, word(first), word(second)]
}

/// Exhaustive tests of the instructions without an equation (`cargo xtask proof`): every pair of
/// bytes for those that combine bytes; every byte at every place with every count for those that
/// move them; every byte at every place for those that count bits.
#[test]
fn every_byte() {
    let bytes = || 0..=255_u8;
    let pairs: Vec<(u8, u8)> = bytes().flat_map(|a| bytes().map(move |b| (a, b))).collect();
    let paired: Vec<Operands> = pairs.chunks(4).map(packed).collect();
    let wide = pairs.chunks(8).map(packed).collect::<Vec<_>>();
    let at_every_place = |places: u32| {
        let at = move |place| bytes().map(move |byte| u64::from(byte) << (8 * place));
        (0..places).flat_map(at)
    };
    let moved = |places: u32| -> Vec<Operands> {
        let counts = move |word| (0..u64::from(8 * places)).map(move |count| [0, word, count]);
        at_every_place(places).flat_map(counts).collect()
    };
    let counted = |places: u32| -> Vec<Operands> {
        let both = |word: u64| {
            [
                [0, 0, word],
                [0, 0, !word & (u64::MAX >> (64 - 8 * places))],
            ]
        };
        at_every_place(places).flat_map(both).collect()
    };
    let (moved, moved_wide) = (moved(4), moved(8));
    let (counted, counted_wide) = (counted(4), counted(8));

    let computer = Computer::default();
    let verifier = Verifier::new(&computer, FASTEST);
    let mut kinds = 0;
    for row in &ROWS {
        let (width, kind) = row.name.split_once('.').unwrap_or((row.name, ""));
        let (words, doubles) = match kind {
            "and" | "or" | "xor" => (&paired, &wide),
            "shl" | "shr_s" | "shr_u" | "rotl" | "rotr" => (&moved, &moved_wide),
            "clz" | "ctz" | "popcnt" => (&counted, &counted_wide),
            _ => continue,
        };
        let operands = if width == "i64" { doubles } else { words };
        verifier.weights(row, operands).unwrap();
        kinds += 1;
    }
    assert_eq!(kinds, 22);
}

#[test]
fn a_wrong_meaning_is_found() {
    let row = Row {
        name: "wrong",
        ops: &[Op::I32Sub],
        meaning: Meaning::Binary(|a, b| Some(b.wrapping_sub(a))),
    };
    let problem = Verifier::interpreter(&row, &edges(&[4, 4])).unwrap_err();
    assert!(problem.starts_with("wrong of "), "{problem}");
}
