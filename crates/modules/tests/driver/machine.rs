//! Drivers as WebAssembly modules, executed by the weights.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use weightware::{
    BailoutReason, Clang, Computer, Engine, Library, Options, Outcome, Profile, RunEnd, Source,
    Token, rom_model,
};
use weightware_modules::Module;

use super::Target;

/// Tokens in which a run must end.
const LIMIT: u64 = 400_000_000;

/// Bytes of the driver's own frames, and of its callbacks.
const DRIVER_STACK: u64 = 256;

/// Clang writes to one file for each process.
static COMPILER: Mutex<()> = Mutex::new(());

/// Compiles a program with clang, freestanding: with a module's sources, or with imports of its
/// functions. The stack is the manifest's, and has the lowest addresses: a deeper one traps.
fn compile(module: &Module, program: &str, target: Target) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = super::write(module, program, folder.path());
    if target == Target::Imported {
        sources.truncate(1);
    }
    let flags = [
        "-ffreestanding",
        "-fno-builtin",
        "-nostdlib",
        "-Wl,--no-entry",
    ];
    let link = (target == Target::Machine).then_some("-DWEIGHTWARE_LINK_STATIC");
    let mut clang = Clang::new(sources)
        .with_stack(u64::from(module.stack) + DRIVER_STACK)
        .with_argument("-I")
        .with_argument(folder.path());
    for flag in flags.into_iter().chain(link) {
        clang = clang.with_argument(flag);
    }
    let compiled = {
        let _alone = COMPILER.lock().unwrap_or_else(PoisonError::into_inner);
        clang.compile()
    };
    let compiled = compiled.unwrap_or_else(|error| panic!("{}: {error}", module.name));
    assert_eq!(compiled.messages, "", "{}", module.name);
    compiled.module
}

/// A model with a module in its weights, and what programs are lowered with for it.
struct WithLibrary {
    library: Arc<Library>,
    computer: Computer,
}

impl WithLibrary {
    fn new(module: &Module) -> Self {
        let mut library = Library::default();
        library.add_software().expect("it fits");
        let added = library.add(&module.name, module.wasm);
        added.unwrap_or_else(|error| panic!("{}: {error}", module.name));
        let model = rom_model(Profile::default(), library.resident().into());
        let model = model.expect("it has room for a library");
        Self {
            library: Arc::new(library),
            computer: Computer::new(model).expect("the compiled model has every token"),
        }
    }

    /// The model of a module. It is made once.
    fn of(module: &Module) -> Arc<Self> {
        static MADE: Mutex<BTreeMap<String, Arc<WithLibrary>>> = Mutex::new(BTreeMap::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let with_library = made.entry(module.name.clone());
        Arc::clone(with_library.or_insert_with(|| Arc::new(Self::new(module))))
    }
}

/// A program that calls a module's functions, and the model that runs it.
pub(crate) struct Driver {
    name: String,
    source: Source,
    /// The model with the functions; `None` if the program has them.
    with_library: Option<Arc<WithLibrary>>,
}

impl Driver {
    pub(crate) fn new(module: &Module, program: &str, target: Target) -> Self {
        let wasm = compile(module, program, target);
        let with_library = (target == Target::Imported).then(|| WithLibrary::of(module));
        let mut options = Options::default();
        if let Some(with_library) = &with_library {
            options = options.with_library(Arc::clone(&with_library.library));
        }
        let source = Source::parse_with(&wasm, &options);
        Self {
            name: module.name.clone(),
            source: source.unwrap_or_else(|error| panic!("{}: {error}", module.name)),
            with_library,
        }
    }

    /// Decodes the program: its outcome, its output, and what `show` sees after each token.
    fn decode(&self, input: &[u8], mut show: impl FnMut(u64, Token)) -> (Outcome, Vec<u8>) {
        static WITHOUT: LazyLock<Computer> = LazyLock::new(Computer::default);
        let computer = self
            .with_library
            .as_ref()
            .map_or(&*WITHOUT, |s| &s.computer);
        let program = self.source.program(input);
        let program = computer.place(program, 1).expect("any program");
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
            panic!("{}: the run stopped: {:?}", self.name, run.end());
        };
        // Plans hold, though constants of the weights lie far from the memory. They learn once that
        // the weights have code.
        let bailouts = run.stats().bailouts;
        let learnt = bailouts.count(BailoutReason::Tables);
        assert!(
            learnt <= 1 && bailouts.total() == learnt,
            "{}: {bailouts}",
            self.name
        );
        (outcome, run.reader().output().to_vec())
    }

    /// The outcome of the program.
    pub(crate) fn outcome(&self, input: &[u8]) -> Outcome {
        self.decode(input, |_, _| {}).0
    }

    /// The output of the program, which must halt.
    pub(crate) fn output(&self, input: &[u8]) -> Vec<u8> {
        let (outcome, output) = self.decode(input, |_, _| {});
        assert_eq!(outcome, Outcome::Halted, "{}", self.name);
        output
    }

    /// The numbers of the tokens that are marks. The requests must have no other replies with a
    /// mark's byte.
    pub(crate) fn marks(&self, requests: &[u8]) -> Vec<u64> {
        let mut marks = vec![];
        let (outcome, _) = self.decode(requests, |number, token| {
            marks.extend((token == Token::Out(b'|')).then_some(number));
        });
        assert_eq!(outcome, Outcome::Halted, "{}", self.name);
        marks
    }
}
