//! Minimum-cost perfect matching.

use anyhow::{Result, ensure};
use weightware::{Computer, Engine};

use super::exit_code;
use crate::figures::Figures;
use crate::live::{Show, watch};
use crate::workspace;

/// The least cost of the program's matrix, computed independently.
const LEAST_COST: &str = "206";

/// Runs the program.
///
/// # Errors
/// If its result is wrong.
pub(crate) fn compute(engine: Engine, show: Show) -> Result<Figures> {
    let program = workspace::program("matching.wasm")?.program(b"");
    let computer = Computer::default();
    let mut run = computer.run(&program, engine, None)?;
    let figures = watch(&mut run, engine, show, None)?;
    let code = exit_code(&run.end())?;
    ensure!(code == 0, "the program exited with code {code}");
    let output = String::from_utf8_lossy(run.reader().output());
    let numbers = output.split(|c: char| !c.is_ascii_digit());
    ensure!(
        numbers.clone().any(|number| number == LEAST_COST),
        "wrong: the least cost is {LEAST_COST}"
    );
    Ok(figures)
}

pub(super) fn run(engine: Engine) -> Result<()> {
    let figures = compute(engine, Show::Output)?;
    println!("{figures}");
    Ok(())
}
