//! Instances of modules, and their imports from each other.

use std::collections::{BTreeSet, HashMap};

use wasmparser::{
    CompositeInnerType, ExternalKind, FuncType, GlobalType, MemoryType, Parser, Payload, TableType,
    TypeRef, Validator, WasmFeatures,
};

/// The type of an export or import.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Extern {
    Function(FuncType),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
}

/// The instances of a script.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) instances: Vec<Instance>,
    names: HashMap<String, usize>,
    registered: HashMap<String, usize>,
    latest: Option<usize>,
}

/// A module with its imports resolved.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) wasm: Vec<u8>,
    /// For every import the instance and the name of the export.
    pub(crate) imports: Vec<(usize, String)>,
    pub(crate) exports: HashMap<String, Extern>,
    /// Whether its instantiation failed. Its writes before the failure remain.
    pub(crate) failed: bool,
    /// Instances from which it imports more than functions.
    shares: Vec<usize>,
}

/// The error of an import that does not exist or has another type.
#[derive(Debug)]
pub(crate) struct Unlinkable(pub(crate) String);

impl World {
    /// Makes an instance of a valid module.
    pub(crate) fn instantiate(&mut self, wasm: &[u8]) -> Result<usize, Unlinkable> {
        let interface = Interface::read(wasm).map_err(|error| Unlinkable(error.to_string()))?;
        let mut imports = vec![];
        let mut shares = vec![];
        for (module, name, wanted) in interface.imports {
            let from = match (self.registered.get(&module), module.as_str()) {
                (Some(&from), _) => from,
                (None, "spectest") => self.item_of_host(&name)?,
                (None, _) => return Err(Unlinkable(format!("there is no module {module:?}"))),
            };
            let found = self.instances[from].exports.get(&name);
            let found = found.ok_or_else(|| Unlinkable(format!("no export {name:?}")))?;
            if !found.fits(&wanted) {
                let problem = format!("{module:?} {name:?} is {found:?}, not {wanted:?}");
                return Err(Unlinkable(problem));
            }
            if !matches!(wanted, Extern::Function(_)) {
                shares.push(from);
            }
            imports.push((from, name));
        }
        self.instances.push(Instance {
            wasm: wasm.to_vec(),
            imports,
            exports: interface.exports,
            failed: false,
            shares,
        });
        Ok(self.instances.len() - 1)
    }

    /// An instance of the suite's host module with one item, for one importer.
    fn item_of_host(&mut self, name: &str) -> Result<usize, Unlinkable> {
        let params = |types| format!("(func (export {name:?}) (param {types}))");
        let field = match name {
            "print" => params(""),
            "print_i32" => params("i32"),
            "print_i64" => params("i64"),
            "print_f32" => params("f32"),
            "print_f64" => params("f64"),
            "print_i32_f32" => params("i32 f32"),
            "print_f64_f64" => params("f64 f64"),
            "global_i32" => format!("(global (export {name:?}) i32 (i32.const 666))"),
            "global_i64" => format!("(global (export {name:?}) i64 (i64.const 666))"),
            "global_f32" => format!("(global (export {name:?}) f32 (f32.const 666.6))"),
            "global_f64" => format!("(global (export {name:?}) f64 (f64.const 666.6))"),
            "table" => format!("(table (export {name:?}) 10 20 funcref)"),
            "memory" => format!("(memory (export {name:?}) 1 2)"),
            _ => return Err(Unlinkable(format!("the host has no {name:?}"))),
        };
        let wasm = wat::parse_str(format!("(module {field})"))
            .expect("the text of the host module is valid");
        self.instantiate(&wasm)
    }

    /// Names an instance, and makes it the latest one.
    pub(crate) fn name(&mut self, instance: Option<usize>, name: Option<&str>) {
        self.latest = instance;
        if let Some(name) = name {
            self.names.remove(name);
            if let Some(instance) = instance {
                self.names.insert(name.to_owned(), instance);
            }
        }
    }

    /// Makes an instance's exports importable.
    pub(crate) fn register(&mut self, module: &str, instance: Option<&str>) {
        if let Some(instance) = self.find(instance) {
            self.registered.insert(module.to_owned(), instance);
        }
    }

    /// The instance with that name, or the latest one.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<usize> {
        match name {
            Some(name) => self.names.get(name).copied(),
            None => self.latest,
        }
    }

    /// The instances that a call of one can affect, in the order of their instantiation: those from
    /// which it imports, and those that import memories, tables or globals of one of them.
    pub(crate) fn around(&self, instance: usize) -> Vec<usize> {
        let mut found = BTreeSet::from([instance]);
        loop {
            let mut next = found.clone();
            for (index, instance) in self.instances.iter().enumerate() {
                if found.contains(&index) {
                    next.extend(instance.imports.iter().map(|&(from, _)| from));
                } else if instance.shares.iter().any(|from| found.contains(from)) {
                    next.insert(index);
                }
            }
            if next == found {
                return found.into_iter().collect();
            }
            found = next;
        }
    }
}

impl Extern {
    /// Whether this export matches an import of the type `wanted`.
    fn fits(&self, wanted: &Extern) -> bool {
        let limits = |have: (u64, Option<u64>), want: (u64, Option<u64>)| {
            let most = |want: u64| have.1.is_some_and(|have| have <= want);
            have.0 >= want.0 && want.1.is_none_or(most)
        };
        match (self, wanted) {
            (Self::Table(have), Self::Table(want)) => {
                have.element_type == want.element_type
                    && limits((have.initial, have.maximum), (want.initial, want.maximum))
            }
            (Self::Memory(have), Self::Memory(want)) => {
                limits((have.initial, have.maximum), (want.initial, want.maximum))
            }
            (have, want) => have == want,
        }
    }
}

struct Interface {
    imports: Vec<(String, String, Extern)>,
    exports: HashMap<String, Extern>,
}

impl Interface {
    /// Reads a module, which must be valid in WebAssembly 2.0.
    fn read(wasm: &[u8]) -> wasmparser::Result<Self> {
        Validator::new_with_features(WasmFeatures::WASM2).validate_all(wasm)?;
        let mut types: Vec<FuncType> = vec![];
        let (mut functions, mut tables) = (vec![], vec![]);
        let (mut memories, mut globals) = (vec![], vec![]);
        let (mut imports, mut exports) = (vec![], HashMap::new());
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        types.extend(group?.types().filter_map(
                            |ty| match &ty.composite_type.inner {
                                CompositeInnerType::Func(ty) => Some(ty.clone()),
                                _ => None,
                            },
                        ));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let ty = match import.ty {
                            TypeRef::Func(ty) => {
                                functions.push(types[ty as usize].clone());
                                Extern::Function(types[ty as usize].clone())
                            }
                            TypeRef::Table(ty) => {
                                tables.push(ty);
                                Extern::Table(ty)
                            }
                            TypeRef::Memory(ty) => {
                                memories.push(ty);
                                Extern::Memory(ty)
                            }
                            TypeRef::Global(ty) => {
                                globals.push(ty);
                                Extern::Global(ty)
                            }
                            _ => continue,
                        };
                        imports.push((import.module.to_owned(), import.name.to_owned(), ty));
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        functions.push(types[ty? as usize].clone());
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        tables.push(table?.ty);
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        memories.push(memory?);
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        globals.push(global?.ty);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let index = export.index as usize;
                        let ty = match export.kind {
                            ExternalKind::Func => Extern::Function(functions[index].clone()),
                            ExternalKind::Table => Extern::Table(tables[index]),
                            ExternalKind::Memory => Extern::Memory(memories[index]),
                            ExternalKind::Global => Extern::Global(globals[index]),
                            _ => continue,
                        };
                        exports.insert(export.name.to_owned(), ty);
                    }
                }
                _ => {}
            }
        }
        Ok(Self { imports, exports })
    }
}
