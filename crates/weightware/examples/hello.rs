//! Runs a WebAssembly module inside the transformer and prints what it writes.
//!
//! `cargo run --release -p weightware --example hello`

use std::io::{self, Write};

use weightware::{Computer, Engine, Outcome, RunEnd, Source};

const MODULE: &str = r#"(module
    (import "env" "putchar" (func $putchar (param i32)))
    (memory (data "Hello from the weights!\n\00"))
    (func (export "_start") (local $at i32)
        (loop $next
            (call $putchar (i32.load8_u (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.load8_u (local.get $at))))))"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let source = Source::parse(MODULE.as_bytes())?;
    let program = source.program(b"");
    let computer = Computer::default(); // compiles the weights
    let mut run = computer.run(&program, Engine::Plan, None)?;
    assert_eq!(run.finish(), RunEnd::Outcome(Outcome::Halted));
    io::stdout().write_all(run.reader().output())?;
    writeln!(
        io::stdout(),
        "{} tokens decoded after {} of the prompt",
        run.reader().tokens(),
        run.prompt_tokens()
    )?;
    Ok(())
}
