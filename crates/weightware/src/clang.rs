//! Compilation of C and C++ to WebAssembly by an installed clang.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// Flags for a program with a C library for WASI. The stack has the lowest addresses, so a stack
/// overflow traps instead of overwriting data.
const WASI_FLAGS: [&str; 4] = ["--target=wasm32-wasi", "-O2", "-g", "-Wl,--stack-first"];

/// Flags for a freestanding module, whose sources declare its imports.
const FREESTANDING_FLAGS: [&str; 11] = [
    "--target=wasm32",
    "-O2",
    "-g",
    "-nostdlib",
    "-ffreestanding",
    "-fno-builtin",
    "-Wl,--stack-first",
    "-Wl,--no-entry",
    "-Wl,--export-if-defined=_start",
    "-Wl,--export-if-defined=__main_void",
    "-Wl,--export-if-defined=main",
];

/// Flags for an object with functions that are linked instead of the C library's.
const OBJECT_FLAGS: [&str; 4] = ["--target=wasm32-wasi", "-O2", "-w", "-c"];

/// Flags for a library module, which exports its functions.
const LIBRARY_FLAGS: [&str; 9] = [
    "--target=wasm32",
    "-O2",
    "-nostdlib",
    "-ffreestanding",
    "-fno-builtin",
    "-DWEIGHTWARE_EXPORT",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    // Variables end there, which have no data.
    "-Wl,--export=__data_end",
];

/// File name extensions of C, of C++, and of other inputs of the linker.
const C: [&str; 1] = ["c"];
const CPP: [&str; 4] = ["cpp", "cc", "cxx", "C"];
const OBJECTS: [&str; 2] = ["o", "a"];

/// A compilation of C or C++ sources to a WebAssembly module.
///
/// The compiler is `$CLANG`, or else the first of clang and clang-21 to clang-16 that succeeds. It
/// compiles for WASI if it has a C library for WASI, else freestanding.
///
/// ```no_run
/// use weightware::Clang;
///
/// let clang = Clang::new(["main.c", "list.c"]).with_argument("-DN=9").with_stack(1 << 20);
/// let module = clang.compile()?.module;
/// assert!(module.starts_with(b"\0asm"));
/// # Ok::<(), weightware::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Clang {
    sources: Vec<PathBuf>,
    arguments: Vec<OsString>,
    stack: u64,
    /// The address of the constants of a library module.
    library: Option<u32>,
    /// C sources with functions that are linked instead of the C library's.
    instead: Vec<PathBuf>,
}

/// The module that clang made of the sources, with its warnings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compilation {
    /// The binary of the WebAssembly module.
    pub module: Vec<u8>,
    /// The warnings of the compiler.
    pub messages: String,
}

impl Clang {
    /// The default size of the stack in bytes, which is also wasm-ld's.
    pub const STACK: u64 = 64 << 10;

    /// A compilation of source files, together with objects and archives. It reads no file and runs
    /// no compiler yet; the stack has [`Clang::STACK`] bytes.
    pub fn new(sources: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self {
            sources: sources.into_iter().map(Into::into).collect(),
            arguments: Vec::new(),
            stack: Self::STACK,
            library: None,
            instead: Vec::new(),
        }
    }

    /// Whether a file's name has an extension of C or C++.
    #[must_use]
    pub fn compiles(path: &Path) -> bool {
        has_extension(path, &C) || has_extension(path, &CPP)
    }

    /// Whether a file's name has an extension of an input of the compilation: C, C++, objects,
    /// archives.
    #[must_use]
    pub fn takes(path: &Path) -> bool {
        Self::compiles(path) || has_extension(path, &OBJECTS)
    }

    /// Adds an argument of clang, after the default ones.
    #[must_use]
    pub fn with_argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets the size of the stack in bytes, rounded up to the linker's alignment, 16.
    #[must_use]
    pub fn with_stack(mut self, bytes: u64) -> Self {
        self.stack = bytes.div_ceil(16).saturating_mul(16);
        self
    }

    /// Compiles a library module, whose constants lie from an address on.
    #[must_use]
    pub fn as_library(mut self, address: u32) -> Self {
        self.library = Some(address);
        self
    }

    /// Adds a C source with functions that are linked instead of the C library's, if there is one.
    /// It is compiled by itself, without the arguments. Weak definitions give way to those of the
    /// other sources.
    #[must_use]
    pub fn instead_of_library(mut self, source: impl Into<PathBuf>) -> Self {
        self.instead.push(source.into());
        self
    }

    /// Compiles and links the sources.
    ///
    /// # Errors
    /// If a source cannot be read, no clang is installed, `$CLANG` cannot be started, or the
    /// compiler fails. Its messages are then part of the error.
    pub fn compile(&self) -> Result<Compilation, Error> {
        let first = self.sources.first().cloned().unwrap_or_default();
        for path in &self.sources {
            std::fs::metadata(path).map_err(|error| Error::Read {
                path: path.clone(),
                message: error.to_string(),
            })?;
        }
        let named = std::env::var_os("CLANG").filter(|named| !named.is_empty());
        if let Some(named) = named {
            let done = self.run(&named).map_err(|error| Error::WrongClang {
                clang: PathBuf::from(&named),
                message: error.to_string(),
            })?;
            return done.map_err(|message| Error::Compile {
                path: first,
                message,
            });
        }
        let versions = (16..=21).rev().map(|version| format!("clang-{version}"));
        let mut problem = None;
        for clang in std::iter::once("clang".to_owned()).chain(versions) {
            match self.run(OsStr::new(&clang)) {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(message)) => {
                    problem.get_or_insert(message);
                }
                Err(_) => {}
            }
        }
        Err(match problem {
            Some(message) => Error::Compile {
                path: first,
                message,
            },
            None => Error::NoClang { path: first },
        })
    }

    /// Runs a compiler and returns the module, or its messages if it fails. The outer error: it
    /// cannot be started.
    fn run(&self, clang: &OsStr) -> io::Result<Result<Compilation, String>> {
        let library = has_library(clang)?;
        let cpp = self.sources.iter().any(|path| has_extension(path, &CPP));
        let prefix = format!("weightware-{}", std::process::id());
        let out = std::env::temp_dir().join(format!("{prefix}.wasm"));
        let mut objects = Vec::new();
        for (number, source) in (0..).zip(&self.instead) {
            if !library || self.library.is_some() {
                break;
            }
            let object = std::env::temp_dir().join(format!("{prefix}-{number}.o"));
            let mut command = Command::new(clang);
            command
                .args(OBJECT_FLAGS)
                .arg(source)
                .arg("-o")
                .arg(&object);
            let done = command.output()?;
            if !done.status.success() {
                let said = String::from_utf8_lossy(&done.stderr);
                return Ok(Err(format!(
                    "{}: {}",
                    clang.to_string_lossy(),
                    said.trim_end()
                )));
            }
            objects.push(object);
        }
        let mut command = Command::new(clang);
        match (self.library, library) {
            (Some(address), _) => command
                .args(LIBRARY_FLAGS)
                .arg(format!("-Wl,--global-base={address}")),
            (None, true) => command.args(WASI_FLAGS),
            (None, false) => command.args(FREESTANDING_FLAGS),
        };
        if cpp {
            // C++'s library for WASI has no exceptions.
            command.args(["--driver-mode=g++", "-fno-exceptions"]);
        }
        command
            .arg(format!("-Wl,-z,stack-size={}", self.stack))
            .args(&self.sources)
            .args(&self.arguments)
            .args(&objects)
            .arg("-o")
            .arg(&out);
        let done = command.output()?;
        for object in objects {
            let _ = std::fs::remove_file(object);
        }
        let said = String::from_utf8_lossy(&done.stderr).trim_end().to_owned();
        if done.status.success() {
            let module = std::fs::read(&out);
            let _ = std::fs::remove_file(&out);
            let missing = format!(
                "{}: it ended without an error and wrote no module: an argument is wrong, or it is no clang",
                clang.to_string_lossy()
            );
            return Ok(module.map_err(|_| missing).map(|module| Compilation {
                module,
                messages: said,
            }));
        }
        let hint = match (library, cpp) {
            (false, _) => {
                "\nthere is no C library for WASI here (Debian: apt install wasi-libc libclang-rt-dev-wasm32, or libclang-rt-14-dev-wasm32 for clang 14)"
            }
            (true, true) => {
                "\nC++ needs its library for WASI (Debian: apt install libc++-dev-wasm32 libc++abi-dev-wasm32)"
            }
            (true, false) => missing_feature(&said),
        };
        Ok(Err(format!("{}: {said}{hint}", clang.to_string_lossy())))
    }
}

/// A hint about a missing feature that the messages of a compiler mention.
fn missing_feature(said: &str) -> &'static str {
    let mentions = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if mentions(&["setjmp", "longjmp"]) {
        "\nsetjmp and longjmp need exceptions, which WebAssembly 1.0 does not have: return errors instead"
    } else if mentions(&["pthread", "threads"]) {
        "\nthere are no threads: one trace is one thread"
    } else if mentions(&["/usr/include/", "file not found"]) && mentions(&["error: '"]) {
        "\na header that is not found, or is found in /usr/include, is not part of WASI's library: leave out the code that needs it"
    } else {
        ""
    }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| extensions.contains(&extension))
}

/// Whether a clang finds a C library for WASI. Otherwise it prints the bare name of the file.
fn has_library(clang: &OsStr) -> io::Result<bool> {
    let answer = Command::new(clang)
        .args(["--target=wasm32-wasi", "-print-file-name=crt1.o"])
        .output()?;
    let answer = String::from_utf8_lossy(&answer.stdout);
    Ok(Path::new(answer.trim()).is_absolute())
}
