//! A validated module, decoded as far as lowering needs it.

mod section_counts;
mod unsupported;

pub(crate) mod host_imports;
pub(crate) mod operator_name;
pub(crate) mod reachability;

use std::collections::HashMap;

use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FuncType,
    FunctionBody, KnownCustom, MemoryType, Name, Operator, Parser, Payload, TypeRef, ValType,
    Validator, WasmFeatures,
};

use crate::error::{Error, printable};
use crate::width::{Bits, Width};

/// Bytes of a WebAssembly page.
pub(crate) const PAGE: u32 = 1 << 16;

/// What unused parts of a module may use. What is reachable and not supported is refused at its place by the lowering.
const FEATURES: WasmFeatures = WasmFeatures::WASM2.union(WasmFeatures::TAIL_CALL);

/// The same of the lowering's own modules, which see two memories.
const OWN_FEATURES: WasmFeatures = FEATURES.union(WasmFeatures::MULTI_MEMORY);

/// Imported globals: module, name, value.
pub(crate) type Given = (String, String, Bits);

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
    /// Functions of the tables.
    pub(crate) tables: Vec<Table>,
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

/// A global.
#[derive(Debug)]
pub(crate) struct Global {
    pub(crate) ty: ValType,
    /// Its first value, if that is a number.
    pub(crate) value: Option<Bits>,
}

/// A memory, in pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) initial: u32,
    pub(crate) maximum: Option<u64>,
}

/// What a table holds once the module is instantiated.
pub(crate) type Table = Vec<Option<u32>>;

/// A data segment.
#[derive(Debug)]
pub(crate) struct Data<'a> {
    /// `None`: passive.
    pub(crate) address: Option<u32>,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Module<'a> {
    /// Validates and decodes a binary.
    pub(crate) fn parse(bytes: &'a [u8], given: &[Given]) -> Result<Self, Error> {
        Self::parse_with(bytes, given, FEATURES)
    }

    /// The same of a module of the lowering's own.
    pub(crate) fn parse_own(bytes: &'a [u8]) -> Result<Self, Error> {
        let length = ("input".to_owned(), "length".to_owned(), Bits::Word(0));
        Self::parse_with(bytes, &[length], OWN_FEATURES)
    }

    fn parse_with(bytes: &'a [u8], given: &[Given], features: WasmFeatures) -> Result<Self, Error> {
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
        section_counts::check(bytes)?;
        if let Err(error) = Validator::new_with_features(features).validate_all(bytes) {
            return Err(unsupported::explain(bytes, error, features));
        }
        let mut module = Self {
            types: Vec::new(),
            imports: Vec::new(),
            functions: Vec::new(),
            bodies: Vec::new(),
            globals: Vec::new(),
            memory: None,
            tables: Vec::new(),
            data: Vec::new(),
            exports: Vec::new(),
            start: None,
            names: HashMap::new(),
        };
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
                        module.import(offset, &import, given)?;
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        module.functions.push(ty?);
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        let ty = table?.ty;
                        module.table(&ty)?;
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section.into_iter_with_offsets() {
                        let (offset, memory) = memory?;
                        module.memory = Some(sizes(memory, offset)?);
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        let global = global?;
                        let ty = global.ty.content_type;
                        let value = module.constant(&global.init_expr);
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
                        module.element(element?)?;
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

    fn import(
        &mut self,
        offset: u64,
        import: &wasmparser::Import<'a>,
        given: &[Given],
    ) -> Result<(), Error> {
        let (module, name) = (import.module, import.name);
        let kind = match import.ty {
            TypeRef::Func(ty) => {
                self.functions.push(ty);
                self.imports.push(Import { module, name });
                return Ok(());
            }
            // They are the module's own, with nothing in them.
            TypeRef::Memory(memory) => {
                self.memory = Some(sizes(memory, offset)?);
                return Ok(());
            }
            TypeRef::Table(ty) => return self.table(&ty),
            TypeRef::Global(ty) => {
                let mut values = given.iter();
                let found = values.find(|(of, called, _)| of == module && called == name);
                let width = Width::of(ty.content_type).ok();
                let fits = |value: &Bits| Some(value.width()) == width;
                if let Some(value) = found.map(|&(.., value)| value).filter(fits) {
                    self.globals.push(Global {
                        ty: ty.content_type,
                        value: Some(value),
                    });
                    return Ok(());
                }
                "global"
            }
            _ => "item",
        };
        let path = printable(&format!("{module}.{name}"));
        Err(
            Error::unsupported(format!("the imported {kind} `{path}` has no value"))
                .remedy(format!(
                    "give it one with the options of the lowering, or define the {kind} in the module"
                ))
                .at_offset(offset),
        )
    }

    fn table(&mut self, ty: &wasmparser::TableType) -> Result<(), Error> {
        const LIMIT: u64 = 1 << 20;
        if ty.initial > LIMIT {
            let problem = format!("a table of {} elements", ty.initial);
            return Err(Error::too_large(problem).remedy("the machine has at most 2^20"));
        }
        self.tables.push(vec![None; ty.initial as usize]);
        Ok(())
    }

    fn segment(&mut self, data: wasmparser::Data<'a>) -> Result<(), Error> {
        let bytes = data.data;
        let DataKind::Active { offset_expr, .. } = data.kind else {
            self.data.push(Data {
                address: None,
                bytes,
            });
            return Ok(());
        };
        let offset = data.range.start;
        let Some(Bits::Word(address)) = self.constant(&offset_expr) else {
            let problem = "the address of a data segment is not a constant";
            return Err(Error::unsupported(problem).at_offset(offset));
        };
        let pages = self.memory.map_or(0, |memory| memory.initial);
        let size = u64::from(pages) * u64::from(PAGE);
        if u64::from(address) + bytes.len() as u64 > size {
            let end = u64::from(address) + bytes.len() as u64;
            let problem = format!(
                "a data segment for addresses {address} to {end} lies outside the memory of {size} bytes, so the module cannot be instantiated"
            );
            return Err(Error::invalid(problem)
                .remedy("give the memory more pages")
                .at_offset(offset));
        }
        self.data.push(Data {
            address: Some(address),
            bytes,
        });
        Ok(())
    }

    /// Puts an active element segment into its table; one that does not fit is refused, since with it a module cannot
    /// be instantiated.
    fn element(&mut self, element: wasmparser::Element<'_>) -> Result<(), Error> {
        let ElementKind::Active {
            table_index,
            offset_expr,
        } = element.kind
        else {
            return Ok(());
        };
        let offset = element.range.start;
        let Some(Bits::Word(first)) = self.constant(&offset_expr) else {
            let problem = "the first index of an element segment is not a constant";
            return Err(Error::unsupported(problem).at_offset(offset));
        };
        let items: Vec<Option<u32>> = match element.items {
            ElementItems::Functions(items) => items
                .into_iter()
                .map(|item| item.map(Some))
                .collect::<Result<_, _>>()?,
            ElementItems::Expressions(_, items) => items
                .into_iter()
                .map(|item| item.map(|item| function_reference(&item)))
                .collect::<Result<_, _>>()?,
        };
        let table = &mut self.tables[table_index.unwrap_or(0) as usize];
        let size = table.len();
        let place = (first as usize).checked_add(items.len());
        match place.and_then(|end| table.get_mut(first as usize..end)) {
            Some(slots) => slots.copy_from_slice(&items),
            None => {
                let problem = format!(
                    "an element segment lies outside its table of {size}, so the module cannot be instantiated"
                );
                return Err(Error::invalid(problem).at_offset(offset));
            }
        }
        Ok(())
    }

    /// The value of a constant expression that is one number, or an earlier global.
    fn constant(&self, expr: &ConstExpr<'_>) -> Option<Bits> {
        let mut operators = expr.get_operators_reader();
        let value = match operators.read().ok()? {
            Operator::I32Const { value } => Bits::Word(value.cast_unsigned()),
            Operator::I64Const { value } => Bits::Double(value.cast_unsigned()),
            Operator::F32Const { value } => Bits::Word(value.bits()),
            Operator::F64Const { value } => Bits::Double(value.bits()),
            Operator::GlobalGet { global_index } => {
                self.globals.get(global_index as usize)?.value?
            }
            _ => return None,
        };
        matches!(operators.read().ok()?, Operator::End).then_some(value)
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

fn sizes(memory: MemoryType, offset: u64) -> Result<Memory, Error> {
    match u8::try_from(memory.initial) {
        Ok(pages) => Ok(Memory {
            initial: pages.into(),
            maximum: memory.maximum,
        }),
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

/// The function of an element expression; `None`: a null reference.
fn function_reference(expr: &ConstExpr<'_>) -> Option<u32> {
    match expr.get_operators_reader().read() {
        Ok(Operator::RefFunc { function_index }) => Some(function_index),
        _ => None,
    }
}
