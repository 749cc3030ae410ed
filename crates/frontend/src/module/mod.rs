//! A validated WebAssembly module, decoded into the parts that the lowering needs.

mod custom_sections;
mod parse;
mod section_counts;
mod unsupported;

pub(crate) mod host_imports;
pub(crate) mod operator_name;
pub(crate) mod reachability;

pub use custom_sections::custom_sections;
pub(crate) use parse::component;

use std::collections::HashMap;

use wasmparser::{ExternalKind, FuncType, FunctionBody, ValType};

use crate::error::printable;
use crate::width::Bits;

/// Bytes of a WebAssembly page.
pub(crate) const PAGE: u32 = 1 << 16;

/// The value of an imported global: module, name, value.
pub(crate) type ImportedGlobal = (String, String, Bits);

/// A validated module.
#[derive(Debug)]
pub(crate) struct Module<'a> {
    pub(crate) types: Vec<FuncType>,
    pub(crate) imports: Vec<Import<'a>>,
    /// Type indices of all functions, the imported ones first.
    pub(crate) functions: Vec<u32>,
    pub(crate) bodies: Vec<FunctionBody<'a>>,
    /// Imported globals first.
    pub(crate) globals: Vec<Global>,
    pub(crate) memory: Option<Memory>,
    /// Elements of the tables.
    pub(crate) tables: Vec<Table>,
    pub(crate) data: Vec<DataSegment<'a>>,
    pub(crate) exports: Vec<(&'a str, ExternalKind, u32)>,
    pub(crate) start: Option<u32>,
    names: HashMap<u32, &'a str>,
    /// The names of globals.
    pub(crate) global_names: HashMap<u32, &'a str>,
}

/// An imported function.
#[derive(Debug)]
pub(crate) struct Import<'a> {
    pub(crate) module: &'a str,
    pub(crate) name: &'a str,
}

/// A global.
#[derive(Debug)]
pub(crate) struct Global {
    pub(crate) ty: ValType,
    pub(crate) mutable: bool,
    /// The initial value, if it is a number.
    pub(crate) value: Option<Bits>,
}

/// A memory, in pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) initial: u32,
    pub(crate) maximum: Option<u64>,
}

/// The elements of a table once the module is instantiated.
pub(crate) type Table = Vec<Option<u32>>;

/// A data segment.
#[derive(Debug)]
pub(crate) struct DataSegment<'a> {
    /// The address of an active segment. `None` for a passive one.
    pub(crate) address: Option<u32>,
    pub(crate) bytes: &'a [u8],
}

/// The names of the modules that a WebAssembly module, binary or text, imports functions from; none
/// if it is not valid.
#[must_use]
pub fn imported_modules(bytes: &[u8]) -> Vec<String> {
    let Ok(binary) = wat::parse_bytes(bytes) else {
        return vec![];
    };
    let Ok(module) = Module::parse(&binary, &[]) else {
        return vec![];
    };
    let mut names: Vec<String> = vec![];
    for import in module.imports {
        if !names.iter().any(|name| name == import.module) {
            names.push(import.module.to_owned());
        }
    }
    names
}

impl<'a> Module<'a> {
    /// The name of a function: from the name section, its import, an export, or its index.
    pub(crate) fn name_of(&self, function: u32) -> String {
        if let Some(name) = self.names.get(&function) {
            return printable(name);
        }
        if let Some(import) = self.imports.get(function as usize) {
            return printable(&format!("{}.{}", import.module, import.name));
        }
        let mut exports = self.exports.iter();
        let export =
            exports.find(|&&(_, kind, index)| kind == ExternalKind::Func && index == function);
        export.map_or_else(|| format!("#{function}"), |(name, ..)| printable(name))
    }

    /// The function that is exported under a name.
    pub(crate) fn exported_function(&self, name: &str) -> Option<u32> {
        let mut exports = self.exports.iter();
        let found =
            exports.find(|&&(export, kind, _)| kind == ExternalKind::Func && export == name);
        found.map(|&(.., index)| index)
    }

    pub(crate) fn type_of(&self, function: u32) -> &FuncType {
        &self.types[self.functions[function as usize] as usize]
    }

    /// The body of a function, if it is not imported.
    pub(crate) fn body(&self, function: u32) -> Option<&FunctionBody<'a>> {
        let own = (function as usize).checked_sub(self.imports.len())?;
        self.bodies.get(own)
    }
}
