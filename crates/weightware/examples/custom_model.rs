//! Compiles a smaller machine, writes it as a model folder, reads that, and runs a program on it.
//!
//! `cargo run --release -p weightware --example custom_model`

use std::io::{self, Write};

use weightware::{Computer, Engine, Extension, Model, Profile, RunEnd, Source, compile};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    let folder = std::env::temp_dir().join(format!("weightware-{}", std::process::id()));
    // The core and the quotients: no shifts, no products, no 64-bit words.
    let compiled = compile(Profile::STOCK, &[Extension::Traps, Extension::Divide])?;
    writeln!(out, "{}", compiled.usage)?;
    compiled.model.save(&folder)?;

    let model = Model::load(&folder)?;
    std::fs::remove_dir_all(&folder)?;
    let computer = Computer::new(model)?;
    let source = Source::parse(
        b"(module (func (export \"main\") (result i32) (i32.div_u (i32.const 91) (i32.const 7))))",
    )?;
    let program = source.program(b"");
    let mut run = computer.run(&program, Engine::Hull, None)?;
    match run.finish() {
        RunEnd::Outcome(outcome) => writeln!(out, "91 / 7: {outcome}")?,
        other => writeln!(out, "{other:?}")?,
    }
    Ok(())
}
