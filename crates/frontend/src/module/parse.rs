//! Decoding of a binary into a module: validation, then one function for each kind of section.

use std::collections::HashMap;

use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, DataSectionReader, ElementItems, ElementKind,
    ElementSectionReader, ExportSectionReader, FunctionSectionReader, GlobalSectionReader,
    ImportSectionReader, KnownCustom, MemorySectionReader, MemoryType, Name, Operator, Parser,
    Payload, TableSectionReader, TypeRef, TypeSectionReader, Validator, WasmFeatures,
};

use super::{
    DataSegment, Global, Import, ImportedGlobal, Memory, Module, PAGE, section_counts, unsupported,
};
use crate::error::{Error, printable};
use crate::width::{Bits, Width};

/// Features that a valid module may use. The lowering refuses reachable operators that are not
/// supported, each at its place.
const FEATURES: WasmFeatures = WasmFeatures::WASM2.union(WasmFeatures::TAIL_CALL);

/// Features of the runtime library, which sees two memories.
const OWN_FEATURES: WasmFeatures = FEATURES.union(WasmFeatures::MULTI_MEMORY);

impl<'a> Module<'a> {
    /// Validates and decodes a binary.
    pub(crate) fn parse(bytes: &'a [u8], given: &[ImportedGlobal]) -> Result<Self, Error> {
        Self::parse_with(bytes, given, FEATURES)
    }

    /// Validates and decodes a module of the runtime library.
    pub(crate) fn parse_own(bytes: &'a [u8]) -> Result<Self, Error> {
        let length = ("input".to_owned(), "length".to_owned(), Bits::Word(0));
        Self::parse_with(bytes, &[length], OWN_FEATURES)
    }

    fn parse_with(
        bytes: &'a [u8],
        given: &[ImportedGlobal],
        features: WasmFeatures,
    ) -> Result<Self, Error> {
        check_version(bytes)?;
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
            global_names: HashMap::new(),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(section) => module.read_types(section)?,
                Payload::ImportSection(section) => module.read_imports(section, given)?,
                Payload::FunctionSection(section) => module.read_functions(section)?,
                Payload::TableSection(section) => module.read_tables(section)?,
                Payload::MemorySection(section) => module.read_memories(section)?,
                Payload::GlobalSection(section) => module.read_globals(section)?,
                Payload::ExportSection(section) => module.read_exports(section)?,
                Payload::StartSection { func, .. } => module.start = Some(func),
                Payload::ElementSection(section) => module.read_elements(section)?,
                Payload::DataSection(section) => module.read_data(section)?,
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

    fn read_types(&mut self, section: TypeSectionReader<'a>) -> Result<(), Error> {
        for group in section {
            for ty in group?.types() {
                let CompositeInnerType::Func(ty) = &ty.composite_type.inner else {
                    return Err(Error::unsupported("a type is not a function type"));
                };
                self.types.push(ty.clone());
            }
        }
        Ok(())
    }

    fn read_imports(
        &mut self,
        section: ImportSectionReader<'a>,
        given: &[ImportedGlobal],
    ) -> Result<(), Error> {
        for import in section.into_imports_with_offsets() {
            let (offset, import) = import?;
            self.import(offset, &import, given)?;
        }
        Ok(())
    }

    fn read_functions(&mut self, section: FunctionSectionReader<'a>) -> Result<(), Error> {
        for ty in section {
            self.functions.push(ty?);
        }
        Ok(())
    }

    fn read_tables(&mut self, section: TableSectionReader<'a>) -> Result<(), Error> {
        for table in section {
            self.table(&table?.ty)?;
        }
        Ok(())
    }

    fn read_memories(&mut self, section: MemorySectionReader<'a>) -> Result<(), Error> {
        for memory in section {
            let memory = memory?;
            self.memory = Some(sizes(memory));
        }
        Ok(())
    }

    fn read_globals(&mut self, section: GlobalSectionReader<'a>) -> Result<(), Error> {
        for global in section {
            let global = global?;
            let ty = global.ty.content_type;
            let value = self.constant(&global.init_expr);
            let mutable = global.ty.mutable;
            self.globals.push(Global { ty, mutable, value });
        }
        Ok(())
    }

    fn read_exports(&mut self, section: ExportSectionReader<'a>) -> Result<(), Error> {
        for export in section {
            let export = export?;
            self.exports.push((export.name, export.kind, export.index));
        }
        Ok(())
    }

    fn read_elements(&mut self, section: ElementSectionReader<'a>) -> Result<(), Error> {
        for element in section {
            self.element(element?)?;
        }
        Ok(())
    }

    fn read_data(&mut self, section: DataSectionReader<'a>) -> Result<(), Error> {
        for data in section {
            self.segment(data?)?;
        }
        Ok(())
    }

    fn import(
        &mut self,
        offset: u64,
        import: &wasmparser::Import<'a>,
        given: &[ImportedGlobal],
    ) -> Result<(), Error> {
        let (module, name) = (import.module, import.name);
        let kind = match import.ty {
            TypeRef::Func(ty) => {
                self.functions.push(ty);
                self.imports.push(Import { module, name });
                return Ok(());
            }
            // An imported memory or table belongs to the module alone and is empty at first.
            TypeRef::Memory(memory) => {
                self.memory = Some(sizes(memory));
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
                        mutable: ty.mutable,
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
            self.data.push(DataSegment {
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
        self.data.push(DataSegment {
            address: Some(address),
            bytes,
        });
        Ok(())
    }

    /// Writes an active element segment to its table. A module whose segment does not fit cannot be
    /// instantiated and is refused.
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

    /// Reads the names of functions, for messages, and of globals, of which one may be the stack
    /// pointer. A malformed section is ignored.
    fn read_names(&mut self, names: wasmparser::NameSectionReader<'a>) {
        for name in names {
            let Ok(name) = name else { return };
            let (names, known) = match name {
                Name::Function(functions) => (functions, &mut self.names),
                Name::Global(globals) => (globals, &mut self.global_names),
                _ => continue,
            };
            for naming in names {
                let Ok(naming) = naming else { return };
                known.insert(naming.index, naming.name);
            }
        }
    }
}

/// Refuses components, and binaries of an unknown version.
fn check_version(bytes: &[u8]) -> Result<(), Error> {
    let Some(found) = bytes.get(4..8).filter(|&version| version != [1, 0, 0, 0]) else {
        return Ok(());
    };
    if found[2] == 1 {
        return Err(component());
    }
    Err(Error::invalid("the binary is of an unknown version")
        .remedy("give a core module of version 1")
        .at_offset(4))
}

/// Refuses a component, which is text or a binary. It is no module.
pub(crate) fn component() -> Error {
    Error::invalid("this is a component, and components are not supported").remedy(
        "compile to a core module, by a target for WASI preview 1 such as wasm32-wasi or wasm32-wasip1",
    )
}

fn sizes(memory: MemoryType) -> Memory {
    Memory {
        initial: u32::try_from(memory.initial).unwrap_or(u32::MAX),
        maximum: memory.maximum,
    }
}

/// The function of an element expression. `None` for a null reference.
fn function_reference(expr: &ConstExpr<'_>) -> Option<u32> {
    match expr.get_operators_reader().read() {
        Ok(Operator::RefFunc { function_index }) => Some(function_index),
        _ => None,
    }
}
