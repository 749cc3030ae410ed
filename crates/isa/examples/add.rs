//! Runs 3 + 5, or the program text in the file named by the first argument, and writes its trace.

use std::error::Error;
use std::io::{BufWriter, Write};

use weightware_isa::{Interpreter, Program, TraceReader};

const ADD: &str =
    "{ i32.const 03 00 00 00 i32.const 05 00 00 00 i32.add 00 00 00 00 output 00 00 00 00 }";

fn main() -> Result<(), Box<dyn Error>> {
    let text = match std::env::args_os().nth(1) {
        Some(path) => std::fs::read_to_string(path)?,
        None => ADD.to_owned(),
    };
    let program: Program = text.parse()?;
    let mut reader = TraceReader::new();
    let mut stdout = BufWriter::new(std::io::stdout().lock());
    for token in Interpreter::new(&program) {
        if let Some(line) = reader.feed(token?) {
            writeln!(stdout, "{line}")?;
        }
    }
    if let Some(outcome) = reader.outcome() {
        writeln!(
            stdout,
            "# {outcome}; output {:02x?}; {} tokens",
            reader.output(),
            reader.tokens()
        )?;
    }
    stdout.flush()?;
    Ok(())
}
