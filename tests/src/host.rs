//! The independent engine, with the imports that the machine offers.

use wasmi::{Caller, Config, Engine, Error, ExternType, Instance, Linker, Module, Store, TrapCode};
use weightware_frontend::Input;
use weightware_isa::{Outcome, Trap};

use crate::streams::Streams;
use crate::wasi;

/// Fuel after which a run counts as endless.
const FUEL: u64 = 2_000_000_000;

#[derive(Default)]
pub(crate) struct Host {
    pub(crate) input: Input,
    pub(crate) read: usize,
    pub(crate) streams: Streams,
    /// How often clocks were read.
    pub(crate) clock_reads: u64,
    /// The state of the random bytes, once some were drawn.
    pub(crate) random: Option<u64>,
}

/// Runs a module: its start function, then `_start` or `main`.
///
/// # Errors
/// If it cannot be instantiated, or does not end.
pub fn run(wasm: &[u8], input: impl Into<Input>) -> Result<(Streams, Outcome), String> {
    run_to_memory(wasm, input).map(|(streams, outcome, _)| (streams, outcome))
}

/// Runs a module like [`run`], and also returns the contents of the exported memory `memory` at the
/// end.
///
/// # Errors
/// If it cannot be instantiated, or does not end.
pub(crate) fn run_to_memory(
    wasm: &[u8],
    input: impl Into<Input>,
) -> Result<(Streams, Outcome, Vec<u8>), String> {
    let (store, instance, outcome) = run_instance(wasm, input.into())?;
    let memory = instance.and_then(|instance| instance.get_memory(&store, "memory"));
    let memory = memory.map_or(vec![], |memory| memory.data(&store).to_vec());
    Ok((store.into_data().streams, outcome, memory))
}

/// Runs a module like [`run`], and also returns the value of an exported global of type `i64` at
/// the end.
///
/// # Errors
/// If it cannot be instantiated, does not end, or has no such global.
pub(crate) fn run_to_global(
    wasm: &[u8],
    input: impl Into<Input>,
    global: &str,
) -> Result<(Streams, Outcome, i64), String> {
    let (store, instance, outcome) = run_instance(wasm, input.into())?;
    let global = instance.and_then(|instance| instance.get_global(&store, global));
    match global.and_then(|global| global.get(&store).i64()) {
        Some(value) => Ok((store.into_data().streams, outcome, value)),
        None => Err("there is no such global".into()),
    }
}

fn run_instance(
    wasm: &[u8],
    input: Input,
) -> Result<(Store<Host>, Option<Instance>, Outcome), String> {
    let mut config = Config::default();
    config.consume_fuel(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, wasm).map_err(|error| error.to_string())?;
    let host = Host {
        input,
        ..Host::default()
    };
    let mut store = Store::new(&engine, host);
    store.set_fuel(FUEL).map_err(|error| error.to_string())?;
    let mut instance = None;
    let outcome = match execute(&module, &engine, &mut store, &mut instance) {
        Ok(outcome) => outcome,
        Err(error) => match error.i32_exit_status() {
            Some(code) => Outcome::Exited(code.cast_unsigned()),
            None => Outcome::Trapped(trap(&error)?),
        },
    };
    Ok((store, instance, outcome))
}

fn execute(
    module: &Module,
    engine: &Engine,
    store: &mut Store<Host>,
    made: &mut Option<Instance>,
) -> Result<Outcome, Error> {
    let instance = linker(module, engine)?.instantiate_and_start(&mut *store, module)?;
    *made = Some(instance);
    let mut entries = ["_start", "main"].into_iter();
    let Some(entry) = entries.find_map(|name| instance.get_func(&*store, name)) else {
        return Ok(Outcome::Halted); // a start function alone
    };
    if let Ok(entry) = entry.typed::<(), i32>(&*store) {
        return Ok(Outcome::Exited(entry.call(store, ())?.cast_unsigned()));
    }
    entry.typed::<(), ()>(&*store)?.call(store, ())?;
    Ok(Outcome::Halted)
}

fn linker(module: &Module, engine: &Engine) -> Result<Linker<Host>, Error> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("env", "getchar", |mut caller: Caller<'_, Host>| {
        let host = caller.data_mut();
        let byte = host
            .input
            .bytes
            .get(host.read)
            .map_or(-1, |&byte| i32::from(byte));
        host.read += 1;
        byte
    })?;
    let put = |mut caller: Caller<'_, Host>, word: i32| {
        let [byte, ..] = word.to_le_bytes();
        caller.data_mut().streams.output.push(byte);
        i32::from(byte)
    };
    let mut imports = module.imports().filter(|import| import.name() == "putchar");
    match imports.next().as_ref().map(wasmi::ImportType::ty) {
        Some(ExternType::Func(ty)) if ty.results().is_empty() => {
            linker.func_wrap(
                "env",
                "putchar",
                move |caller: Caller<'_, Host>, word: i32| {
                    put(caller, word);
                },
            )?;
        }
        _ => {
            linker.func_wrap("env", "putchar", put)?;
        }
    }
    wasi::define(&mut linker, module)?;
    Ok(linker)
}

fn trap(error: &Error) -> Result<Trap, String> {
    Ok(match error.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => Trap::Unreachable,
        Some(TrapCode::MemoryOutOfBounds) => Trap::OutOfBounds,
        Some(TrapCode::TableOutOfBounds) => Trap::UndefinedElement,
        Some(TrapCode::IndirectCallToNull) => Trap::UninitializedElement,
        Some(TrapCode::IntegerDivisionByZero) => Trap::DivideByZero,
        Some(TrapCode::IntegerOverflow) => Trap::IntegerOverflow,
        Some(TrapCode::BadConversionToInteger) => Trap::InvalidConversion,
        Some(TrapCode::StackOverflow) => Trap::CallStackExhausted,
        Some(TrapCode::BadSignature) => Trap::IndirectCallType,
        _ => return Err(error.to_string()),
    })
}
