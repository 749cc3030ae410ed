//! What a program does before, around and after its entry function.

use wasmparser::{ExternalKind, ValType};
use weightware_isa::Op;

use crate::assembler::Origin;
use crate::error::{Error, Place, printable};
use crate::linker::{Key, Linker, Unit};
use crate::module::Module;

/// What a program runs: the start function, then the entry.
pub(crate) struct Entry {
    start: Option<u32>,
    main: Option<Main>,
}

struct Main {
    function: u32,
    /// Its result is the exit code.
    exits: bool,
}

impl Entry {
    /// Finds the entry: the export asked for, or `_start`, or `__main_void` (what clang calls a C `main` without
    /// parameters), or `main`, or nothing but a start function.
    pub(crate) fn find(module: &Module<'_>, asked: Option<&str>) -> Result<Self, Error> {
        let start = module.start;
        let names = asked.map_or(vec!["_start", "__main_void", "main"], |name| vec![name]);
        for name in &names {
            if let Some(function) = module.exported_function(name) {
                let exits = exits(module, name, function)?;
                return Ok(Self {
                    start,
                    main: Some(Main { function, exits }),
                });
            }
        }
        if start.is_some() && asked.is_none() {
            return Ok(Self { start, main: None });
        }
        let functions = module
            .exports
            .iter()
            .filter(|(_, kind, _)| *kind == ExternalKind::Func);
        let exported: Vec<String> = functions
            .map(|(name, ..)| format!("`{}`", printable(name)))
            .take(20)
            .collect();
        let exported = match exported.is_empty() {
            true => "no function is exported".to_owned(),
            false => format!("the exported functions are {}", exported.join(", ")),
        };
        // `__main_void` is what a compiler makes, not what a person exports.
        let wanted = names.iter().filter(|name| **name != "__main_void");
        let wanted = wanted.map(|name| format!("`{}`", printable(name)));
        let wanted = wanted.collect::<Vec<_>>().join(" or ");
        Err(Error::unsupported(format!(
            "there is no exported function {wanted}; {exported}"
        ))
        .remedy("export the function that the program begins with"))
    }

    /// Sees to it that what is called is lowered.
    pub(crate) fn request(&self, linker: &mut Linker<'_>) {
        for function in self
            .start
            .into_iter()
            .chain(self.main.as_ref().map(|main| main.function))
        {
            linker.request(Key {
                unit: Unit::Guest,
                index: function,
            });
        }
    }

    /// Appends the code that stands before all functions. Its frame are the globals.
    pub(crate) fn lower(&self, linker: &mut Linker<'_>, module: &Module<'_>) {
        linker.asm.here = Origin::default();
        if linker.reads_input() {
            linker.open_input();
        }
        for (global, index) in module.globals.iter().zip(0..) {
            if let Some(value) = global.value {
                linker.asm.constant(value);
                linker.asm.emit(Op::GlobalSet, index);
            }
        }
        if let Some(index) = self.start {
            linker.call(
                Key {
                    unit: Unit::Guest,
                    index,
                },
                None,
            );
        }
        let end = linker.asm.label();
        if let Some(main) = &self.main {
            linker.call(
                Key {
                    unit: Unit::Guest,
                    index: main.function,
                },
                None,
            );
            if main.exits {
                linker.asm.op(Op::Exit);
            }
        }
        if self.main.as_ref().is_none_or(|main| !main.exits) {
            linker.asm.branch(Op::Br, end);
        }
        let words = linker.global_words();
        linker.asm.close_frame(words);
        linker.asm.bind(end);
    }
}

/// Checks the entry's type and returns whether it has a result, the exit code.
fn exits(module: &Module<'_>, name: &str, function: u32) -> Result<bool, Error> {
    let ty = module.type_of(function);
    let place = Place {
        offset: None,
        function: Some((function, module.name_of(function))),
        instruction: None,
    };
    let name = printable(name);
    let error = match (ty.params(), ty.results()) {
        _ if module.body(function).is_none() => {
            Error::unsupported(format!("the entry `{name}` is an imported function"))
                .remedy("export a function of the module's own")
        }
        ([], []) => return Ok(false),
        ([], [ValType::I32]) if name != "_start" => return Ok(true),
        ([], _) => Error::unsupported(format!(
            "the entry `{name}` has results that are no exit code"
        ))
        .remedy("give `_start` no result, and `main` none or one i32"),
        _ => Error::unsupported(format!(
            "the entry `{name}` has parameters, and there are no arguments to pass"
        ))
        .remedy("declare it without: `int main(void)`, exported as `main`, or `void _start(void)`"),
    };
    Err(error.at(place))
}
