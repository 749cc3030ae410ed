//! The errors of preparing a run: programs, models and saved runs that are refused.

use std::path::PathBuf;

use weightware_compiler::machine::Extension;
use weightware_isa::Op;

/// The reason why a program, a model or a saved run is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model lacks a token of the machine, so it is not a model of this machine.
    #[error("the model has no token {0:?}: it is not a model of this machine")]
    MissingToken(String),
    /// `config.json` does not state which instructions the model has.
    #[error(
        "config.json has no list `modules`, so it is unknown which instructions these weights execute correctly; write the folder again with `weightware weights --out DIR`"
    )]
    NoModules,
    /// `config.json` names a group of instructions that this version does not know.
    #[error("config.json: `modules`: {0}; use the version of weightware that wrote the folder")]
    UnknownModule(#[from] weightware_compiler::machine::UnknownExtension),
    /// A program has an instruction that the model lacks.
    #[error(
        "instruction {index}, `{op}`, needs the module `{}`, which the model lacks: its result would be wrong; write a model with it: `weightware weights --modules`", module.name()
    )]
    MissingModule {
        /// The instruction's index in the program.
        index: usize,
        /// The instruction.
        op: Op,
        /// A module that it needs and the model lacks.
        module: Extension,
    },
    /// The model has another program in its weights.
    #[error(
        "the model has another program in its weights, and runs no program from a prompt; leave out the program, or compile this one: `weightware compile FILE --out DIR`"
    )]
    OtherProgram,
    /// A file cannot be read.
    #[error("{}: {message}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The message of the operating system.
        message: String,
    },
    /// The C compiler failed.
    #[error("{}: {message}", path.display())]
    Compile {
        /// The first source file.
        path: PathBuf,
        /// The message of the compiler.
        message: String,
    },
    /// The compiler that `$CLANG` names cannot be started.
    #[error(
        "$CLANG is {}, which cannot be started: {message}; set it to a clang, or unset it", clang.display()
    )]
    WrongClang {
        /// The value of `$CLANG`.
        clang: PathBuf,
        /// The message of the operating system.
        message: String,
    },
    /// No C compiler for WebAssembly is installed.
    #[error(
        "{}: compiling C needs clang and wasm-ld, and for a C library wasi-libc (Debian: apt install clang lld wasi-libc libclang-rt-dev-wasm32), or $CLANG; or give a .wasm file",
        path.display()
    )]
    NoClang {
        /// The first source file.
        path: PathBuf,
    },
    /// The bytes are not a program in any known format.
    #[error(
        "this is neither a Wasm binary, nor Wasm text `(module ...)`, nor a token program `{{ i32.const ... }}`"
    )]
    NotAProgram,
    /// The text is a saved run in a format of another version.
    #[error(
        "this is a saved run of format {0}, and this version reads format 4; run the program again with --save FILE"
    )]
    OtherFormat(u32),
    /// A saved run belongs to another model than the computer's.
    #[error(
        "the run was saved with other weights than these, and would not go on as it began; use {machine} instead; if that model has grown since or is of another version, run the program again with --save FILE"
    )]
    OtherModel {
        /// The machine of the run, as given to [`RunWriter::new`](crate::RunWriter::new).
        machine: String,
    },
    /// The text is not a saved run.
    #[error(
        "this is not a saved run: it does not begin with `{}`, two numbers and a digest; --save FILE writes one",
        crate::SavedRun::MARK
    )]
    NotASavedRun,
    /// A saved run has no digest, or a digest of another text.
    #[error("{0}: it may not be a run of any program; run the program again with --save FILE")]
    Altered(&'static str),
    /// A saved run has fewer tokens than its prompt.
    #[error("the prompt should have {stated} tokens, the file has {found}")]
    ShortPrompt {
        /// The number of tokens that the first line states.
        stated: usize,
        /// The number of tokens in the file.
        found: usize,
    },
    /// The prompt of a saved run is not the prompt of a program.
    #[error(
        "the prompt is not that of a program: the preamble that begins every prompt is missing or different"
    )]
    NotAPrompt,
    /// A saved run has a token of the model that the machine does not know.
    #[error("`{0}` is not a token of the machine")]
    MeaninglessToken(String),
    /// The module is refused by the frontend.
    #[error(transparent)]
    Frontend(#[from] weightware_frontend::Error),
    /// The text of a token program cannot be parsed.
    #[error(transparent)]
    Program(#[from] weightware_isa::Error),
    /// The model folder cannot be loaded.
    #[error(transparent)]
    Model(#[from] weightware_model::Error),
    /// The runtime cannot decode the model with the engine.
    #[error(transparent)]
    Runtime(#[from] weightware_runtime::Error),
}
