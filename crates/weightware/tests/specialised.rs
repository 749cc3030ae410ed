//! Programs in the weights: the same traces, by every engine.

use weightware::{
    Computer, Engine, Input, Options, Profile, Program, Rom, RunEnd, SavedRun, Source, Token,
    TokenId, rom_model,
};
use weightware_frontend::lower;

const PROGRAMS: [(&str, &[u8], &[u8]); 5] = [
    ("fib", include_bytes!("../../../programs/fib.wasm"), b""),
    (
        "memory",
        include_bytes!("../../../programs/memory.wasm"),
        b"",
    ),
    ("calls", include_bytes!("../../../programs/calls.wasm"), b""),
    (
        "echo",
        include_bytes!("../../../programs/echo.wasm"),
        b"any bytes",
    ),
    (
        "matching",
        include_bytes!("../../../programs/matching.wasm"),
        b"",
    ),
];

/// The program that a computer reads from a prompt and its weights.
fn read(computer: &Computer, prompt: &[TokenId]) -> Program {
    let saved = SavedRun {
        prompt: prompt.to_vec(),
        trace: vec![],
        context: 1,
    };
    saved.program(computer).expect("the prompt is a program's")
}

/// The most tokens of a trace that are compared.
const MOST: usize = 20_000;

#[test]
fn traces_are_those_of_the_program_in_the_prompt() {
    let mut compared = 0;
    for (name, module, input) in PROGRAMS {
        let source = Source::parse(module).expect("a module");
        let program = source.program(Input::from(&input.to_vec()));
        for profile in [Profile::STOCK, Profile::FAR] {
            let interpreter = profile.interpreter(&program).take(MOST);
            let expected: Vec<Token> = interpreter.map(|token| token.expect("no fault")).collect();
            let inputs = usize::from(source.reads_input());
            let program = program.clone().specialised(inputs);
            let rom = Rom::of(&program);
            let model = rom_model(profile, rom.clone()).expect("the schedule fits");
            assert!(
                Rom::read(&model)
                    .expect("a machine with tables")
                    .is_like(&rom)
            );
            let computer = Computer::new(model).expect("a machine");
            let again = read(&computer, &computer.prompt(&program));
            let trace = profile.interpreter(&again).take(MOST);
            let trace: Vec<Token> = trace.map(|token| token.expect("no fault")).collect();
            assert!(trace == expected, "{name}, {}", profile.name);
            for engine in Engine::available().filter(|engine| !engine.is_linear()) {
                let run = computer.run(&program, engine, Some(MOST as u64));
                let mut run = run.expect("an engine");
                let mut trace = vec![];
                while let Some((token, _)) = run.step() {
                    trace.push(token);
                }
                let same = trace.iter().zip(&expected).take_while(|(a, b)| a == b);
                let same = same.count();
                let place = (name, profile.name, engine.name());
                assert_eq!(
                    (same, trace.len()),
                    (expected.len(), expected.len()),
                    "{place:?}"
                );
                assert_eq!(run.stats().planned, engine.is_planned(), "{place:?}");
                compared += same;
            }
        }
    }
    assert!(compared > 100_000, "{compared}");
}

#[test]
fn a_model_with_another_program_refuses() {
    let program = |text: &str| text.parse::<weightware::Program>().expect("a program");
    let one = program("{ i32.const 01 00 00 00 output 00 00 00 00 }").specialised(0);
    let model = rom_model(Profile::STOCK, Rom::of(&one)).expect("the schedule fits");
    let computer = Computer::new(model).expect("a machine");
    let other = program("{ i32.const 02 00 00 00 output 00 00 00 00 }");
    let error = computer.place(other, 0).expect_err("another program");
    assert!(error.to_string().contains("another program"), "{error}");
}

/// Reads and writes constants of the module in a loop, between calls of a recursive function.
const TURNING: &str = r#"
(module
  (memory 1)
  (data (i32.const 1000) "\01\80\7f\ff\00\00\00\00\2a\c3")
  (data (i32.const 1500) "\99\98\97")
  (func $deep (param $n i32) (param $x i64) (result i64)
    (if (result i64) (i32.eqz (local.get $n))
      (then (local.get $x))
      (else
        (i64.xor (i64.const 0x0123456789abcdef)
          (i64.add (i64.load8_s (i32.add (i32.const 1000) (local.get $n)))
            (call $deep (i32.sub (local.get $n) (i32.const 1)) (i64.shl (local.get $x) (i64.const 3))))))))
  (func (export "loops") (param $n i32) (result i64)
    (local $i i32) (local $h i64)
    (loop $outer
      (local.set $h (i64.add (i64.mul (local.get $h) (i64.const 31))
        (call $deep (i32.const 9) (i64.extend_i32_u (local.get $i)))))
      (i32.store8 (i32.add (i32.const 1002) (local.get $i))
        (i32.xor (i32.load8_u (i32.const 1501)) (local.get $i)))
      (local.set $h (i64.add (local.get $h)
        (i64.load (i32.add (i32.const 996) (local.get $i)))))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $h)))
"#;

fn turning(turns: bool) -> Program {
    let options = Options::default()
        .with_invocation("loops", ["6"])
        .with_turns(turns);
    let lowered = lower(TURNING.as_bytes(), &options).expect("a module");
    lowered.into_program(b"")
}

/// Contexts that turn, with the code and the constants in the weights: every token is the plain
/// interpreter's, and the output is that of one context with all in the prompt.
#[test]
fn a_specialised_program_turns() {
    let plain = turning(false);
    let whole = Computer::default();
    let mut once = whole.run(&plain, Engine::Plan, None).expect("an engine");
    let wanted = once.finish();
    assert!(matches!(wanted, RunEnd::Outcome(_)), "{wanted:?}");
    let program = turning(true);
    let program = program.specialised(0);
    assert!(program.sections.iter().flatten().count() <= 4);
    let rom = Rom::of(&program);
    assert!(rom.memory.iter().flat_map(|(_, run)| run).count() > 8);
    for (context, engine, least) in [
        (1, Engine::Plan, 20),
        (333, Engine::Plan, 5),
        (500, Engine::Hull, 3),
    ] {
        let profile = Profile::STOCK.with_context(context);
        let model = rom_model(profile, rom.clone()).expect("fits");
        let computer = Computer::new(model).expect("a machine");
        assert_eq!(computer.rom(), Some(&rom));
        let run = computer.run(&program, engine, None).expect("an engine");
        let mut run = run.checked(&program, &[]);
        assert_eq!(run.finish(), wanted, "{context}, {engine:?}");
        assert_eq!(run.agreed(), Some(run.reader().tokens()));
        assert_eq!(run.reader().output(), once.reader().output());
        assert!(run.contexts() > least, "{context}: {}", run.contexts());

        // The last prompt, with the weights, is the program that goes on there.
        let again = read(&computer, run.prompt());
        let last = computer.resume(run.prompt(), &[], engine, None);
        let mut last = last.expect("an engine").checked(&again, &[]);
        assert_eq!(last.finish(), wanted, "{context}, {engine:?}");
        assert_eq!(last.agreed(), Some(last.reader().tokens()));
    }
}
