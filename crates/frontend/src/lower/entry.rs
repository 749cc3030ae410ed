//! The entry code: sets the globals, calls the start function and the entry, ends the program.

use std::collections::HashSet;

use wasmparser::{ExternalKind, ValType};
use weightware_isa::Op;

use super::key::{InitialValue, Key, Unit};
use super::linker::Linker;
use crate::code::{Callee, Code, Label, Origin};
use crate::error::{Error, Place, printable};
use crate::module::Module;
use crate::width::Width;

/// The functions that a program runs: the start function, then the entry.
pub(crate) struct Entry {
    start: Option<u32>,
    main: Option<Main>,
}

struct Main {
    function: u32,
    /// Whether its result is the exit code.
    exits: bool,
}

impl Entry {
    /// Finds the entry: the export of the options, or `_start`, or `__main_void` (clang's name for
    /// a C `main` without parameters), or `main`, or nothing but a start function.
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
        // `__main_void` is a name that compilers export, not people.
        let wanted = names.iter().filter(|name| **name != "__main_void");
        let wanted = wanted.map(|name| format!("`{}`", printable(name)));
        let wanted = wanted.collect::<Vec<_>>().join(" or ");
        Err(Error::unsupported(format!(
            "there is no exported function {wanted}; {exported}"
        ))
        .remedy("export the function that the program begins with"))
    }

    /// The functions that are called.
    pub(crate) fn roots(&self) -> Vec<u32> {
        let main = self.main.as_ref().map(|main| main.function);
        self.start.into_iter().chain(main).collect()
    }

    /// Requests the functions that are called, and returns their labels.
    pub(crate) fn request(&self, linker: &mut Linker<'_>) -> HashSet<Label> {
        let roots = self.roots().into_iter();
        roots
            .map(|function| callee(linker, function).label)
            .collect()
    }

    /// The entry code, which stands before all functions and has the globals in its frame; and the
    /// label of the program's end, to which it jumps.
    pub(crate) fn lower(&self, linker: &mut Linker<'_>) -> (Code, Label) {
        linker.code.here = Origin::default();
        for (initial, word) in linker.initial_values.clone().into_iter().zip(0..) {
            let width = match initial {
                InitialValue::Bits(bits) => {
                    linker.code.bits(bits);
                    bits.width()
                }
                InitialValue::InputLength => {
                    let address = linker.layout.hidden + linker.input_offset();
                    linker.code.constant(address);
                    linker.code.emit_byte(Op::I32Load, 0, u8::MAX);
                    Width::Word
                }
            };
            linker.code.emit(width.global_set(), word);
        }
        if let Some(start) = self.start {
            let callee = callee(linker, start);
            linker.code.call(callee);
        }
        let end = linker.code.label();
        if let Some(main) = &self.main {
            let callee = callee(linker, main.function);
            linker.code.call(callee);
            if main.exits {
                linker.code.op(Op::Exit);
            }
        }
        if self.main.as_ref().is_none_or(|main| !main.exits) {
            linker.code.branch(Op::Br, end);
        }
        let words = u32::try_from(linker.initial_values.len()).unwrap_or(u32::MAX);
        (linker.code.finish(0, words), end)
    }
}

/// A function of the guest.
fn callee(linker: &mut Linker<'_>, index: u32) -> Callee {
    let unit = Unit::Guest;
    linker.request(Key { unit, index })
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
