//! `library.json` of a model folder: the functions that a model has in its weights, and their
//! numbers. The code itself is read from the weights.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Error, anyhow, ensure};
use serde::{Deserialize, Serialize};
use weightware::{Computer, Library, LibraryFunction, LibraryModule, ResultType, Rom};

use crate::failure::{Failure, Result};

pub(crate) const FILE: &str = "library.json";

#[derive(Serialize, Deserialize)]
struct Contents {
    modules: Vec<Module>,
}

#[derive(Serialize, Deserialize)]
struct Module {
    name: String,
    /// The number of its first instruction.
    first: u32,
    needs_stack: bool,
    calls_back: bool,
    /// Where its constants are. The weights have the bytes.
    constants: Vec<Span>,
    functions: Vec<Function>,
}

/// Bytes of memory.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Span {
    address: u32,
    bytes: u32,
}

impl Span {
    /// The bytes that the weights have there.
    fn read(self, rom: &Rom) -> anyhow::Result<(u32, Vec<u8>)> {
        let end = u64::from(self.address) + u64::from(self.bytes);
        ensure!(
            end <= 1 << 24,
            "constants at {} end beyond 2^24",
            self.address
        );
        let mut bytes = vec![0; self.bytes as usize];
        for (first, run) in &rom.memory {
            for (at, byte) in (*first..).zip(run) {
                let place = at.checked_sub(self.address).map(|at| at as usize);
                if let Some(own) = place.and_then(|at| bytes.get_mut(at)) {
                    *own = *byte;
                }
            }
        }
        Ok((self.address, bytes))
    }
}

#[derive(Serialize, Deserialize)]
struct Function {
    name: String,
    params: Vec<Type>,
    results: Vec<Type>,
    /// The number of its first instruction.
    entry: u32,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    I32,
    I64,
    F32,
    F64,
}

impl From<ResultType> for Type {
    fn from(ty: ResultType) -> Self {
        match ty {
            ResultType::I32 => Self::I32,
            ResultType::I64 => Self::I64,
            ResultType::F32 => Self::F32,
            ResultType::F64 => Self::F64,
        }
    }
}

impl From<Type> for ResultType {
    fn from(ty: Type) -> Self {
        match ty {
            Type::I32 => Self::I32,
            Type::I64 => Self::I64,
            Type::F32 => Self::F32,
            Type::F64 => Self::F64,
        }
    }
}

/// Writes what a library has into the folder of its model.
pub(crate) fn write(library: &Library, folder: &Path) -> Result<()> {
    let modules = library.modules.iter().map(|module| Module {
        name: module.name.clone(),
        first: module.first,
        needs_stack: module.needs_stack,
        calls_back: module.calls_back,
        constants: module
            .memory
            .iter()
            .map(|(address, bytes)| Span {
                address: *address,
                bytes: bytes.len() as u32,
            })
            .collect(),
        functions: module
            .functions
            .iter()
            .map(|function| Function {
                name: function.name.clone(),
                params: function.params.iter().map(|&ty| ty.into()).collect(),
                results: function.results.iter().map(|&ty| ty.into()).collect(),
                entry: function.entry,
            })
            .collect(),
    });
    let contents = Contents {
        modules: modules.collect(),
    };
    let path = folder.join(FILE);
    let written = serde_json::to_string_pretty(&contents)
        .map_err(Error::new)
        .and_then(|text| Ok(fs::write(&path, text + "\n")?));
    written.map_err(|error| Failure::Failed(error.context(path.display().to_string())))
}

/// The library that a model has in its weights; `None` if it has none.
pub(crate) fn read(folder: &Path, computer: &Computer) -> Result<Option<Arc<Library>>> {
    let Some(rom) = computer.rom().filter(|rom| !rom.library.is_empty()) else {
        return Ok(None);
    };
    let path = folder.join(FILE);
    let read = || -> anyhow::Result<Library> {
        let contents: Contents = serde_json::from_str(&fs::read_to_string(&path)?)?;
        ensure!(
            contents.modules.len() == rom.library.len(),
            "it lists {} modules, and the weights have {}",
            contents.modules.len(),
            rom.library.len()
        );
        let mut library = Library::default();
        for module in contents.modules {
            let mut blocks = rom.library.iter();
            let block = blocks.find(|(first, _)| *first == module.first);
            let (_, code) = block.ok_or_else(|| {
                anyhow!(
                    "the weights have no code at {}, where `{}` begins",
                    module.first,
                    module.name
                )
            })?;
            let constants = module.constants.iter().map(|span| span.read(rom));
            let last = module.first as usize + code.len();
            let functions = module.functions.into_iter().map(|function| {
                let inside = (module.first as usize..last).contains(&(function.entry as usize));
                ensure!(
                    inside,
                    "`{}` is not in the code of its module",
                    function.name
                );
                Ok(LibraryFunction {
                    name: function.name,
                    params: function.params.into_iter().map(Into::into).collect(),
                    results: function.results.into_iter().map(Into::into).collect(),
                    entry: function.entry,
                })
            });
            library.modules.push(LibraryModule {
                name: module.name,
                first: module.first,
                code: Arc::clone(code),
                memory: constants.collect::<anyhow::Result<_>>()?,
                functions: functions.collect::<anyhow::Result<_>>()?,
                needs_stack: module.needs_stack,
                calls_back: module.calls_back,
            });
        }
        Ok(library)
    };
    let library = read().with_context(|| {
        format!(
            "{}: it tells what the code in the weights is for; `weightware weights --rom LIST --out DIR` writes a model with it",
            path.display()
        )
    });
    library
        .map(|library| Some(Arc::new(library)))
        .map_err(Failure::Refused)
}
