//! Programs that never end by themselves.

use weightware::{Computer, Engine, Program, RunEnd};
use weightware_isa::{FRAME_LIMIT, Instruction, Op};

/// A program that runs into a limit.
#[derive(Debug, Clone)]
pub struct Adversary {
    /// The name of its behaviour.
    pub name: &'static str,
    /// Its program, which never ends.
    pub program: Program,
    /// Whether it stores repeatedly.
    pub stores: bool,
    /// Whether it reaches a limit of its own within a few tokens, at any horizon.
    pub soon: bool,
}

const PAGES: u8 = 255;

fn new(op: Op, immediate: u32) -> Instruction {
    Instruction::new(op, immediate)
}

fn access(op: Op, offset: u32) -> Instruction {
    Instruction::with_byte(op, offset, PAGES)
}

fn ends(computer: &Computer, address: u32) -> bool {
    let code = vec![
        new(Op::I32Const, address),
        new(Op::I32Const, 1),
        access(Op::I32Store8, 0),
    ];
    let run = computer.run(&program(code), Engine::Hull, Some(100));
    matches!(run.expect("a model that runs").finish(), RunEnd::Outcome(_))
}

fn program(code: Vec<Instruction>) -> Program {
    Program {
        code,
        ..Program::default()
    }
}

/// The greatest address at which the model can store, found by attempts.
///
/// # Panics
/// If the model cannot be run.
#[must_use]
pub fn farthest(computer: &Computer) -> u32 {
    let (mut inside, mut outside) = (0, 1 << 24);
    while outside - inside > 1 {
        let middle = inside + (outside - inside) / 2;
        match ends(computer, middle) {
            true => inside = middle,
            false => outside = middle,
        }
    }
    inside
}

/// All adversaries, for a model with that greatest address.
#[must_use]
pub fn adversaries(farthest: u32) -> Vec<Adversary> {
    let lean = |name, program, stores, soon| Adversary {
        name,
        program,
        stores,
        soon,
    };
    vec![
        lean("counts", counting(), false, false),
        lean("hammers one address", hammering(&[farthest]), true, false),
        lean(
            "goes to and fro between the farthest addresses",
            hammering(&[0, farthest]),
            true,
            false,
        ),
        lean(
            "recurses deepest, again and again",
            recursing(),
            false,
            false,
        ),
        lean(
            "walks out of the memory",
            walking(farthest - 40),
            true,
            true,
        ),
        lean("pushes without end", pushing(), false, true),
        lean(
            "writes all over the memory",
            scattering(farthest),
            true,
            false,
        ),
    ]
}

fn counting() -> Program {
    program(vec![
        new(Op::I32Const, 0),
        new(Op::I32Const, 1),
        new(Op::I32Add, 0),
        new(Op::Br, 1),
    ])
}

/// Adds one to the byte at each address, in turn.
fn hammering(addresses: &[u32]) -> Program {
    let mut code = vec![];
    for &address in addresses {
        code.extend([
            new(Op::I32Const, address),
            new(Op::I32Const, address),
            access(Op::I32Load8U, 0),
            new(Op::I32Const, 1),
            new(Op::I32Add, 0),
            access(Op::I32Store8, 0),
        ]);
    }
    code.push(new(Op::Br, 0));
    program(code)
}

/// Stores one byte further in every round.
fn walking(from: u32) -> Program {
    program(vec![
        new(Op::I32Const, from),
        new(Op::LocalTee, 0),
        new(Op::LocalGet, 0),
        access(Op::I32Store8, 0),
        new(Op::LocalGet, 0),
        new(Op::I32Const, 1),
        new(Op::I32Add, 0),
        new(Op::Br, 1),
    ])
}

fn pushing() -> Program {
    program(vec![new(Op::I32Const, 7), new(Op::Br, 0)])
}

/// Calls itself until frames of one word run out, writes a local in each, and returns from all.
fn recursing() -> Program {
    const MAIN: u32 = 0;
    const CALLS_LEFT: u32 = 0;
    const FUNCTION: u32 = 6;
    const END: u32 = FUNCTION + 13;
    program(vec![
        new(Op::I32Const, FRAME_LIMIT - 10),
        new(Op::GlobalSet, CALLS_LEFT),
        Instruction::with_byte(Op::Call, FUNCTION, 4),
        new(Op::Resume, 4),
        new(Op::Br, MAIN),
        new(Op::Unreachable, 0),
        new(Op::GlobalGet, CALLS_LEFT),
        new(Op::LocalTee, 1),
        new(Op::BrUnless, END),
        new(Op::GlobalGet, CALLS_LEFT),
        new(Op::I32Const, 1),
        new(Op::I32Sub, 0),
        new(Op::GlobalSet, CALLS_LEFT),
        Instruction::with_byte(Op::Call, FUNCTION, 1),
        new(Op::Resume, 15),
        new(Op::LocalGet, 1),
        new(Op::LocalSet, 1),
        new(Op::LocalGet, 1),
        new(Op::Drop, 0),
        new(Op::Return, 0),
    ])
}

/// Writes and reads words at 16,384 places all over the memory, each overlapped by a byte, and the
/// word at 64 repeatedly. Three stores in 25 instructions.
fn scattering(farthest: u32) -> Program {
    const PLACES: u32 = 1 << 14;
    let apart = ((farthest - 7) / (PLACES - 1)) & !3;
    program(vec![
        new(Op::I32Const, 1),
        new(Op::LocalSet, 0),
        new(Op::LocalGet, 0),
        new(Op::I32Const, 1_664_525),
        new(Op::I32Mul, 0),
        new(Op::I32Const, 1_013_904_223),
        new(Op::I32Add, 0),
        new(Op::LocalTee, 0),
        new(Op::I32Const, 9),
        new(Op::I32ShrU, 0),
        new(Op::I32Const, PLACES - 1),
        new(Op::I32And, 0),
        new(Op::I32Const, apart),
        new(Op::I32Mul, 0),
        new(Op::LocalTee, 1),
        new(Op::LocalGet, 0),
        access(Op::I32Store, 0),
        new(Op::LocalGet, 1),
        new(Op::LocalGet, 0),
        access(Op::I32Store8, 3),
        new(Op::I32Const, 64),
        new(Op::LocalGet, 1),
        new(Op::I32Const, 0x1ff8),
        new(Op::I32Xor, 0),
        access(Op::I32Load, 0),
        access(Op::I32Store, 0),
        new(Op::Br, 2),
    ])
}
