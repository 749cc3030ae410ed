//! Programs from files and bytes: format detection, compilation of C, lowering of WebAssembly.

use std::path::Path;

use weightware_frontend::{Input, Lowered, Options};
use weightware_isa::Program;

use crate::{Clang, Error};

/// A program without its input.
#[derive(Debug, Clone)]
pub enum Source {
    /// A token program, which reads no input.
    Tokens(Program),
    /// A lowered Wasm module.
    Wasm(Box<Lowered>),
}

impl Source {
    /// Parses a program: a Wasm binary, Wasm text (`(module ...`) or a token program (`{ i32.const
    /// 03 ... }`).
    ///
    /// # Errors
    /// If the bytes are none of these, or the program is not supported.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_with(bytes, &Options::default())
    }

    /// Parses a program, with options for the lowering of a module.
    ///
    /// # Errors
    /// The errors of [`Source::parse`].
    pub fn parse_with(bytes: &[u8], options: &Options) -> Result<Self, Error> {
        let lower = || {
            let lowered = weightware_frontend::lower(bytes, options)?;
            Ok(Self::Wasm(Box::new(lowered)))
        };
        if bytes.starts_with(b"\0asm") {
            return lower();
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Error::NotAProgram)?;
        // Comments: `;;` and `(;` in Wasm text, `#` and `;` in token programs.
        let first = text
            .lines()
            .map(str::trim_start)
            .find(|line| !line.is_empty() && !line.starts_with([';', '#']));
        match first.and_then(|line| line.chars().next()) {
            Some('(') => lower(),
            Some('{' | '<') => Ok(Self::Tokens(text.parse()?)),
            _ => Err(Error::NotAProgram),
        }
    }

    /// Reads a program from a file. [`Clang`] compiles C and C++ first.
    ///
    /// # Errors
    /// If the file cannot be read or compiled, and the errors of [`Source::parse`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::read_with(path, &Options::default())
    }

    /// Reads a program from a file, with options for the lowering of a module.
    ///
    /// # Errors
    /// The errors of [`Source::read`].
    pub fn read_with(path: &Path, options: &Options) -> Result<Self, Error> {
        let bytes = match Clang::compiles(path) {
            true => Clang::new([path]).compile()?.module,
            false => std::fs::read(path).map_err(|error| Error::Read {
                path: path.to_owned(),
                message: error.to_string(),
            })?,
        };
        Self::parse_with(&bytes, &options.clone().with_file(path))
    }

    /// Whether the program reads input, arguments or environment.
    #[must_use]
    pub fn reads_input(&self) -> bool {
        match self {
            Self::Tokens(_) => false,
            Self::Wasm(lowered) => lowered.reads_input,
        }
    }

    /// Whether the program reads bytes of input.
    #[must_use]
    pub fn reads_bytes(&self) -> bool {
        match self {
            Self::Tokens(_) => false,
            Self::Wasm(lowered) => lowered.reads_bytes,
        }
    }

    /// Whether the program reads arguments or environment.
    #[must_use]
    pub fn reads_arguments(&self) -> bool {
        match self {
            Self::Tokens(_) => false,
            Self::Wasm(lowered) => lowered.reads_arguments,
        }
    }

    /// The lowered module; `None` for a token program.
    #[must_use]
    pub fn lowered(&self) -> Option<&Lowered> {
        match self {
            Self::Tokens(_) => None,
            Self::Wasm(lowered) => Some(lowered),
        }
    }

    /// The program with its input: bytes, or an [`Input`].
    #[must_use]
    pub fn program(&self, input: impl Into<Input>) -> Program {
        match self {
            Self::Tokens(program) => program.clone(),
            Self::Wasm(lowered) => lowered.with_input(input),
        }
    }
}
