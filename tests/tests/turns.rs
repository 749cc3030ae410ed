//! Programs whose contexts turn have the output and the outcome of runs in one context: the corpus,
//! and random modules, with contexts of several lengths.

use weightware::{Computer, Engine, Options, Outcome, Program, RunEnd};
use weightware_compiler::machine::Profile;
use weightware_compiler::profile_model;
use weightware_frontend::lower;
use weightware_isa::Interpreter;
use weightware_tests::fuzz::{Fuzzed, fuzz};
use weightware_tests::{Case, Executor, Expected, cases};

/// Tokens after which no run of the corpus may go on.
const LIMIT: u64 = 60_000_000;

/// Cases whose frames take more memory than the machine has: such a turn stops at the horizon.
const DEEP: [&str; 1] = ["endless_recursion"];

/// The program of a case, if it can turn.
fn program(case: &Case) -> Option<Program> {
    let options = Options::default().with_turns(true);
    let program = case.program_with(&options).ok()?;
    let wanted = matches!(case.expected, Expected::Run { .. }) && !case.slow;
    program
        .turns
        .is_some()
        .then_some(program)
        .filter(|_| wanted)
}

fn lowered(wat: &str) -> Program {
    let options = Options::default().with_turns(true);
    let wasm = wat::parse_str(wat).expect("a module");
    lower(&wasm, &options).expect("a program").into_program(&[])
}

/// Output, error output and outcome.
type End = (Vec<u8>, Vec<u8>, Option<Outcome>);

/// Runs a program by the plain interpreter, and returns its contexts, too.
fn interpreted(program: &Program, context: Option<u64>) -> (End, u64) {
    let mut run = match context {
        Some(tokens) => Profile::STOCK.with_context(tokens).interpreter(program),
        None => Interpreter::new(program),
    };
    let mut contexts = 1;
    loop {
        run.run(LIMIT).expect("no fault");
        if !run.turn() {
            break;
        }
        contexts += 1;
    }
    let end = (run.output().to_vec(), run.stderr().to_vec(), run.outcome());
    (end, contexts)
}

#[test]
fn the_corpus_by_the_plain_interpreter() {
    let (mut programs, mut turns) = (0, 0);
    for case in cases() {
        let Some(program) = program(&case) else {
            continue;
        };
        let (wanted, _) = interpreted(&program, None);
        for context in [200, 3_000, 20_000] {
            let (found, contexts) = interpreted(&program, Some(context));
            assert_eq!(found, wanted, "{}, contexts of {context}", case.name);
            turns += contexts - 1;
        }
        programs += 1;
    }
    assert!(programs > 40 && turns > 1_000, "{programs}, {turns}");
}

#[test]
fn the_corpus_by_the_weights() {
    let computer = Computer::new(profile_model(Profile::STOCK.with_context(3_000))).unwrap();
    let (mut programs, mut turns) = (0, 0);
    for case in cases() {
        let Some(program) = program(&case) else {
            continue;
        };
        let (wanted, _) = interpreted(&program, None);
        let run = computer.run(&program, Engine::Plan, None).unwrap();
        let mut run = run.checked(&program, &[]);
        let end = run.finish();
        if DEEP.contains(&case.name.as_str()) {
            assert!(matches!(end, RunEnd::Horizon { .. }), "{end:?}");
            continue;
        }
        let RunEnd::Outcome(outcome) = end else {
            panic!("{}: {end:?}", case.name);
        };
        let reader = run.reader();
        let found = (reader.output().to_vec(), reader.stderr().to_vec());
        assert_eq!((found.0, found.1, Some(outcome)), wanted, "{}", case.name);
        turns += run.contexts() - 1;
        programs += 1;
    }
    assert!(programs > 40 && turns > 100, "{programs}, {turns}");
}

/// Bytes around the first data segment, which has few of them and stands near the end of a block.
#[test]
fn the_memory_around_the_first_data_segment() {
    let computer = Computer::new(profile_model(Profile::STOCK.with_context(100))).unwrap();
    for at in [0, 1_020, 1_021, 1_022, 1_023, 1_024, 65_533, 65_535] {
        for bytes in ["", "\\00", "\\01", "\\01\\02\\03", "\\01\\02\\03\\04\\05"] {
            if bytes.len() / 3 > 65_536 - at {
                continue;
            }
            let wat = format!(
                r#"(module (import "env" "putchar" (func $put (param i32)))
                  (memory 1 2) (data (i32.const {at}) "{bytes}")
                  (func (export "main") (result i32)
                    (local $n i32) (local $end i32)
                    (drop (memory.grow (i32.const 1)))
                    (local.set $n (i32.const {from}))
                    (loop $again
                      (call $put (i32.load8_u (local.get $n)))
                      (local.set $n (i32.add (local.get $n) (i32.const 1)))
                      (br_if $again (i32.lt_u (local.get $n) (i32.const {to}))))
                    (i32.const 0)))"#,
                from = at.max(4) - 4,
                to = at + 8,
            );
            let program = lowered(&wat);
            let (wanted, _) = interpreted(&program, None);
            let mut run = computer.run(&program, Engine::Plan, None).unwrap();
            let end = run.finish();
            assert_eq!(end, RunEnd::Outcome(Outcome::Exited(0)), "{bytes} at {at}");
            assert!(run.contexts() > 2);
            assert_eq!(run.reader().output(), wanted.0, "{bytes} at {at}");
        }
    }
}

/// A different length for each module, so that modules turn at random places.
#[test]
fn random_modules() {
    let mut compared = 0;
    for seed in 10_000..12_200 {
        let executor = Executor::Turning(1 + seed * 7_919 % 900);
        match fuzz(seed, &executor) {
            Fuzzed::Same(..) => compared += 1,
            Fuzzed::Skipped(_) => {}
            Fuzzed::Different(difference) => panic!("seed {seed}: {}", difference.problem),
        }
    }
    assert!(compared > 1_000, "{compared} modules are too few to tell");
}
