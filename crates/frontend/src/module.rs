//! A validated module, decoded as far as lowering needs it.

use std::collections::HashMap;

use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FuncType,
    FunctionBody, KnownCustom, MemoryType, Name, Operator, Parser, Payload, TypeRef, ValType,
    Validator, WasmFeatures,
};

use crate::error::{Error, printable};

/// Bytes of a WebAssembly page.
pub(crate) const PAGE: u32 = 1 << 16;

/// What unused parts of a module may use. What is reachable and not supported is refused at its place by the lowering.
const FEATURES: WasmFeatures = WasmFeatures::WASM2.union(WasmFeatures::TAIL_CALL);

/// A validated module.
#[derive(Debug)]
pub(crate) struct Module<'a> {
    pub(crate) types: Vec<FuncType>,
    pub(crate) imports: Vec<Import<'a>>,
    /// Type indices of all functions, the imported ones first.
    pub(crate) functions: Vec<u32>,
    pub(crate) bodies: Vec<FunctionBody<'a>>,
    pub(crate) globals: Vec<Global>,
    /// Pages of the memory.
    pub(crate) memory: Option<u32>,
    pub(crate) data: Vec<Data<'a>>,
    pub(crate) exports: Vec<(&'a str, ExternalKind, u32)>,
    pub(crate) start: Option<u32>,
    names: HashMap<u32, &'a str>,
}

/// An imported function.
#[derive(Debug)]
pub(crate) struct Import<'a> {
    pub(crate) module: &'a str,
    pub(crate) name: &'a str,
}

/// A global of the module's own.
#[derive(Debug)]
pub(crate) struct Global {
    pub(crate) ty: ValType,
    /// Its first value, if it is an `i32`.
    pub(crate) value: Option<u32>,
}

/// An active data segment.
#[derive(Debug)]
pub(crate) struct Data<'a> {
    pub(crate) address: u32,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Module<'a> {
    /// Validates and decodes a binary.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if let Some(found) = bytes.get(4..8).filter(|&version| version != [1, 0, 0, 0]) {
            let kind = if found[2] == 1 {
                "a component"
            } else {
                "of an unknown version"
            };
            return Err(Error::invalid(format!("the binary is {kind}"))
                .remedy("give a core module of version 1")
                .at_offset(4));
        }
        Validator::new_with_features(FEATURES)
            .validate_all(bytes)
            .map_err(|error| {
                let message = error.message().to_owned();
                let remedy = message.contains("not enabled").then_some(
                    "compile for WebAssembly 2.0 or less: clang --target=wasm32 -mcpu=mvp",
                );
                let error = Error::from(error);
                match remedy {
                    Some(remedy) => error.remedy(remedy),
                    None => error,
                }
            })?;
        let mut module = Self {
            types: Vec::new(),
            imports: Vec::new(),
            functions: Vec::new(),
            bodies: Vec::new(),
            globals: Vec::new(),
            memory: None,
            data: Vec::new(),
            exports: Vec::new(),
            start: None,
            names: HashMap::new(),
        };
        let mut tables = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        for ty in group?.types() {
                            match &ty.composite_type.inner {
                                CompositeInnerType::Func(ty) => module.types.push(ty.clone()),
                                _ => {
                                    return Err(Error::unsupported(
                                        "a type is not a function type",
                                    ));
                                }
                            }
                        }
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports_with_offsets() {
                        let (offset, import) = import?;
                        module.import(offset, &import)?;
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        module.functions.push(ty?);
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        tables.push(table?.ty.initial);
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section.into_iter_with_offsets() {
                        let (offset, memory) = memory?;
                        module.memory = Some(pages(memory, offset)?);
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        let global = global?;
                        let ty = global.ty.content_type;
                        let value = match ty {
                            ValType::I32 => constant(&global.init_expr),
                            _ => None,
                        };
                        module.globals.push(Global { ty, value });
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        module
                            .exports
                            .push((export.name, export.kind, export.index));
                    }
                }
                Payload::StartSection { func, .. } => module.start = Some(func),
                Payload::ElementSection(section) => {
                    for element in section {
                        check_element(element?, &tables)?;
                    }
                }
                Payload::DataSection(section) => {
                    for data in section {
                        module.segment(data?)?;
                    }
                }
                Payload::CodeSectionEntry(body) => module.bodies.push(body),
                Payload::CustomSection(custom) => {
                    if let KnownCustom::Name(names) = custom.as_known() {
                        module.read_names(names);
                    }
                }
                _ => {}
            }
        }
        Ok(module)
    }

    fn import(&mut self, offset: u64, import: &wasmparser::Import<'a>) -> Result<(), Error> {
        let kind = match import.ty {
            TypeRef::Func(ty) => {
                self.functions.push(ty);
                let (module, name) = (import.module, import.name);
                self.imports.push(Import { module, name });
                return Ok(());
            }
            TypeRef::Global(_) => "global",
            TypeRef::Memory(_) => "memory",
            TypeRef::Table(_) => "table",
            _ => "item",
        };
        let path = printable(&format!("{}.{}", import.module, import.name));
        Err(
            Error::unsupported(format!("the imported {kind} `{path}` is not supported"))
                .remedy(format!(
                    "define the {kind} in the module: link without --import-{kind}"
                ))
                .at_offset(offset),
        )
    }

    fn segment(&mut self, data: wasmparser::Data<'a>) -> Result<(), Error> {
        let DataKind::Active { offset_expr, .. } = data.kind else {
            return Ok(());
        };
        let offset = data.range.start;
        let Some(address) = constant(&offset_expr) else {
            let problem = "the address of a data segment is not a constant";
            return Err(Error::unsupported(problem).at_offset(offset));
        };
        let size = u64::from(self.memory.unwrap_or(0)) * u64::from(PAGE);
        let bytes = data.data;
        if u64::from(address) + bytes.len() as u64 > size {
            let end = u64::from(address) + bytes.len() as u64;
            let problem = format!(
                "a data segment for addresses {address} to {end} lies outside the memory of {size} bytes, so the module cannot be instantiated"
            );
            return Err(Error::invalid(problem)
                .remedy("give the memory more pages")
                .at_offset(offset));
        }
        self.data.push(Data { address, bytes });
        Ok(())
    }

    /// Names are a courtesy: a name section that cannot be read is as good as none.
    fn read_names(&mut self, names: wasmparser::NameSectionReader<'a>) {
        for name in names {
            let Ok(name) = name else { return };
            if let Name::Function(functions) = name {
                for naming in functions {
                    let Ok(naming) = naming else { return };
                    self.names.insert(naming.index, naming.name);
                }
            }
        }
    }

    /// A name for a function: from the name section, its import, an export, or its index.
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

    /// The exported function of that name.
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

fn pages(memory: MemoryType, offset: u64) -> Result<u32, Error> {
    match u8::try_from(memory.initial) {
        Ok(pages) => Ok(pages.into()),
        Err(_) => {
            let problem = format!(
                "a memory of {} pages; the machine has at most 255",
                memory.initial
            );
            Err(Error::too_large(problem)
                .remedy("link with a smaller initial memory and stack")
                .at_offset(offset))
        }
    }
}

/// The value of a constant expression that is one `i32.const`.
fn constant(expr: &ConstExpr<'_>) -> Option<u32> {
    let mut operators = expr.get_operators_reader();
    let value = match operators.read().ok()? {
        Operator::I32Const { value } => value.cast_unsigned(),
        _ => return None,
    };
    matches!(operators.read().ok()?, Operator::End).then_some(value)
}

/// Refuses an element segment that does not fit its table, with which a module cannot be instantiated.
fn check_element(element: wasmparser::Element<'_>, tables: &[u64]) -> Result<(), Error> {
    let ElementKind::Active {
        table_index,
        offset_expr,
    } = element.kind
    else {
        return Ok(());
    };
    let offset = element.range.start;
    let size = tables
        .get(table_index.unwrap_or(0) as usize)
        .copied()
        .unwrap_or(0);
    let count = match element.items {
        ElementItems::Functions(items) => items.count(),
        ElementItems::Expressions(_, items) => items.count(),
    };
    match constant(&offset_expr) {
        Some(first) if u64::from(first) + u64::from(count) <= size => Ok(()),
        Some(_) => {
            let problem = format!(
                "an element segment lies outside its table of {size}, so the module cannot be instantiated"
            );
            Err(Error::invalid(problem).at_offset(offset))
        }
        None => {
            let problem = "the first index of an element segment is not a constant";
            Err(Error::unsupported(problem).at_offset(offset))
        }
    }
}
