//! What can be wrong before a run begins.

use std::path::PathBuf;

use weightware_compiler::machine::Extension;
use weightware_isa::Op;

/// An input that was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model is not one of this machine.
    #[error("the model has no token {0:?}: it is not a model of this machine")]
    MissingToken(String),
    /// `config.json` does not say which instructions the model has.
    #[error(
        "config.json has no list `modules`, so nobody can tell which instructions these weights execute right; write the folder again with `weightware weights --out DIR`"
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
    /// The file cannot be read.
    #[error("{}: {message}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
    /// The C compiler failed.
    #[error("{}: {message}", path.display())]
    Compile {
        /// The file.
        path: PathBuf,
        /// What the compiler says.
        message: String,
    },
    /// `$CLANG` names no compiler.
    #[error(
        "$CLANG is {}, which cannot be started: {message}; set it to a clang, or unset it", clang.display()
    )]
    WrongClang {
        /// What it names.
        clang: PathBuf,
        /// What the system says.
        message: String,
    },
    /// There is no C compiler for WebAssembly.
    #[error(
        "{}: compiling C needs clang and wasm-ld, and for a C library wasi-libc (Debian: apt install clang lld wasi-libc libclang-rt-dev-wasm32), or $CLANG; or give a .wasm file",
        path.display()
    )]
    NoClang {
        /// The file.
        path: PathBuf,
    },
    /// The bytes are no program.
    #[error(
        "this is neither a Wasm binary, nor Wasm text `(module ...)`, nor a token program `{{ i32.const ... }}`"
    )]
    NotAProgram,
    /// The text is no saved run.
    #[error(
        "this is no saved run: it does not begin with `{}` and a number; --save FILE writes one",
        crate::SavedRun::MARK
    )]
    NotASavedRun,
    /// A saved run has no digest, or one of another text.
    #[error(
        "{0}: what it holds may be no run of any program; run the program again with --save FILE"
    )]
    Altered(&'static str),
    /// A saved run is shorter than its prompt.
    #[error("the prompt should have {stated} tokens, the file has {found}")]
    ShortPrompt {
        /// What the first line says.
        stated: usize,
        /// Tokens that follow it.
        found: usize,
    },
    /// The prompt of a saved run is that of no program.
    #[error(
        "the prompt is not that of a program: the tokens that stand before every program are missing or others"
    )]
    NotAPrompt,
    /// A saved run holds a token of the model that the machine does not know.
    #[error("`{0}` is no token of the machine")]
    MeaninglessToken(String),
    /// The module is refused.
    #[error(transparent)]
    Frontend(#[from] weightware_frontend::Error),
    /// The token program is refused.
    #[error(transparent)]
    Program(#[from] weightware_isa::Error),
    /// The model folder is refused.
    #[error(transparent)]
    Model(#[from] weightware_model::Error),
    /// The model cannot be decoded.
    #[error(transparent)]
    Runtime(#[from] weightware_runtime::Error),
}
