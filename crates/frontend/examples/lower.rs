//! Lowers a module, lists the instructions of its program with their sources, and runs it.
//!
//! `cargo run -p weightware-frontend --example lower -- MODULE [INPUT]`. The default is a small
//! module that turns its input to capitals.

use std::io::{self, Write};

use weightware_frontend::{Options, lower};
use weightware_isa::Interpreter;

const GREET: &str = r#"(module
  (import "env" "putchar" (func $putchar (param i32)))
  (import "env" "getchar" (func $getchar (result i32)))
  (func (export "main") (result i32) (local $byte i32)
    (loop $next
      (if (i32.ge_s (local.tee $byte (call $getchar)) (i32.const 0)) (then
        (call $putchar (i32.sub (local.get $byte) (i32.const 32)))
        (br $next))))
    (i32.rem_u (i32.const 1000) (i32.const 7))))"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let module = match arguments.next() {
        Some(path) => std::fs::read(path)?,
        None => GREET.into(),
    };
    let input = arguments.next().unwrap_or_else(|| "hello".to_owned());

    let lowered = lower(&module, &Options::default())?;
    let program = lowered.with_input(input.as_bytes());
    let mut out = io::stdout().lock();
    for (index, instruction) in program.code.iter().enumerate() {
        let [b0, b1, b2, b3] = instruction.immediate;
        let listed = format!("{} {b0:02x} {b1:02x} {b2:02x} {b3:02x}", instruction.op);
        write!(out, "{index:6}  {listed:34}")?;
        match lowered.location(index) {
            Some(location) => match location.offset {
                Some(offset) => writeln!(out, "{} {offset:#x}", location.name)?,
                None => writeln!(out, "{}", location.name)?,
            },
            None => writeln!(out)?,
        }
    }
    let mut run = Interpreter::new(&program);
    let outcome = run.run(100_000_000)?;
    writeln!(out, "output: {:?}", String::from_utf8_lossy(run.output()))?;
    writeln!(out, "stderr: {:?}", String::from_utf8_lossy(run.stderr()))?;
    match outcome {
        Some(outcome) => writeln!(out, "{outcome:?} after {} tokens", run.tokens())?,
        None => writeln!(out, "not ended after {} tokens", run.tokens())?,
    }
    Ok(())
}
