//! What can be wrong before a run begins.

use std::path::PathBuf;

/// An input that was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model is not one of this machine.
    #[error("the model has no token {0:?}: it is not a model of this machine")]
    MissingToken(String),
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
