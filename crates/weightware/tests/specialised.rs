//! Programs in the weights: the same traces, by every engine.

use weightware::{Computer, Engine, Input, Source};
use weightware_compiler::machine::{Profile, Rom};
use weightware_compiler::rom_model;
use weightware_isa::Token;

const PROGRAMS: [(&str, &[u8], &[u8]); 4] = [
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
];

#[test]
fn traces_are_those_of_the_program_in_the_prompt() {
    for (name, module, input) in PROGRAMS {
        let source = Source::parse(module).expect("a module");
        let program = source.program(Input::from(&input.to_vec()));
        let interpreter = Profile::STOCK.interpreter(&program);
        let expected: Vec<Token> = interpreter
            .map(|token| token.expect("no fault"))
            .take(20_000)
            .collect();
        let inputs = usize::from(source.reads_input());
        let program = program.specialised(inputs);
        let model = rom_model(Profile::STOCK, Rom::of(&program)).expect("fits");
        println!(
            "{name}: {} instructions, {} neurons",
            program.code.len(),
            model
                .weights
                .layers
                .iter()
                .map(|l| l.neurons())
                .sum::<usize>()
        );
        let computer = Computer::new(model).expect("a machine");
        for engine in [Engine::Hull, Engine::Plan] {
            let mut run = computer
                .run(&program, engine, Some(20_000))
                .expect("an engine");
            let mut trace = vec![];
            while let Some((token, _)) = run.step() {
                trace.push(token);
            }
            let same = trace
                .iter()
                .zip(&expected)
                .take_while(|(a, b)| a == b)
                .count();
            assert_eq!(
                trace.len(),
                expected.len(),
                "{name} {engine:?} {same} {:?}",
                run.end()
            );
            assert!(same == expected.len(), "{name} {engine:?} at {same}");
            println!("{name} {engine:?} {} {:?}", trace.len(), run.stats());
        }
    }
}
