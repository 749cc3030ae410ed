//! Prints prompt and trace of `3 + 5`, by every engine, checked by the plain interpreter.
//!
//! `cargo run --release -p weightware --example trace`

use std::io::{self, Write};

use weightware::{Computer, Engine, Outcome, RunEnd, Source};

const PROGRAM: &str =
    "{ i32.const 03 00 00 00 i32.const 05 00 00 00 i32.add 00 00 00 00 output 00 00 00 00 }";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    let program = Source::parse(PROGRAM.as_bytes())?.program(b"");
    let computer = Computer::default();
    writeln!(out, "{PROGRAM}")?;
    let mut traces = vec![];
    for engine in Engine::available() {
        // The interpreter sees a token after it is decoded; a difference would end the run.
        let mut run = computer.run(&program, engine, None)?.checked(&program, &[]);
        let mut lines = vec![];
        while let Some((_, line)) = run.step() {
            lines.extend(line.map(|line| line.to_string()));
        }
        assert_eq!(run.end(), RunEnd::Outcome(Outcome::Halted));
        traces.push(lines);
    }
    assert!(traces.iter().all(|trace| *trace == traces[0]));
    writeln!(out, "{}", traces[0].join("\n"))?;
    let names: Vec<&str> = Engine::available().map(Engine::name).collect();
    writeln!(out, "the same by {}", names.join(", "))?;
    Ok(())
}
