//! Drivers as WebAssembly modules, executed by the weights.

use std::sync::{Mutex, PoisonError};

use weightware::{Clang, Computer, Engine, Outcome, RunEnd, Source};
use weightware_modules::Module;

/// Tokens in which a run must end.
const LIMIT: u64 = 400_000_000;

/// Bytes of the driver's own frames, and of its callbacks.
const DRIVER_STACK: u64 = 256;

/// Clang writes to one file for each process.
static COMPILER: Mutex<()> = Mutex::new(());

/// Compiles a module's driver with clang, freestanding, and decodes it. The stack is the manifest's,
/// and has the lowest addresses: a deeper one traps.
pub(super) fn replies(module: &Module, requests: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = [
        "-DWEIGHTWARE_LINK_STATIC",
        "-ffreestanding",
        "-fno-builtin",
        "-nostdlib",
        "-Wl,--no-entry",
    ];
    let mut clang = Clang::new(super::write(module, "", folder.path()))
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
    let source = Source::parse(&compiled.module).expect("a module of the machine");
    let computer = Computer::default();
    let program = source.program(requests);
    let mut run = computer
        .run(&program, Engine::Plan, Some(LIMIT))
        .expect("the engine decodes the model");
    let end = run.finish();
    assert_eq!(end, RunEnd::Outcome(Outcome::Halted), "{}", module.name);
    run.reader().output().to_vec()
}
