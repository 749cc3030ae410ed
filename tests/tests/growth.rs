//! Growth of the memory. An access inside the memory beyond the profile's addresses is a horizon,
//! one outside the memory a trap, never the other way round. Memory that was never written is 0.

use weightware::{Computer, Engine, Outcome, Profile, RunEnd, Source, Trap, profile_model};

const TRAP: Ended = Ended::Trap;
const HORIZON: Ended = Ended::Horizon;

/// How a program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Exit(u32),
    Trap,
    Horizon,
}

/// Grows a memory of one page by each number of pages, and returns the result of `body`.
fn program(grows: &[u32], body: &str) -> Vec<u8> {
    let grows = grows
        .iter()
        .map(|pages| format!("(drop (memory.grow (i32.const {pages})))"));
    let grows: String = grows.collect();
    format!("(module (memory 1) (func (export \"main\") (result i32) {grows} {body}))").into_bytes()
}

/// Writes 77 and reads it.
fn kept(address: u32) -> String {
    let address = address.cast_signed();
    format!("(i32.store (i32.const {address}) (i32.const 77)) (i32.load (i32.const {address}))")
}

/// How a program ends on an engine, in lockstep with the plain interpreter.
fn ending(computer: &Computer, wat: &[u8], engine: Engine) -> Ended {
    let program = Source::parse(wat).expect("a module").program(&[]);
    let run = computer.run(&program, engine, None).expect("a sound model");
    match run.checked(&program, &[]).finish() {
        RunEnd::Outcome(Outcome::Exited(code)) => Ended::Exit(code),
        RunEnd::Outcome(Outcome::Trapped(Trap::OutOfBounds)) => Ended::Trap,
        RunEnd::Horizon { .. } => Ended::Horizon,
        end => panic!("{end:?}"),
    }
}

const FAST: [Engine; 3] = [Engine::Plan, Engine::Hull, Engine::Jit];
const PAGE: u32 = 1 << 16;

#[test]
fn an_access_inside_the_memory_never_traps_and_one_outside_always_does() {
    const KEPT: Ended = Ended::Exit(77);
    let last = |pages: u32| pages * PAGE - 4;
    // The pages to grow by, the address, and the results with the profiles stock, long and far.
    let rows: &[(&[u32], u32, [Ended; 3])] = &[
        (&[], last(1), [KEPT; 3]),
        (&[], last(1) + 1, [TRAP; 3]),
        (&[], 200_000, [TRAP; 3]),
        (&[], 9_000_000, [TRAP; 3]),
        (&[1], last(2) - 1, [KEPT; 3]),
        (&[1], last(2) + 1, [TRAP; 3]),
        (&[255], 65_536, [KEPT; 3]),
        (&[255], 135_000, [KEPT, HORIZON, KEPT]),
        (&[255], 200_000, [HORIZON, HORIZON, KEPT]),
        (&[255], last(256), [HORIZON; 3]),
        (&[255], last(256) + 1, [TRAP; 3]),
        (&[256], 65_536, [KEPT; 3]),
        (&[256], 130_000, [KEPT; 3]),
        (&[256], 200_000, [HORIZON, HORIZON, KEPT]),
        (&[256], 8_388_000, [HORIZON, HORIZON, KEPT]),
        (&[256], last(257), [HORIZON; 3]),
        (&[256], last(257) + 1, [TRAP; 3]),
        (&[257], 65_536, [KEPT; 3]),
        (&[257], 200_000, [HORIZON, HORIZON, KEPT]),
        (&[257], last(258), [HORIZON; 3]),
        (&[257], last(258) + 1, [TRAP; 3]),
        // In steps, of which the last one alone does not show the size.
        (&[255, 1, 1], last(258), [HORIZON; 3]),
        (&[255, 1, 1], last(258) + 1, [TRAP; 3]),
        (&[128, 128], 70_000, [KEPT; 3]),
        (&[128, 128], last(257) + 1, [TRAP; 3]),
        (&[16; 20], 70_000, [KEPT; 3]),
        (&[16; 20], last(321), [HORIZON; 3]),
        (&[16; 20], last(321) + 1, [TRAP; 3]),
        // The greatest growth that the lowering grants, and more than that.
        (&[65_534], 70_000, [KEPT; 3]),
        (&[65_534], last(65_535), [HORIZON; 3]),
        (&[65_534], last(65_535) + 1, [TRAP; 3]),
        (&[65_535], 65_536, [TRAP; 3]),
        (&[65_534, 1], 70_000, [KEPT; 3]),
    ];
    let profiles = [Profile::STOCK, Profile::LONG, Profile::FAR];
    let computers = profiles
        .map(|profile| Computer::new(profile_model(profile)).expect("a model of the machine"));
    for (grows, address, expected) in rows {
        let wat = program(grows, &kept(*address));
        for ((computer, profile), &expected) in computers.iter().zip(profiles).zip(expected) {
            for engine in FAST {
                assert_eq!(
                    ending(computer, &wat, engine),
                    expected,
                    "grown by {grows:?}, {address}: {}, {}",
                    profile.name,
                    engine.name()
                );
            }
        }
    }
    // The engines that scan all keys.
    for engine in [Engine::Hardmax, Engine::Softmax] {
        for row in [5, 8, 9, 10, 11, 13] {
            let (grows, address, [expected, ..]) = &rows[row];
            let wat = program(grows, &kept(*address));
            assert_eq!(ending(&computers[0], &wat, engine), *expected, "row {row}");
        }
    }
}

/// A load stores nothing, so it may access any address inside the memory. It finds 0 where nothing
/// was written.
#[test]
fn what_was_never_written_is_zero() {
    let profiles = [Profile::STOCK, Profile::LONG, Profile::FAR];
    let computers = profiles
        .map(|profile| Computer::new(profile_model(profile)).expect("a model of the machine"));
    for address in [
        65_536, 65_540, 100_000, 131_064, 155_640, 155_648, 200_000, 8_388_600, 16_777_216,
        16_842_748,
    ] {
        // A byte is stored before it, and at 0, where a lookup without a key would end.
        let body = format!(
            "(i32.store (i32.const 0) (i32.const -1)) (i32.store (i32.const 65532) (i32.const -1))
             (i32.add (i32.load (i32.const {address})) (i32.const 5))"
        );
        for (computer, profile) in computers.iter().zip(profiles) {
            for engine in FAST {
                let ended = ending(computer, &program(&[256], &body), engine);
                let beyond = i64::from(address) + 4 > profile.memory.last();
                assert!(
                    ended == Ended::Exit(5) || beyond && ended == HORIZON,
                    "{address}: {ended:?}, {}, {}",
                    profile.name,
                    engine.name()
                );
            }
        }
    }
}

/// A refused growth changes nothing, and `memory.size` returns the size.
#[test]
fn the_size_is_what_was_granted() {
    let computer = Computer::default();
    let rows: [(&[u32], u32); 7] = [
        (&[], 1),
        (&[255], 256),
        (&[256], 257),
        (&[257], 258),
        (&[16; 20], 321),
        (&[65_534], 65_535),
        (&[65_535, 3], 4),
    ];
    for (grows, size) in rows {
        for engine in FAST {
            let wat = program(grows, "(memory.size)");
            assert_eq!(
                ending(&computer, &wat, engine),
                Ended::Exit(size),
                "{grows:?}"
            );
        }
    }
}
