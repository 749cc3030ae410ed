//! Runs a module twice, in wasmi and lowered in the plain interpreter, and compares the results.

#![allow(dead_code, reason = "every test uses a part")]

use weightware_frontend::{Lowered, Options, lower};
use weightware_isa::{Interpreter, Outcome, Trap};

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) output: Vec<u8>,
    pub(crate) outcome: Outcome,
}

/// Tokens after which a lowered program counts as endless.
const LIMIT: u64 = 400_000_000;

struct Host {
    input: Vec<u8>,
    position: usize,
    output: Vec<u8>,
}

/// Runs a module in wasmi, or returns the reason why it does not run. `None`: it does not end.
pub(crate) fn wasmi(module: &[u8], input: &[u8], fuel: u64) -> Result<Option<Run>, String> {
    let mut config = wasmi::Config::default();
    config.consume_fuel(true);
    let engine = wasmi::Engine::new(&config);
    let module = wasmi::Module::new(&engine, module).map_err(|error| error.to_string())?;
    let host = Host {
        input: input.to_vec(),
        position: 0,
        output: Vec::new(),
    };
    let mut store = wasmi::Store::new(&engine, host);
    store.set_fuel(fuel).expect("fuel is consumed");
    let mut linker = wasmi::Linker::new(&engine);
    let returns = |import: &wasmi::ImportType<'_>| {
        import
            .ty()
            .func()
            .is_some_and(|ty| !ty.results().is_empty())
    };
    let put = |caller: &mut wasmi::Caller<'_, Host>, byte: i32| {
        let [low, ..] = byte.to_le_bytes();
        caller.data_mut().output.push(low);
        i32::from(low)
    };
    if module
        .imports()
        .any(|import| import.name() == "putchar" && returns(&import))
    {
        let putchar = move |mut caller: wasmi::Caller<'_, Host>, byte: i32| put(&mut caller, byte);
        linker
            .func_wrap("env", "putchar", putchar)
            .expect("defined once");
    } else {
        let putchar = move |mut caller: wasmi::Caller<'_, Host>, byte: i32| {
            put(&mut caller, byte);
        };
        linker
            .func_wrap("env", "putchar", putchar)
            .expect("defined once");
    }
    let getchar = |mut caller: wasmi::Caller<'_, Host>| {
        let host = caller.data_mut();
        let byte = host
            .input
            .get(host.position)
            .map_or(-1, |&byte| i32::from(byte));
        host.position += 1;
        byte
    };
    linker
        .func_wrap("env", "getchar", getchar)
        .expect("defined once");
    let result = linker
        .instantiate_and_start(&mut store, &module)
        .and_then(|instance| {
            if let Ok(entry) = instance.get_typed_func::<(), ()>(&store, "_start") {
                entry.call(&mut store, ()).map(|()| Outcome::Halted)
            } else if let Ok(entry) = instance.get_typed_func::<(), i32>(&store, "main") {
                entry
                    .call(&mut store, ())
                    .map(|code| Outcome::Exited(code.cast_unsigned()))
            } else if let Ok(entry) = instance.get_typed_func::<(), ()>(&store, "main") {
                entry.call(&mut store, ()).map(|()| Outcome::Halted)
            } else {
                Ok(Outcome::Halted)
            }
        });
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => match error.as_trap_code() {
            Some(wasmi::TrapCode::OutOfFuel) => return Ok(None),
            Some(code) => Outcome::Trapped(trap(code)),
            None => return Err(error.to_string()),
        },
    };
    Ok(Some(Run {
        output: store.into_data().output,
        outcome,
    }))
}

fn trap(code: wasmi::TrapCode) -> Trap {
    match code {
        wasmi::TrapCode::UnreachableCodeReached => Trap::Unreachable,
        wasmi::TrapCode::MemoryOutOfBounds => Trap::OutOfBounds,
        wasmi::TrapCode::IntegerDivisionByZero => Trap::DivideByZero,
        wasmi::TrapCode::IntegerOverflow => Trap::IntegerOverflow,
        // The machine has no trap of its own for the conversion of NaN.
        wasmi::TrapCode::BadConversionToInteger => Trap::InvalidConversion,
        wasmi::TrapCode::StackOverflow => Trap::CallStackExhausted,
        wasmi::TrapCode::TableOutOfBounds => Trap::UndefinedElement,
        wasmi::TrapCode::IndirectCallToNull => Trap::UninitializedElement,
        wasmi::TrapCode::BadSignature => Trap::IndirectCallType,
        code => panic!("no machine of ours traps with {code:?}"),
    }
}

/// Runs a lowered module; `None`: it does not end within the tokens.
pub(crate) fn machine(lowered: &Lowered, input: &[u8], tokens: u64) -> Option<Run> {
    let program = lowered.with_input(input);
    program.validate().expect("lowered programs are valid");
    let mut run = Interpreter::new(&program);
    let outcome = match run.run(tokens) {
        Ok(outcome) => outcome?,
        Err(fault) => {
            let location = lowered.location(fault.instruction);
            panic!("{fault} at {location:?}\n{}", program.disassemble())
        }
    };
    Some(Run {
        output: run.output().to_vec(),
        outcome,
    })
}

/// Lowers a module's text, runs it, and checks that wasmi agrees.
#[track_caller]
pub(crate) fn check_with(text: &str, input: &[u8]) -> Run {
    let lowered = lower(text.as_bytes(), &Options::default())
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let found = machine(&lowered, input, LIMIT).expect("the lowered program ends");
    let binary = wat::parse_str(text).expect("the text is a module");
    let expected = wasmi(&binary, input, 1 << 32).expect("wasmi runs the module");
    assert_eq!(Some(&found), expected.as_ref(), "{text}");
    found
}

/// Checks a run without input.
#[track_caller]
pub(crate) fn check(text: &str) -> Run {
    check_with(text, b"")
}

/// A module whose `main` has a given body, with the host's functions and one page of memory.
pub(crate) fn module(fields: &str, locals: &str, body: &str) -> String {
    format!(
        r#"(module
  (import "env" "putchar" (func $putchar (param i32)))
  (import "env" "getchar" (func $getchar (result i32)))
  (memory 1)
  {fields}
  (func $main (export "main") (result i32) {locals}
    {body}))"#
    )
}

/// Checks `main` with a given body and returns its exit code.
#[track_caller]
pub(crate) fn exits(body: &str) -> u32 {
    exits_with("", "", body)
}

/// A module with further fields and locals.
#[track_caller]
pub(crate) fn exits_with(fields: &str, locals: &str, body: &str) -> u32 {
    match check(&module(fields, locals, body)).outcome {
        Outcome::Exited(code) => code,
        outcome => panic!("{outcome:?} for {body}"),
    }
}

/// Checks `main` with a given body and returns its trap.
#[track_caller]
pub(crate) fn traps(body: &str) -> Trap {
    match check(&module("", "", body)).outcome {
        Outcome::Trapped(trap) => trap,
        outcome => panic!("{outcome:?} for {body}"),
    }
}
