//! Determinism: weights and traces have the same bytes on every machine and under any load, by
//! their digests.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use weightware::{Computer, Engine, default_model};
use weightware_tests::{Expected, Trace, cases};

/// The 64-bit FNV-1a hash, which detects changes, not forgeries.
fn digest(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A line for each file of the default model's folder, and for the trace of every case that is not
/// slow.
fn digests() -> String {
    let mut text = String::new();
    let dir = tempfile::tempdir().expect("a temporary folder");
    default_model()
        .save(dir.path())
        .expect("the folder can be written");
    for name in [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
    ] {
        let bytes = fs::read(dir.path().join(name)).expect("just written");
        writeln!(text, "{:016x} {name}", digest(bytes)).expect("to a string");
    }
    for case in cases().iter().filter(|case| !case.slow) {
        let Expected::Run { .. } = case.expected else {
            continue;
        };
        let program = case.program().expect("a program");
        let trace = Trace::of(&program, case.max_tokens).expect("a trace");
        let tokens = trace
            .tokens
            .iter()
            .flat_map(|token| format!("{token} ").into_bytes());
        writeln!(text, "{:016x} {}", digest(tokens), case.name).expect("to a string");
    }
    text
}

/// The traces are the plain interpreter's, which the ladder compares with every engine, token by
/// token. `BLESS=1` writes the file.
#[test]
fn weights_and_traces_are_those_of_the_digests() {
    if std::env::var_os("CASE").is_some() {
        return; // Not all cases are there.
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("digests.txt");
    let actual = digests();
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, &actual).expect("the file can be written");
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<_> = actual
        .lines()
        .filter(|line| !golden.lines().any(|known| known == *line))
        .collect();
    assert!(
        changed.is_empty(),
        "changed, or new: {changed:#?}; if they should be, run with BLESS=1"
    );
    assert_eq!(golden, actual, "lines are left over; run with BLESS=1");
}

/// Weights compiled and programs decoded in many threads at once equal those of one thread.
#[test]
fn threads_change_nothing() {
    let text = "{ i32.const 39 30 00 00  i32.const 07 00 00 00  div.digits 00 00 00 00  div.result 00 00 00 00  output 00 00 00 00 }";
    let program = text.parse().expect("a program");
    let once = || {
        let computer = Computer::default();
        let traces = [Engine::Hull, Engine::Plan].map(|engine| {
            let run = computer
                .run(&program, engine, Some(300))
                .expect("a model that runs");
            run.map(|token| token.to_string()).collect::<Vec<_>>()
        });
        let bits = computer
            .model()
            .weights
            .layers
            .iter()
            .flat_map(|layer| &layer.in_proj.entries);
        (digest(bits.flat_map(|weight| weight.to_le_bytes())), traces)
    };
    let alone = once();
    assert_eq!(alone.1[0], alone.1[1]);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(once)).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("no panic"), alone);
        }
    });
}
