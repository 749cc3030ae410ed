//! The entry code: it initialises the globals, calls the start function and the entry, and ends the
//! program.

use std::collections::HashSet;

use wasmparser::{ExternalKind, ValType};
use weightware_isa::Op;

use super::key::{InitialValue, Key, Unit};
use super::linker::Linker;
use crate::code::{Callee, Code, Label, Origin};
use crate::error::{Error, Place, printable};
use crate::lowered::ResultType;
use crate::module::Module;
use crate::width::{Bits, Width};

/// The functions that a program runs: the start function, then the entry.
pub(crate) struct Entry {
    start: Option<u32>,
    main: Option<Main>,
}

struct Main {
    function: u32,
    call: Call,
}

/// The calling convention of the entry.
enum Call {
    /// Without arguments and results.
    Plain,
    /// Without arguments; the result is the exit code.
    Exit,
    /// With arguments; the trace shows the results.
    Invoke(Vec<Bits>, Vec<ResultType>),
}

impl Entry {
    /// Finds the entry: the export of the options, or `_start`, or `__main_void` (clang's name for
    /// a C `main` without parameters), or `main`, or only a start function.
    pub(crate) fn find(
        module: &Module<'_>,
        asked: Option<&str>,
        arguments: Option<&[String]>,
    ) -> Result<Self, Error> {
        let start = module.start;
        let names = asked.map_or(vec!["_start", "__main_void", "main"], |name| vec![name]);
        for name in &names {
            if let Some(function) = module.exported_function(name) {
                let call = match arguments {
                    Some(arguments) => invocation(module, name, function, arguments)?,
                    None => call(module, name, function)?,
                };
                return Ok(Self {
                    start,
                    main: Some(Main { function, call }),
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

    /// The types of the results that the trace shows.
    pub(crate) fn results(&self) -> &[ResultType] {
        match &self.main {
            Some(Main {
                call: Call::Invoke(_, results),
                ..
            }) => results,
            _ => &[],
        }
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

    /// The entry code, which precedes all functions and has the globals in its frame; and the label
    /// of the program's end, to which it jumps.
    pub(crate) fn lower(&self, linker: &mut Linker<'_>) -> (Code, Label) {
        linker.code.here = Origin::default();
        for (initial, word) in linker.initial_values.clone().into_iter().zip(0..) {
            let width = match initial {
                InitialValue::Bits(bits) => {
                    linker.code.bits(bits);
                    bits.width()
                }
                InitialValue::Place(label) => {
                    linker.code.label_index(label);
                    Width::Word
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
        let words = u32::try_from(linker.initial_values.len()).unwrap_or(u32::MAX);
        let mut scratch = 0;
        let mut exits = false;
        if let Some(main) = &self.main {
            if let Call::Invoke(arguments, _) = &main.call {
                for &bits in arguments {
                    linker.code.bits(bits);
                }
            }
            let callee = callee(linker, main.function);
            linker.code.call(callee);
            match &main.call {
                Call::Plain => {}
                Call::Exit => {
                    linker.code.op(Op::Exit);
                    exits = true;
                }
                Call::Invoke(_, results) => {
                    scratch = u32::from(!results.is_empty());
                    for result in results.iter().rev() {
                        linker.code.emit(result.width().global_set(), words);
                    }
                }
            }
        }
        if !exits {
            linker.code.branch(Op::Br, end);
        }
        (linker.code.finish(0, words + scratch), end)
    }
}

/// A function of the guest.
fn callee(linker: &mut Linker<'_>, index: u32) -> Callee {
    let unit = Unit::Guest;
    linker.request(Key { unit, index })
}

impl ResultType {
    pub(crate) fn of(ty: ValType) -> Option<Self> {
        Some(match ty {
            ValType::I32 => Self::I32,
            ValType::I64 => Self::I64,
            ValType::F32 => Self::F32,
            ValType::F64 => Self::F64,
            _ => return None,
        })
    }

    fn width(self) -> Width {
        match self {
            Self::I32 | Self::F32 => Width::Word,
            Self::I64 | Self::F64 => Width::Double,
        }
    }

    /// Parses a number: decimal; an integer also hexadecimal, and negative.
    fn parse(self, text: &str) -> Option<Bits> {
        let integer = || {
            let (negative, digits) = match text.strip_prefix('-') {
                Some(digits) => (true, digits),
                None => (false, text),
            };
            let magnitude = match digits.strip_prefix("0x") {
                Some(digits) => i128::from(u64::from_str_radix(digits, 16).ok()?),
                None => i128::from(digits.parse::<u64>().ok()?),
            };
            Some(if negative { -magnitude } else { magnitude })
        };
        Some(match self {
            Self::I32 => {
                let number = integer()?;
                let signed = i32::try_from(number).ok().map(i32::cast_unsigned);
                Bits::Word(signed.or(u32::try_from(number).ok())?)
            }
            Self::I64 => {
                let number = integer()?;
                let signed = i64::try_from(number).ok().map(i64::cast_unsigned);
                Bits::Double(signed.or(u64::try_from(number).ok())?)
            }
            Self::F32 => Bits::Word(text.parse::<f32>().ok()?.to_bits()),
            Self::F64 => Bits::Double(text.parse::<f64>().ok()?.to_bits()),
        })
    }
}

/// The place of an entry.
fn place(module: &Module<'_>, function: u32) -> Place {
    Place {
        offset: None,
        function: Some((function, module.name_of(function))),
        instruction: None,
    }
}

/// Checks that the module defines the entry, and does not import it.
fn check_own(module: &Module<'_>, name: &str, function: u32) -> Result<(), Error> {
    match module.body(function) {
        Some(_) => Ok(()),
        None => Err(Error::unsupported(format!(
            "the entry `{}` is an imported function",
            printable(name)
        ))
        .remedy("export a function of the module's own")
        .at(place(module, function))),
    }
}

/// Checks the entry's type and returns its calling convention.
fn call(module: &Module<'_>, name: &str, function: u32) -> Result<Call, Error> {
    check_own(module, name, function)?;
    let ty = module.type_of(function);
    let clang_wraps = ["main", "__main_argc_argv"].contains(&name) && ty.params().len() == 2;
    let name = printable(name);
    let error = match (ty.params(), ty.results()) {
        ([], []) => return Ok(Call::Plain),
        ([], [ValType::I32]) if name != "_start" => return Ok(Call::Exit),
        ([], _) => Error::unsupported(format!(
            "the entry `{name}` has results that are not an exit code"
        ))
        .remedy("give `_start` no result, and `main` none or one i32; or call it by `--invoke`, which prints results"),
        _ if clang_wraps => Error::unsupported(format!(
            "the entry `{name}` has parameters, and no code passes its `argc` and `argv`"
        ))
        .remedy("export code that does, `_start` or `__main_void`: link with crt1.o, as `clang --target=wasm32-wasi` does unless it is given -nostdlib or -nostartfiles"),
        _ => Error::unsupported(format!(
            "the entry `{name}` has parameters, and there are no arguments to pass"
        ))
        .remedy("call it with some, `--invoke NAME FILE ARGS`, or begin with a function that has none"),
    };
    Err(error.at(place(module, function)))
}

/// Checks the arguments of an entry and returns its calling convention.
fn invocation(
    module: &Module<'_>,
    name: &str,
    function: u32,
    arguments: &[String],
) -> Result<Call, Error> {
    check_own(module, name, function)?;
    let ty = module.type_of(function);
    let name = printable(name);
    let known = |types: &[ValType]| -> Option<Vec<ResultType>> {
        types.iter().copied().map(ResultType::of).collect()
    };
    let (Some(parameters), Some(results)) = (known(ty.params()), known(ty.results())) else {
        return Err(Error::unsupported(format!(
            "`{name}` has parameters or results that are not numbers"
        ))
        .remedy("call a function of i32, i64, f32 and f64")
        .at(place(module, function)));
    };
    let shown = |types: &[ValType]| {
        let names: Vec<String> = types.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    if parameters.len() != arguments.len() {
        return Err(Error::unsupported(format!(
            "`{name}` takes {} arguments ({}), and there are {}",
            parameters.len(),
            shown(ty.params()),
            arguments.len()
        ))
        .remedy("give one number for each")
        .at(place(module, function)));
    }
    let values = parameters.iter().zip(arguments).zip(1..);
    let values = values.map(|((parameter, text), number)| {
        parameter.parse(text).ok_or_else(|| {
            let ty = ty.params()[number - 1];
            Error::unsupported(format!(
                "argument {number} of `{name}` must be an {ty}, and `{}` is not",
                printable(text)
            ))
            .remedy("give a decimal number; integers may be hexadecimal, 0x2a")
            .at(place(module, function))
        })
    });
    Ok(Call::Invoke(values.collect::<Result<_, _>>()?, results))
}
