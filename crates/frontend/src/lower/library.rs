//! The lowering of library modules to blocks of code with fixed numbers.

use std::collections::HashSet;

use weightware_isa::Op;

use super::key::{Key, Unit};
use super::linker::{Linker, stack_pointer};
use super::{lower_reachable, runtime_library};
use crate::code::{Encoder, Label};
use crate::error::{Error, printable};
use crate::library::{
    DISPATCH_WORD, GAP, Library, LibraryFunction, LibraryModule, SOFTWARE, STACK_WORD,
};
use crate::lowered::ResultType;
use crate::memory_layout::MemoryLayout;
use crate::module::Module;
use crate::module::host_imports::WASI;
use crate::options::Options;
use crate::passes::{self, Pass};
use crate::width::Bits;

/// Names of modules that stand for something else.
const RESERVED: [&str; 3] = [SOFTWARE, "env", WASI];

/// Addresses of constants: programs write below them, and the weights have nothing beyond.
const CONSTANTS: std::ops::RangeInclusive<u64> = 1 << 23..=1 << 24;

impl Library {
    /// Adds the operators that the machine lacks: 64-bit products and quotients, floating point.
    ///
    /// # Errors
    /// If the library has no number left.
    pub fn add_software(&mut self) -> Result<(), Error> {
        let linker = Linker::new(runtime_library::routines(), layout(), true);
        let mut wanted = vec![];
        for unit in [Unit::Routines, Unit::Floats] {
            for &(name, _, index) in &linker.module(unit).exports {
                let operator = ["i32.", "i64.", "f32.", "f64."];
                if operator.iter().any(|prefix| name.starts_with(prefix)) {
                    wanted.push((name.to_owned(), Key { unit, index }));
                }
            }
        }
        let short = passes::SHORT_IN_WEIGHTS;
        let lowered = self.lower(SOFTWARE, linker, short, &wanted, vec![])?;
        self.modules.push(lowered);
        Ok(())
    }

    /// Adds the exported functions of a module, a binary or text. Constants must lie at addresses
    /// that programs do not write.
    ///
    /// # Errors
    /// If the module is not valid, has state of its own, such as another mutable global than a
    /// stack pointer, or imports other functions than those of the library; or if there is a module
    /// of that name.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        if RESERVED.contains(&name) {
            let error = Error::unsupported(format!(
                "`{name}` is no name for a library module: it names what every machine has"
            ));
            return Err(error.remedy("give it another name"));
        }
        if self.module(name).is_some() {
            let name = printable(name);
            let error = Error::unsupported(format!("the library has a module `{name}` already"));
            return Err(error.remedy("give this one another name"));
        }
        let binary = wat::parse_bytes(bytes)
            .map_err(|error| Error::invalid(format!("the text cannot be parsed: {error}")))?;
        let module = Module::parse(&binary, &[])?;
        check(&module)?;
        let mut linker = Linker::new(&module, layout(), true);
        linker.library = Some(self);
        linker.reserve(&module);
        let functions = module.exports.iter();
        let functions = functions.filter(|(_, kind, _)| *kind == wasmparser::ExternalKind::Func);
        let wanted: Vec<(String, Key)> = functions
            .filter(|&&(_, _, index)| module.body(index).is_some())
            .map(|&(name, _, index)| {
                let unit = Unit::Guest;
                (name.to_owned(), Key { unit, index })
            })
            .collect();
        let data = module
            .data
            .iter()
            .filter_map(|data| Some((data.address?, data.bytes.to_vec())));
        let mut memory: Vec<(u32, Vec<u8>)> = data.collect();
        memory.sort();
        self.check_memory(&memory)?;
        check_variables(&module, &memory)?;
        if wanted.is_empty() {
            return Err(Error::unsupported("a library module exports no function").remedy(
                "declare functions in C by WEIGHTWARE_FUNCTION, or export them, (export \"name\")",
            ));
        }
        let lowered = self
            .clone()
            .lower(name, linker, passes::SHORT, &wanted, memory)?;
        self.modules.push(lowered);
        Ok(())
    }

    /// Refuses constants that programs may write, and those at addresses of others.
    fn check_memory(&self, memory: &[(u32, Vec<u8>)]) -> Result<(), Error> {
        let span = |(first, bytes): &(u32, Vec<u8>)| {
            let first = u64::from(*first);
            first..first + bytes.len() as u64
        };
        let free = self.free_address();
        let refuse = |problem: String| {
            Err(Error::unsupported(problem).remedy(format!(
                "link it with other addresses, such as -Wl,--global-base={free:#x}"
            )))
        };
        for own in memory.iter().map(span) {
            let (first, end) = (own.start, own.end);
            if first < *CONSTANTS.start() || end > *CONSTANTS.end() {
                return refuse(format!(
                    "a library module has constants at {first:#x} to {end:#x}, not between {:#x} and {:#x}",
                    CONSTANTS.start(),
                    CONSTANTS.end()
                ));
            }
            for module in &self.modules {
                let mut spans = module.memory.iter().map(span);
                if spans.any(|other| first < other.end && other.start < end) {
                    return refuse(format!(
                        "a library module has constants at {first:#x} to {end:#x}, where those of `{}` are",
                        printable(&module.name)
                    ));
                }
            }
        }
        Ok(())
    }

    /// Lowers functions to a block of code after those of the library. Functions of up to `short`
    /// instructions are inlined.
    fn lower(
        &self,
        name: &str,
        mut linker: Linker<'_>,
        short: usize,
        wanted: &[(String, Key)],
        memory: Vec<(u32, Vec<u8>)>,
    ) -> Result<LibraryModule, Error> {
        let requested = wanted
            .iter()
            .map(|(name, key)| (name, *key, linker.request(*key).label));
        let requested: Vec<_> = requested.collect();
        let kept: HashSet<Label> = requested.iter().map(|&(_, _, label)| label).collect();
        let mut reachable = lower_reachable(&mut linker)?;
        passes::run(
            &mut reachable.functions,
            (Options::default().passes, short),
            &kept,
            &kept,
            || linker.code.label(),
        );
        debug_assert!(Options::default().passes.contains(Pass::Peephole));
        let mut encoder = Encoder::default();
        for &(label, address) in &linker.absolute {
            encoder.bind_absolute(label, address);
        }
        for (label, code) in reachable.functions {
            encoder.function(label, &code)?;
        }
        // The words of a stack pointer and of a dispatch, at most.
        if linker.initial_values.len() > 2 || !linker.passive.is_empty() {
            return Err(Error::unsupported(format!(
                "the library module `{}` has state, by the operators that it uses",
                printable(name)
            ))
            .remedy("leave the size of the memory and passive data to the program"));
        }
        let calls_back = !reachable.dispatches.is_empty();
        for (label, _) in reachable.dispatches {
            linker.code.emit(Op::GlobalGet, DISPATCH_WORD);
            linker.code.op(Op::BrStack);
            encoder.function(label, &linker.code.finish(0, 0))?;
        }
        for (label, code) in linker.trap_code() {
            encoder.function(label, &code)?;
        }
        let first = self.next_number();
        let entries = requested.iter().map(|&(name, key, label)| {
            let ty = linker.module(key.unit).type_of(key.index);
            let types = |types: &[wasmparser::ValType]| {
                types.iter().filter_map(|&ty| ResultType::of(ty)).collect()
            };
            LibraryFunction {
                name: name.clone(),
                params: types(ty.params()),
                results: types(ty.results()),
                entry: encoder.address(label, first),
            }
        });
        let functions = entries.collect();
        let code = encoder.finish_at(first)?;
        let last = first as usize + code.len() + GAP as usize;
        if last >= 1 << 24 {
            return Err(
                Error::too_large("the library has more than 2^24 instructions")
                    .remedy("leave out modules that are not needed"),
            );
        }
        Ok(LibraryModule {
            name: name.to_owned(),
            first,
            code: code.into(),
            memory,
            functions,
            needs_stack: linker.uses_word(STACK_WORD),
            calls_back,
        })
    }
}

/// The memory as a library sees it: addresses are those of the machine, and none is outside.
fn layout() -> MemoryLayout {
    MemoryLayout {
        origin: 0,
        shift: 0,
        initial: 256,
        limit: 256,
        held: u8::MAX.into(),
        capped: false,
        stack_pointer: None,
        hidden: 0,
        end: 0,
    }
}

/// Refuses a module with variables, if it tells where they end, as C modules do.
fn check_variables(module: &Module<'_>, memory: &[(u32, Vec<u8>)]) -> Result<(), Error> {
    let mut exports = module.exports.iter();
    let end = exports
        .find(|(name, kind, _)| *kind == wasmparser::ExternalKind::Global && *name == "__data_end");
    let end = end.and_then(|&(_, _, index)| module.globals.get(index as usize)?.value);
    let constants = memory
        .iter()
        .map(|(first, bytes)| first + bytes.len() as u32);
    match (end, constants.max()) {
        // The linker aligns the end of constants to 16 at most.
        (Some(Bits::Word(end)), Some(constants)) if end > constants.next_multiple_of(16) => {}
        // Without constants, variables begin at the linker's address.
        (Some(Bits::Word(end)), None) if !end.is_multiple_of(16) => {}
        _ => return Ok(()),
    }
    Err(
        Error::unsupported("a library module has variables, such as a static one of C")
            .remedy("pass a pointer to state, which the caller owns; make constants `const`"),
    )
}

/// Refuses a module with state of its own.
fn check(module: &Module<'_>) -> Result<(), Error> {
    let refuse = |problem: &str, remedy: &'static str| {
        Err(Error::unsupported(format!("a library module has {problem}")).remedy(remedy))
    };
    let mutable = module.globals.iter().filter(|global| global.mutable);
    if mutable.count() > usize::from(stack_pointer(module).is_some()) {
        return refuse(
            "mutable globals besides the stack pointer",
            "pass a pointer to state, which the caller owns; a stack pointer is the first one, named `$__stack_pointer` or not at all, and a multiple of 16",
        );
    }
    if module.start.is_some() {
        return refuse(
            "a start function",
            "leave it out: nothing runs before a call",
        );
    }
    if module
        .tables
        .iter()
        .any(|table| table.iter().any(Option::is_some))
    {
        return refuse(
            "functions in a table of its own",
            "call functions by name; a program passes elements of its own table",
        );
    }
    Ok(())
}
