//! Drivers: C programs that call a module's functions as their input directs.
//!
//! A driver is generated from the module's manifest, so a new function needs no line here. The
//! requests are those of `driver.h`. It includes the module's header alone: whether its functions
//! are linked or imported, the compiler's flags decide.

pub(crate) mod calls;
pub(crate) mod machine;
mod native;

use std::fs;
use std::path::{Path, PathBuf};

use weightware_modules::{Function, Module, SHARED, Value};

pub(crate) use calls::{Argument, Called, Calls};

/// An offset that stands for NULL.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// A place where a driver runs. C's types have other sizes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A program of the host, by `cc`.
    Native,
    /// A WebAssembly module, executed by the weights.
    Machine,
    /// A module without the functions that it tests: they are in the weights, and it imports them.
    Imported,
}

impl Target {
    /// The bytes of a pointer, and of a `long`.
    pub(crate) fn pointer(self) -> usize {
        match self {
            Self::Native => size_of::<usize>(),
            Self::Machine | Self::Imported => 4,
        }
    }

    /// The number of cases for this target, by which the host runs more. Imported functions are
    /// those of the machine at other numbers, so fewer cases of them do.
    pub(crate) fn cases(self, native: usize, machine: usize) -> usize {
        match self {
            Self::Native => native,
            Self::Machine => machine,
            Self::Imported => machine.div_ceil(2),
        }
    }

    /// Runs a module's driver: its replies to requests.
    fn replies(self, module: &Module, requests: &[u8]) -> Vec<u8> {
        match self {
            Self::Native => native::replies(module, "", requests),
            Self::Machine | Self::Imported => {
                machine::Driver::new(module, &source(module, ""), self).output(requests)
            }
        }
    }
}

/// Tests that call functions natively, and through the weights.
macro_rules! native_and_machine {
    ($all:path) => {
        #[test]
        fn native() {
            $all($crate::driver::Target::Native);
        }

        #[test]
        fn machine() {
            $all($crate::driver::Target::Machine);
        }
    };
}
pub(crate) use native_and_machine;

/// The parameters of a C declaration.
pub(crate) fn parameters(signature: &str) -> Vec<String> {
    let (_, list) = signature.split_once('(').expect("parameters");
    let list = list.strip_suffix(')').expect("their end");
    let (mut found, mut depth) = (vec![String::new()], 0);
    for c in list.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match c {
            ',' if depth == 0 => found.push(String::new()),
            _ => found.last_mut().expect("a parameter").push(c),
        }
    }
    let found = found.iter().map(|parameter| parameter.trim().to_owned());
    found
        .filter(|parameter| !parameter.is_empty() && parameter != "void")
        .collect()
}

/// The C statement that calls a function with arguments from the input.
fn call(function: &Function, module: &str) -> String {
    let parameters = parameters(&function.signature);
    assert_eq!(parameters.len(), function.params.len(), "{}", function.name);
    let (mut before, mut arguments, mut after) = (String::new(), vec![], String::new());
    for (at, (parameter, value)) in parameters.iter().zip(&function.params).enumerate() {
        let argument = format!("a{at}");
        if parameter.contains("(*") {
            before += &format!("uint32_t {argument} = get32(); ");
            arguments.push(format!("callbacks[{argument}]"));
        } else if parameter.contains("**") {
            before += &format!("uint32_t {argument} = get32(); char *end{at} = 0; ");
            arguments.push(format!("{argument} == NOWHERE ? 0 : &end{at}"));
            after += &format!(
                "if ({argument} != NOWHERE) *(uint32_t *)at({argument}) = (uint32_t)((uint8_t *)end{at} - memory); "
            );
        } else {
            let (ty, get) = match value {
                Value::I32 if parameter.contains('*') => ("void *", "at(get32())"),
                Value::I32 => ("uint32_t ", "get32()"),
                Value::I64 => ("uint64_t ", "get64()"),
                Value::F32 => ("float ", "get_f32()"),
                Value::F64 => ("double ", "get_f64()"),
            };
            before += &format!("{ty}{argument} = {get}; ");
            arguments.push(argument);
        }
    }
    let called = format!("{module}_{}({})", function.name, arguments.join(", "));
    let (result, put) = match function.results[..] {
        [] => (String::new(), String::new()),
        [value] => {
            let (head, _) = function.signature.split_once('(').expect("parameters");
            let (ty, put) = match value {
                Value::I32 if head.contains('*') => ("const void *", "put_pointer"),
                Value::I32 => ("uint32_t ", "put32"),
                Value::I64 => ("uint64_t ", "put64"),
                Value::F32 => ("float ", "put_f32"),
                Value::F64 => ("double ", "put_f64"),
            };
            (format!("{ty}result = "), format!("{put}(result);"))
        }
        _ => unreachable!("a C function has one result"),
    };
    format!("{before}mark(); {result}{called}; mark(); {after}{put}")
}

/// The C source of a module's driver. An oracle's text stands after the headers, and may rename
/// functions to its own.
pub(crate) fn source(module: &Module, oracle: &str) -> String {
    let name = &module.name;
    let mut source = format!(
        "#include \"{name}/{name}.h\"\n#include \"driver.h\"\n{oracle}\n\
         static void call(uint32_t number) {{\n    switch (number) {{\n"
    );
    for (number, function) in module.functions.iter().enumerate() {
        let call = call(function, name);
        source += &format!("    case {number}: {{ {call} break; }}\n");
    }
    source + "    }\n}\n"
}

/// Writes a module's files and a program to a folder; returns the C sources. The module's own are
/// the last ones.
fn write(module: &Module, program: &str, folder: &Path) -> Vec<PathBuf> {
    fs::create_dir(folder.join(&module.name)).expect("a folder");
    for file in module.files.iter().chain([&SHARED]) {
        fs::write(folder.join(file.path), file.text).expect("written");
    }
    let driver = folder.join("program.c");
    fs::write(&driver, program).expect("written");
    fs::write(folder.join("driver.h"), include_str!("driver.h")).expect("written");
    let sources = module.sources().map(|file| folder.join(file.path));
    [driver].into_iter().chain(sources).collect()
}
