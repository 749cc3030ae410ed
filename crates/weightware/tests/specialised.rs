//! Programs in the weights: the same traces, by every engine.

use weightware::{Computer, Engine, Input, Profile, Rom, Source, Token, rom_model};

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
