//! 3 + 5.

use anyhow::{Result, ensure};
use weightware::{Computer, Engine, Program};

use crate::figures::Figures;

/// The program as it occurs in the prompt.
pub(crate) const PROGRAM: &str =
    "{ i32.const 03 00 00 00 i32.const 05 00 00 00 i32.add 00 00 00 00 output 00 00 00 00 }";

const TRACE: [&str; 5] = [
    "03 00 00 00 commit(+1,sts=1,bt=0)",
    "05 00 00 00 commit(+1,sts=1,bt=0)",
    "08 00 00 00 commit(-1,sts=1,bt=0)",
    "out(08)",
    "halt",
];

pub(super) fn run(engine: Engine) -> Result<()> {
    let program: Program = PROGRAM.parse()?;
    let computer = Computer::default();
    println!("{PROGRAM}");
    let mut run = computer.run(&program, engine, Some(100))?;
    let mut lines = vec![];
    while let Some((_, line)) = run.step() {
        if let Some(line) = line {
            println!("{line}");
            lines.push(line.to_string());
        }
    }
    println!("{}", Figures::of(&run, engine));
    ensure!(lines == TRACE, "the trace is wrong");
    Ok(())
}
