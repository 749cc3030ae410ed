//! From a file to a program.

use std::path::Path;
use std::process::Command;

use weightware_frontend::{Input, Lowered, Options};
use weightware_isa::Program;

use crate::Error;

/// Clang's flags for a program with a C library, which finds WASI here. The stack stands first: a
/// call that exceeds it traps. It is small, since the machine is exact for 152 KiB of memory.
const WASI_FLAGS: [&str; 4] = [
    "--target=wasm32-wasi",
    "-O2",
    "-Wl,--stack-first",
    "-Wl,-z,stack-size=16384",
];

/// Clang's flags for a freestanding module; a program declares its imports itself.
const FREESTANDING_FLAGS: [&str; 10] = [
    "--target=wasm32",
    "-O2",
    "-nostdlib",
    "-ffreestanding",
    "-fno-builtin",
    "-Wl,--no-entry",
    "-Wl,--export-if-defined=_start",
    "-Wl,--export-if-defined=__main_void",
    "-Wl,--export-if-defined=main",
    "-Wl,-z,stack-size=8192",
];

/// A program, before its input is known.
#[derive(Debug, Clone)]
pub enum Source {
    /// A token program: has no input.
    Tokens(Program),
    /// A lowered Wasm module.
    Wasm(Box<Lowered>),
}

impl Source {
    /// Reads a program: a Wasm binary, Wasm text (`(module ...`) or a token program (`{ i32.const
    /// 03 ... }`).
    ///
    /// # Errors
    /// If it is none of these, or not supported; says where.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_with(bytes, &Options::default())
    }

    /// The same; options say how a module is lowered.
    ///
    /// # Errors
    /// As [`Source::parse`].
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

    /// Reads a program from a file; a file that ends in `.c` is compiled with clang first, if it is
    /// installed.
    ///
    /// # Errors
    /// If the file cannot be read or compiled, or as [`Source::parse`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::read_with(path, &Options::default())
    }

    /// The same; options say how a module is lowered.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn read_with(path: &Path, options: &Options) -> Result<Self, Error> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| Error::Read {
                path: path.to_owned(),
                message: error.to_string(),
            })
        };
        if path.extension().is_some_and(|extension| extension == "c") {
            read(path)?;
            return Self::parse_with(&compile_c(path)?, options);
        }
        Self::parse_with(&read(path)?, options)
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

    /// Whether the program looks at arguments or environment.
    #[must_use]
    pub fn reads_arguments(&self) -> bool {
        match self {
            Self::Tokens(_) => false,
            Self::Wasm(lowered) => lowered.reads_arguments,
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

/// Compiles a C file to Wasm with the first of `$CLANG`, clang, clang-16 to clang-21 that there is:
/// for WASI if it has a C library for that, else freestanding.
///
/// # Errors
/// If no clang is installed, or it fails: its messages are part of the error.
pub fn compile_c(path: &Path) -> Result<Vec<u8>, Error> {
    let named = std::env::var("CLANG").ok();
    let versions = (16..=21).rev().map(|version| format!("clang-{version}"));
    let candidates = named
        .into_iter()
        .chain(["clang".to_owned()])
        .chain(versions);
    let out = std::env::temp_dir().join(format!("weightware-{}.wasm", std::process::id()));
    let mut problem = None;
    for clang in candidates {
        let library = has_library(&clang);
        let flags = match library {
            true => WASI_FLAGS.as_slice(),
            false => FREESTANDING_FLAGS.as_slice(),
        };
        let mut command = Command::new(&clang);
        command.args(flags).arg("-o").arg(&out).arg(path);
        let Ok(done) = command.output() else { continue };
        if done.status.success() {
            let bytes = std::fs::read(&out);
            let _ = std::fs::remove_file(&out);
            return bytes.map_err(|error| Error::Read {
                path: out,
                message: error.to_string(),
            });
        }
        let said = String::from_utf8_lossy(&done.stderr);
        let hint = match library {
            true => "",
            false => {
                "\nthere is no C library for WASI here (Debian: apt install wasi-libc libclang-rt-dev-wasm32, or libclang-rt-14-dev-wasm32 for clang 14)"
            }
        };
        problem.get_or_insert(format!("{clang}: {}{hint}", said.trim_end()));
    }
    Err(match problem {
        Some(message) => Error::Compile {
            path: path.to_owned(),
            message,
        },
        None => Error::NoClang {
            path: path.to_owned(),
        },
    })
}

/// Whether that clang finds a C library for WASI: if not, it answers with the bare name.
fn has_library(clang: &str) -> bool {
    let asked = Command::new(clang)
        .args(["--target=wasm32-wasi", "-print-file-name=crt1.o"])
        .output();
    asked.is_ok_and(|answer| {
        let answer = String::from_utf8_lossy(&answer.stdout);
        Path::new(answer.trim()).is_absolute()
    })
}
