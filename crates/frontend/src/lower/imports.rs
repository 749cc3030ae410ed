//! Lowering of calls of imported functions: instructions of the machine, or routines of the runtime
//! library.

use wasmparser::{FuncType, ValType};
use weightware_isa::{Op, Trap};

use super::function::Function;
use super::key::Unit;
use crate::error::{Error, printable};
use crate::library::LibraryModule;
use crate::module::Import;
use crate::module::host_imports::{ARGUMENTS, BADF, FILES, INPUT, MISSING, NOSYS, WASI};
use crate::width::Bits;

impl Function<'_, '_> {
    /// Appends a call of an imported function, without its effect on the widths of the stack.
    pub(crate) fn call_import(&mut self, index: u32) -> Result<(), Error> {
        let import = &self.module.imports[index as usize];
        let ty = self.module.type_of(index);
        if self.unit != Unit::Guest {
            self.library_import(import);
            return Ok(());
        }
        match (import.module, import.name, ty.params(), ty.results()) {
            ("env", "putchar", [ValType::I32], []) => self.linker.code.op(Op::Output),
            ("env", "putchar", [ValType::I32], [ValType::I32]) => {
                let word = self.scratch(0);
                let code = &mut self.linker.code;
                code.emit(Op::LocalTee, word);
                code.op(Op::Output);
                code.emit(Op::LocalGet, word);
                code.constant(0xff);
                code.op(Op::I32And);
            }
            ("env", "getchar", [], [ValType::I32]) => {
                self.linker.reads_bytes = true;
                self.linker.call_routine("getchar");
            }
            (WASI, "proc_exit", [ValType::I32], []) => {
                self.linker.code.op(Op::Exit);
                self.stop();
            }
            (WASI, name, ..) if self.wasi(name, ty) => {}
            (module, name, ..) if self.library_call(module, name, ty) => {}
            (module, name, ..) => {
                let known = self
                    .linker
                    .library
                    .and_then(|library| library.module(module));
                return Err(match known {
                    Some(module) => not_in_library(module, name, ty),
                    None => refusal(module, name, ty),
                });
            }
        }
        Ok(())
    }

    /// Appends a call of a function of the library, if there is one with this name and type.
    /// Returns whether there is.
    fn library_call(&mut self, module: &str, name: &str, ty: &FuncType) -> bool {
        let callee = self.linker.library_function(module, name, ty);
        if let Some(callee) = callee {
            self.linker.code.call(callee);
        }
        callee.is_some()
    }

    /// Appends a call of a WASI function, if there is one with this name and type. Returns whether
    /// there is.
    fn wasi(&mut self, name: &str, ty: &FuncType) -> bool {
        if let Some(key) = self.linker.find_routine(&format!("wasi.{name}")) {
            if self.linker.module(key.unit).type_of(key.index) != ty {
                return false;
            }
            self.linker.reads_bytes |= INPUT.contains(&name);
            self.linker.reads_arguments |= ARGUMENTS.contains(&name);
            let entry = self.linker.request(key);
            self.linker.code.call(entry);
            return true;
        }
        let errno = match ty.results() {
            [ValType::I32] if FILES.contains(&name) => BADF,
            [ValType::I32] if MISSING.contains(&name) => NOSYS,
            _ => return false,
        };
        ty.params()
            .iter()
            .for_each(|_| self.linker.code.op(Op::Drop));
        self.linker.code.constant(errno);
        true
    }

    /// Appends the instruction or the number that an import of the runtime library stands for.
    fn library_import(&mut self, import: &Import<'_>) {
        let layout = self.linker.layout;
        let code = &mut self.linker.code;
        match (import.module, import.name) {
            ("machine", name) => {
                let op = Op::by_name(name);
                code.op(op.unwrap_or_else(|| panic!("the machine has no instruction {name}")));
            }
            ("trap", name) => {
                let trap = Trap::ALL.into_iter().find(|trap| trap.name() == name);
                code.op(Op::trap(
                    trap.unwrap_or_else(|| panic!("there is no trap {name}")),
                ));
                self.stop();
            }
            ("layout", "initial") => code.bits(Bits::Word(layout.initial)),
            ("layout", "limit") => code.bits(Bits::Word(layout.limit)),
            ("layout", "input") => {
                let offset = self.linker.input_offset();
                self.linker.code.constant(offset);
            }
            (module, name) => panic!("the runtime library imports {module}.{name}"),
        }
    }

    /// Appends the body of an imported function that is called through a table: its call, with the
    /// arguments on the stack.
    pub(crate) fn import_body(&mut self) -> Result<(), Error> {
        self.call_import(self.index)?;
        if self.reachable {
            self.linker.code.op(Op::Return);
        }
        Ok(())
    }
}

/// A list of types in parentheses.
fn list<T: ToString>(types: &[T]) -> String {
    let names: Vec<String> = types.iter().map(T::to_string).collect();
    format!("({})", names.join(" "))
}

/// The refusal of a function that a module of the library does not have, or has with other types.
fn not_in_library(module: &LibraryModule, name: &str, ty: &FuncType) -> Error {
    let [path, of] = [&format!("{}.{name}", module.name), &module.name].map(|name| printable(name));
    let own = module
        .functions
        .iter()
        .find(|function| function.name == name);
    let problem = match own {
        Some(own) => format!(
            "the imported function `{path}` has type {} -> {} in the library, not {} -> {}",
            list(&own.params),
            list(&own.results),
            list(ty.params()),
            list(ty.results())
        ),
        None => format!(
            "the library module `{of}` has no function `{}`",
            printable(name)
        ),
    };
    let functions = module.functions.iter();
    let names: Vec<String> = functions.map(|own| printable(&own.name)).collect();
    Error::unsupported(problem).remedy(format!("its functions are {}", names.join(", ")))
}

fn refusal(module: &str, name: &str, ty: &FuncType) -> Error {
    let path = printable(&format!("{module}.{name}"));
    let problem = format!(
        "the imported function `{path}` of type {} -> {} is not supported",
        list(ty.params()),
        list(ty.results())
    );
    Error::unsupported(problem).remedy(
        "a program may import WASI preview 1 (wasi_snapshot_preview1), env.putchar: (i32) -> () or (i32) -> (i32), \
         env.getchar: () -> (i32), and the functions of library modules that the model has in its weights \
         (`weightware modules`, `weightware grow`)",
    )
}
