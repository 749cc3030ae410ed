//! Library modules in freestanding C: sources, headers and manifests.
//!
//! A module is a folder of `library/`. Its manifest states what a program may import from it; its
//! header declares the same functions for C; its sources call nothing outside the module and have
//! no mutable static data, so that one copy serves every program.
//!
//! ```
//! use weightware_modules::{Module, Value};
//!
//! let sorting = Module::named("sorting").expect("a module");
//! let sort = sorting.function("sort_i32").expect("a function");
//! assert_eq!(sort.params, [Value::I32, Value::I32]);
//! assert!(sort.results.is_empty());
//! ```

#![forbid(unsafe_code)]

mod files;

use std::sync::OnceLock;

use serde::Deserialize;

pub use files::{File, SHARED};

/// A type of WebAssembly's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// 32-bit integers, and pointers.
    I32,
    /// 64-bit integers.
    I64,
    /// 32-bit floating point.
    F32,
    /// 64-bit floating point.
    F64,
}

/// A function that a program imports from a module.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Function {
    /// The name of the import; the C name has the module's name before it, `sorting_sort_i32`.
    pub name: String,
    /// The declaration in C, without a semicolon.
    pub signature: String,
    /// The types of the parameters.
    pub params: Vec<Value>,
    /// The types of the results: none or one.
    pub results: Vec<Value>,
    /// A description.
    pub doc: String,
    /// The arguments on which it traps, besides pointers outside the memory.
    #[serde(default)]
    pub traps: Option<String>,
}

/// A library module.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Module {
    /// The name, which is the import's module name.
    pub name: String,
    /// The version of its interface.
    pub version: String,
    /// The SPDX expression of its licence.
    pub licence: String,
    /// A sentence.
    pub summary: String,
    /// The address of the constant tables in the machine.
    pub address: u32,
    /// Bytes of constant tables.
    pub tables: u32,
    /// Bytes of stack that the deepest call takes, callbacks excluded.
    pub stack: u32,
    /// The functions, in the header's order.
    pub functions: Vec<Function>,
    /// The header, then the other files of its folder; sources end with `.c`.
    pub files: &'static [File],
    /// The sources, compiled to a WebAssembly module that exports the functions. `cargo xtask
    /// modules` writes it.
    pub wasm: &'static [u8],
}

/// A manifest, `module.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    name: String,
    version: String,
    licence: String,
    summary: String,
    memory: Memory,
    functions: Vec<Function>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    address: u32,
    tables: u32,
    stack: u32,
}

impl Module {
    /// All modules, in the order of their names.
    #[must_use]
    pub fn all() -> &'static [Self] {
        static MODULES: OnceLock<Vec<Module>> = OnceLock::new();
        MODULES.get_or_init(|| {
            let modules = files::LIBRARY.iter().map(|(manifest, files, wasm)| {
                let manifest =
                    toml::from_str(manifest).expect("a manifest of the library is valid");
                Self::new(manifest, files, wasm)
            });
            modules.collect()
        })
    }

    /// The module of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|module| module.name == name)
    }

    /// The function of a name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The sources, to be compiled together.
    pub fn sources(&self) -> impl Iterator<Item = &File> {
        let libc = self.libc();
        let sources = self.files.iter().filter(|file| file.path.ends_with(".c"));
        sources.filter(move |file| Some(*file) != libc)
    }

    /// A source that defines functions of the C library by imports of the module's, weakly:
    /// programs that are linked with it need no code of their own for them.
    #[must_use]
    pub fn libc(&self) -> Option<&File> {
        let mut files = self.files.iter();
        files.find(|file| file.path.ends_with("/libc.c"))
    }

    fn new(manifest: Manifest, files: &'static [File], wasm: &'static [u8]) -> Self {
        Self {
            name: manifest.name,
            version: manifest.version,
            licence: manifest.licence,
            summary: manifest.summary,
            address: manifest.memory.address,
            tables: manifest.memory.tables,
            stack: manifest.memory.stack,
            functions: manifest.functions,
            files,
            wasm,
        }
    }
}
