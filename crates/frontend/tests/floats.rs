//! Operators of 64-bit integers and floating point: the library's module in wasmi, and programs
//! that use it in the plain interpreter, both against the host's arithmetic.

use std::fmt::Write as _;

use crate::numbers::{INTEGERS, Operands, Operator, Type, operators};
use wasmi::{Caller, Engine, Linker, Module, Store, Val};
use weightware_frontend::{Options, lower};
use weightware_isa::{Interpreter, Outcome};

struct Library {
    store: Store<()>,
    instance: wasmi::Instance,
}

impl Library {
    fn new() -> Self {
        let engine = Engine::default();
        let binary = include_bytes!("../src/software/float.wasm");
        let module = Module::new(&engine, binary.as_slice()).expect("the library is a module");
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let join = |_: Caller<'_, ()>, low: i32, high: i32| {
            i64::from(low.cast_unsigned()) | i64::from(high) << 32
        };
        let high = |_: Caller<'_, ()>, double: i64| (double >> 32) as i32;
        let mul_high = |_: Caller<'_, ()>, pair: i64, low: i32| {
            let (a, b) = (pair as u32, (pair >> 32) as u32);
            let product = u64::from(a) * u64::from(b);
            assert_eq!(product as u32, low.cast_unsigned(), "not the product");
            (product >> 32) as i32
        };
        let trap =
            |_: Caller<'_, ()>| -> Result<(), wasmi::Error> { Err(wasmi::Error::new("trap")) };
        linker.func_wrap("machine", "i64.join", join).expect("new");
        linker.func_wrap("machine", "i64.high", high).expect("new");
        linker
            .func_wrap("machine", "i32.mul_high", mul_high)
            .expect("new");
        linker
            .func_wrap("trap", "integer_overflow", trap)
            .expect("new");
        linker
            .func_wrap("trap", "invalid_conversion", trap)
            .expect("new");
        let instance = linker
            .instantiate_and_start(&mut store, &module)
            .expect("it has its imports");
        Self { store, instance }
    }

    fn check(&mut self, operator: &Operator, operands: &mut Operands, count: u64) {
        let routine = self
            .instance
            .get_func(&self.store, operator.name)
            .unwrap_or_else(|| panic!("there is no {}", operator.name));
        let value = |ty: Type, bits: u64| match ty.bytes() {
            4 => Val::I32(bits as i32),
            _ => Val::I64(bits as i64),
        };
        for _ in 0..count {
            let (a, b) = operands.pair(operator);
            let bits = [a, b];
            let given: Vec<Val> = operator
                .operands
                .iter()
                .zip(bits)
                .map(|(&ty, bits)| value(ty, bits))
                .collect();
            let mut result = [value(operator.result, 0)];
            let done = routine.call(&mut self.store, &given, &mut result);
            let found = done.ok().map(|()| match result[0] {
                Val::I32(word) => u64::from(word.cast_unsigned()),
                Val::I64(double) => double.cast_unsigned(),
                _ => panic!("the library has integers alone"),
            });
            let wanted = (operator.compute)(a, b);
            assert_eq!(found, wanted, "{} {a:#x} {b:#x}", operator.name);
        }
    }
}

#[test]
fn the_library_is_right() {
    let mut library = Library::new();
    let mut operands = Operands(1);
    for operator in operators() {
        library.check(operator, &mut operands, 20_000);
    }
}

/// `cargo test --release -p weightware-frontend --test it floats -- --ignored`
#[test]
#[ignore = "millions of operands"]
fn the_library_is_right_for_millions() {
    let mut library = Library::new();
    let mut operands = Operands(2);
    for operator in operators() {
        library.check(operator, &mut operands, 3_000_000);
    }
}

/// A module that outputs the results of an operator for operands that are data, which do not trap.
fn module(operator: &Operator, pairs: &[(u64, u64)]) -> String {
    let mut data = String::new();
    for &(a, b) in pairs {
        for byte in a.to_le_bytes().into_iter().chain(b.to_le_bytes()) {
            let _ = write!(data, "\\{byte:02x}");
        }
    }
    let load =
        |offset: usize, ty: Type| format!("({}.load offset={offset} (local.get 0))", ty.name());
    let gets: String = operator
        .operands
        .iter()
        .enumerate()
        .map(|(index, &ty)| load(8 * index, ty))
        .collect();
    let bytes = operator.result.bytes();
    let puts: String = (0..bytes)
        .map(|byte| {
            format!(
                "(call $put (i32.load8_u offset={} (i32.const 0)))",
                60_000 + byte
            )
        })
        .collect();
    format!(
        r#"(module (import "env" "putchar" (func $put (param i32))) (memory 1)
          (data (i32.const 0) "{data}")
          (func (export "_start") (local i32)
            (loop
              ({ty}.store offset=60000 (i32.const 0) ({name} {gets}))
              {puts}
              (local.set 0 (i32.add (local.get 0) (i32.const 16)))
              (br_if 0 (i32.lt_u (local.get 0) (i32.const {end}))))))"#,
        ty = operator.result.name(),
        name = operator.name,
        end = 16 * pairs.len(),
    )
}

#[test]
fn programs_compute_like_the_host() {
    let mut operands = Operands(3);
    for operator in INTEGERS.iter().chain(operators()) {
        let mut pairs = Vec::new();
        let mut wanted = Vec::new();
        while pairs.len() < 100 {
            let (a, b) = operands.pair(operator);
            if let Some(result) = (operator.compute)(a, b) {
                pairs.push((a, b));
                wanted.extend_from_slice(&result.to_le_bytes()[..operator.result.bytes()]);
            }
        }
        let text = module(operator, &pairs);
        let lowered = lower(text.as_bytes(), &Options::default()).expect("it lowers");
        let mut run = Interpreter::new(&lowered.program);
        let outcome = run.run(1 << 24).expect("no fault");
        assert_eq!(outcome, Some(Outcome::Halted), "{}", operator.name);
        for (index, chunk) in wanted.chunks(operator.result.bytes()).enumerate() {
            let at = index * operator.result.bytes();
            let found = &run.output()[at..at + chunk.len()];
            assert_eq!(found, chunk, "{} {:x?}", operator.name, pairs[index]);
        }
    }
}
