//! Drivers as WebAssembly modules, executed by the weights.

use std::sync::{Mutex, PoisonError};

use weightware::{Clang, Computer, Engine, Outcome, RunEnd, Source, Token};
use weightware_modules::Module;

/// Tokens in which a run must end.
const LIMIT: u64 = 400_000_000;

/// Bytes of the driver's own frames, and of its callbacks.
const DRIVER_STACK: u64 = 256;

/// Clang writes to one file for each process.
static COMPILER: Mutex<()> = Mutex::new(());

/// Compiles a program and a module with clang, freestanding. The stack is the manifest's, and has
/// the lowest addresses: a deeper one traps.
fn compile(module: &Module, program: &str) -> Source {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = [
        "-DWEIGHTWARE_LINK_STATIC",
        "-ffreestanding",
        "-fno-builtin",
        "-nostdlib",
        "-Wl,--no-entry",
    ];
    let mut clang = Clang::new(super::write(module, program, folder.path()))
        .with_stack(u64::from(module.stack) + DRIVER_STACK)
        .with_argument("-I")
        .with_argument(folder.path());
    for flag in flags {
        clang = clang.with_argument(flag);
    }
    let compiled = {
        let _alone = COMPILER.lock().unwrap_or_else(PoisonError::into_inner);
        clang.compile()
    };
    let compiled = compiled.unwrap_or_else(|error| panic!("{}: {error}", module.name));
    assert_eq!(compiled.messages, "", "{}", module.name);
    Source::parse(&compiled.module).expect("a module of the machine")
}

/// Decodes a program: its outcome, its output, and what `show` sees after each token.
fn decode(source: &Source, input: &[u8], mut show: impl FnMut(u64, Token)) -> (Outcome, Vec<u8>) {
    let computer = Computer::default();
    let program = source.program(input);
    let mut run = computer
        .run(&program, Engine::Plan, Some(LIMIT))
        .expect("the engine decodes the model");
    let mut tokens = 0;
    while run.steps(usize::MAX, |token, _| {
        tokens += 1;
        show(tokens, token);
    }) > 0
    {}
    let RunEnd::Outcome(outcome) = run.end() else {
        panic!("the run stopped: {:?}", run.end());
    };
    (outcome, run.reader().output().to_vec())
}

/// The output of a program that uses a module.
pub(crate) fn output(module: &Module, program: &str, input: &[u8]) -> Vec<u8> {
    let (outcome, output) = decode(&compile(module, program), input, |_, _| {});
    assert_eq!(outcome, Outcome::Halted, "{}", module.name);
    output
}

/// The replies of a module's driver.
pub(super) fn replies(module: &Module, requests: &[u8]) -> Vec<u8> {
    output(module, &super::source(module, ""), requests)
}

/// The outcome of a module's driver.
pub(super) fn outcome(module: &Module, requests: &[u8]) -> Outcome {
    decode(
        &compile(module, &super::source(module, "")),
        requests,
        |_, _| {},
    )
    .0
}

/// The numbers of the tokens that are marks. The requests must have no other replies with a mark's
/// byte.
pub(super) fn marks(module: &Module, requests: &[u8]) -> Vec<u64> {
    let mut marks = vec![];
    let source = compile(module, &super::source(module, ""));
    let (outcome, _) = decode(&source, requests, |number, token| {
        marks.extend((token == Token::Out(b'|')).then_some(number));
    });
    assert_eq!(outcome, Outcome::Halted, "{}", module.name);
    marks
}
