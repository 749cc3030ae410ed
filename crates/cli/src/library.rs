//! `library.json` of a model folder: the functions that a model has in its weights, and their
//! numbers. The code itself is read from the weights.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Error, anyhow, ensure};
use serde::{Deserialize, Serialize};
use weightware::{
    Computer, Instruction, Library, LibraryFunction, LibraryModule, LibraryProgram, ResultType, Rom,
};

use crate::failure::{Failure, Result};
use crate::grown::Grown;

pub(crate) const FILE: &str = "library.json";

#[derive(Serialize, Deserialize)]
struct Contents {
    modules: Vec<Module>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    programs: Vec<Grown>,
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
pub(crate) fn write(library: &Library, programs: &[Grown], folder: &Path) -> Result<()> {
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
        programs: programs.to_vec(),
    };
    let path = folder.join(FILE);
    let written = serde_json::to_string_pretty(&contents)
        .map_err(Error::new)
        .and_then(|text| Ok(fs::write(&path, text + "\n")?));
    written.map_err(|error| Failure::Failed(error.context(path.display().to_string())))
}

/// The modules and programs that a model has in its weights, by its folder.
pub(crate) fn read(folder: &Path, computer: &Computer) -> Result<(Library, Vec<Grown>)> {
    let Some(rom) = computer.rom().filter(|rom| !rom.library.is_empty()) else {
        return Ok((Library::default(), vec![]));
    };
    let path = folder.join(FILE);
    let read = || -> anyhow::Result<(Library, Vec<Grown>)> {
        let contents: Contents = serde_json::from_str(&fs::read_to_string(&path)?)?;
        let listed = contents.modules.len() + contents.programs.len();
        ensure!(
            listed == rom.library.len(),
            "it lists {listed} modules and programs, and the weights have {}",
            rom.library.len()
        );
        let modules = contents.modules.into_iter();
        let modules = modules.map(|module| of_weights(module, rom));
        let programs = contents.programs.iter().map(|grown| {
            grown.program.check()?;
            Ok(LibraryProgram {
                name: grown.name.clone(),
                first: grown.start,
                code: block(rom, grown.start, &grown.name)?,
            })
        });
        let library = Library {
            modules: modules.collect::<anyhow::Result<_>>()?,
            programs: programs.collect::<anyhow::Result<_>>()?,
        };
        Ok((library, contents.programs))
    };
    let read = read().with_context(|| {
        format!(
            "{}: it tells what the code in the weights is for; `weightware weights --rom LIST --out DIR` writes a model with it",
            path.display()
        )
    });
    read.map_err(Failure::Refused)
}

/// The code of the weights that begins at a number, for what has a name.
fn block(rom: &Rom, first: u32, name: &str) -> anyhow::Result<Arc<[Instruction]>> {
    let mut blocks = rom.library.iter();
    let block = blocks.find(|(number, _)| *number == first);
    let block = block.map(|(_, code)| Arc::clone(code));
    block.ok_or_else(|| anyhow!("the weights have no code at {first}, where `{name}` begins"))
}

/// A module with the code and the constants that the weights have of it.
fn of_weights(module: Module, rom: &Rom) -> anyhow::Result<LibraryModule> {
    let code = block(rom, module.first, &module.name)?;
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
    Ok(LibraryModule {
        name: module.name,
        first: module.first,
        memory: constants.collect::<anyhow::Result<_>>()?,
        functions: functions.collect::<anyhow::Result<_>>()?,
        code,
        needs_stack: module.needs_stack,
        calls_back: module.calls_back,
    })
}
