//! Merging of linked instances into one module.

use std::collections::HashMap;
use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Encode, FunctionSection, GlobalSection,
    MemorySection, TableSection, TypeSection, ValType,
};
use wasmparser::{
    CompositeInnerType, DataKind, ElementItems, ElementKind, ExternalKind, FuncType, Operator,
    Parser, Payload, TypeRef,
};

use super::world::World;

/// Functions that a merged module imports before all others: `env.getchar` and `env.putchar`.
pub(crate) const HOST: u32 = 2;

/// The sections of the merged module.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub(crate) types: TypeSection,
    pub(crate) functions: FunctionSection,
    pub(crate) tables: TableSection,
    pub(crate) memories: MemorySection,
    pub(crate) globals: GlobalSection,
    pub(crate) elements: ElementSection,
    pub(crate) code: CodeSection,
    pub(crate) data: DataSection,
    /// Whether an instance states the number of its data segments before its code.
    pub(crate) counts_data: bool,
    /// The start functions, in their order.
    pub(crate) starts: Vec<u32>,
    /// The functions and globals that instances export.
    pub(crate) exports: HashMap<(usize, String), (ExternalKind, u32)>,
    /// The types of the functions, without the host's two.
    pub(crate) signatures: Vec<FuncType>,
    pub(crate) global_types: Vec<wasmparser::ValType>,
    /// The initial values of globals, as expressions without their end.
    values: Vec<Vec<u8>>,
    /// The sizes of tables and memories, in entries and bytes.
    sizes: [Vec<u64>; 2],
}

impl Merged {
    /// Merges instances, in the order of their instantiation.
    ///
    /// # Errors
    /// If one module cannot hold them.
    pub(crate) fn new(world: &World, instances: &[usize]) -> Result<Self, String> {
        let mut merged = Self::default();
        let mut exports = HashMap::new();
        for &index in instances {
            merged
                .add(world, index, &mut exports)
                .map_err(|error| error.to_string())?;
        }
        if merged.memories.len() > 1 {
            return Err("linked modules with a memory each".into());
        }
        merged.exports = exports;
        Ok(merged)
    }

    fn add(
        &mut self,
        world: &World,
        index: usize,
        exports: &mut HashMap<(usize, String), (ExternalKind, u32)>,
    ) -> Result<(), Error<Infallible>> {
        let instance = &world.instances[index];
        let mut map = Map {
            types: self.types.len(),
            data: self.data.len(),
            elements: self.elements.len(),
            ..Map::default()
        };
        let mut types: Vec<FuncType> = vec![];
        let mut fits = true;
        for payload in Parser::new(0).parse_all(&instance.wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section.clone() {
                        types.extend(group?.types().filter_map(
                            |ty| match &ty.composite_type.inner {
                                CompositeInnerType::Func(ty) => Some(ty.clone()),
                                _ => None,
                            },
                        ));
                    }
                    map.parse_type_section(&mut self.types, section)?;
                }
                Payload::ImportSection(section) => {
                    for (import, (from, name)) in section.into_imports().zip(&instance.imports) {
                        let (_, target) = exports[&(*from, name.clone())];
                        match import?.ty {
                            TypeRef::Func(_) => map.functions.push(target),
                            TypeRef::Table(_) => map.tables.push(target),
                            TypeRef::Memory(_) => map.memories.push(target),
                            TypeRef::Global(_) => map.globals.push(target),
                            _ => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        let ty = ty?;
                        map.functions.push(HOST + self.functions.len());
                        self.functions.function(map.types + ty);
                        self.signatures.push(types[ty as usize].clone());
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        let table = table?;
                        map.tables.push(self.tables.len());
                        self.sizes[0].push(table.ty.initial);
                        map.parse_table(&mut self.tables, table)?;
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section.clone() {
                        map.memories.push(self.sizes[1].len() as u32);
                        self.sizes[1].push(memory?.initial << 16);
                    }
                    map.parse_memory_section(&mut self.memories, section)?;
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        let global = global?;
                        map.globals.push(self.globals.len());
                        let value = self.expression(&mut map, &global.init_expr)?;
                        self.globals.global(
                            map.global_type(global.ty)?,
                            &ConstExpr::raw(value.iter().copied()),
                        );
                        self.values.push(value);
                        self.global_types.push(global.ty.content_type);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let target = match export.kind {
                            ExternalKind::Func => map.functions[export.index as usize],
                            ExternalKind::Table => map.tables[export.index as usize],
                            ExternalKind::Memory => map.memories[export.index as usize],
                            ExternalKind::Global => map.globals[export.index as usize],
                            _ => continue,
                        };
                        exports.insert((index, export.name.to_owned()), (export.kind, target));
                    }
                }
                Payload::DataCountSection { .. } => self.counts_data = true,
                Payload::StartSection { func, .. } if !instance.failed => {
                    self.starts.push(map.functions[func as usize]);
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        let element = element?;
                        fits &= !instance.failed || self.element_fits(&mut map, &element)?;
                        if fits {
                            self.element(&mut map, element)?;
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    map.parse_function_body(&mut self.code, body)?;
                }
                Payload::DataSection(section) => {
                    for data in section {
                        let data = data?;
                        fits &= !instance.failed || self.data_fits(&mut map, &data)?;
                        if fits {
                            self.data(&mut map, data)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Rewrites a constant expression, without its end: imported globals are replaced by their
    /// values. They are globals of the merged module itself, which such an expression may not read.
    fn expression(
        &self,
        map: &mut Map,
        expression: &wasmparser::ConstExpr<'_>,
    ) -> Result<Vec<u8>, Error<Infallible>> {
        let mut bytes = vec![];
        let mut operators = expression.get_operators_reader();
        while !operators.is_end_then_eof() {
            match operators.read()? {
                Operator::GlobalGet { global_index } => {
                    let global = map.globals[global_index as usize];
                    bytes.extend(&self.values[global as usize]);
                }
                operator => map.instruction(operator)?.encode(&mut bytes),
            }
        }
        Ok(bytes)
    }

    fn element(
        &mut self,
        map: &mut Map,
        element: wasmparser::Element<'_>,
    ) -> Result<(), Error<Infallible>> {
        let ElementKind::Active {
            table_index,
            offset_expr,
        } = &element.kind
        else {
            return map.parse_element(&mut self.elements, element);
        };
        let offset = ConstExpr::raw(self.expression(map, offset_expr)?);
        let table = map.tables[table_index.unwrap_or(0) as usize];
        let items = map.element_items(element.items)?;
        // Segments of table 0 have an encoding of their own, the only one of WebAssembly 1.0.
        let table = (table > 0).then_some(table);
        self.elements.active(table, &offset, items);
        Ok(())
    }

    fn data(&mut self, map: &mut Map, data: wasmparser::Data<'_>) -> Result<(), Error<Infallible>> {
        match &data.kind {
            DataKind::Passive => self.data.passive(data.data.iter().copied()),
            DataKind::Active {
                memory_index,
                offset_expr,
            } => {
                let offset = ConstExpr::raw(self.expression(map, offset_expr)?);
                let memory = map.memories[*memory_index as usize];
                self.data.active(memory, &offset, data.data.iter().copied())
            }
        };
        Ok(())
    }

    fn element_fits(
        &self,
        map: &mut Map,
        element: &wasmparser::Element<'_>,
    ) -> Result<bool, Error<Infallible>> {
        let count = match &element.items {
            ElementItems::Functions(items) => items.count(),
            ElementItems::Expressions(_, items) => items.count(),
        };
        match &element.kind {
            ElementKind::Active {
                table_index,
                offset_expr,
            } => {
                let table = map.tables[table_index.unwrap_or(0) as usize];
                let size = self.sizes[0][table as usize];
                Ok(self.offset(map, offset_expr)? + u64::from(count) <= size)
            }
            _ => Ok(true),
        }
    }

    fn data_fits(
        &self,
        map: &mut Map,
        data: &wasmparser::Data<'_>,
    ) -> Result<bool, Error<Infallible>> {
        match &data.kind {
            DataKind::Active {
                memory_index,
                offset_expr,
            } => {
                let size = self.sizes[1][map.memories[*memory_index as usize] as usize];
                Ok(self.offset(map, offset_expr)? + data.data.len() as u64 <= size)
            }
            DataKind::Passive => Ok(true),
        }
    }

    /// The value of a constant expression of type `i32`.
    fn offset(
        &self,
        map: &mut Map,
        expression: &wasmparser::ConstExpr<'_>,
    ) -> Result<u64, Error<Infallible>> {
        let mut bytes = self.expression(map, expression)?;
        bytes.push(0x0b); // end
        let reader = wasmparser::BinaryReader::new(&bytes, 0);
        let mut operators = wasmparser::OperatorsReader::new(reader);
        match operators.read()? {
            Operator::I32Const { value } => Ok(value.cast_unsigned().into()),
            _ => Ok(u64::MAX / 2),
        }
    }
}

/// The indices of one instance's items in the merged module.
#[derive(Debug, Default)]
struct Map {
    types: u32,
    data: u32,
    elements: u32,
    functions: Vec<u32>,
    tables: Vec<u32>,
    memories: Vec<u32>,
    globals: Vec<u32>,
}

impl Reencode for Map {
    type Error = Infallible;

    fn type_index(&mut self, ty: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.types + ty)
    }

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.functions[function as usize])
    }

    fn table_index(&mut self, table: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.tables[table as usize])
    }

    fn memory_index(&mut self, memory: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.memories[memory as usize])
    }

    fn global_index(&mut self, global: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.globals[global as usize])
    }

    fn data_index(&mut self, data: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.data + data)
    }

    fn element_index(&mut self, element: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.elements + element)
    }
}

/// Converts a type to that of the encoder.
///
/// # Panics
/// If it is not one of the four number types.
pub(crate) fn number(ty: wasmparser::ValType) -> ValType {
    match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        ty => panic!("{ty} is not a number type"),
    }
}
