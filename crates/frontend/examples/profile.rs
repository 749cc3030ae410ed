//! Runs a module in the plain interpreter and counts its tokens by function and opcode:
//!
//! `cargo run --release -p weightware-frontend --example profile -- MODULE [ARGUMENTS] < INPUT`

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, IsTerminal, Read, Write};

use weightware_frontend::{Input, Options, lower};
use weightware_isa::Interpreter;

const LIMIT: u64 = 1 << 26;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("give a module")?;
    let lowered = lower(&std::fs::read(path)?, &Options::default())?;
    let mut input = Input {
        arguments: arguments
            .iter()
            .map(|text| text.clone().into_bytes())
            .collect(),
        ..Input::default()
    };
    if lowered.reads_input && !io::stdin().is_terminal() {
        io::stdin().read_to_end(&mut input.bytes)?;
    }
    let program = lowered.with_input(&input);
    let mut run = Interpreter::new(&program);
    let mut by_function: HashMap<&str, (u64, u64)> = HashMap::new();
    let mut at = run.cursor();
    let mut before = 0;
    while let Some(token) = run.next() {
        if token?.ends_instruction() {
            let name = lowered.location(at).map_or("}", |location| location.name);
            let entry = by_function.entry(name).or_default();
            entry.0 += run.tokens() - before;
            entry.1 += 1;
            before = run.tokens();
            at = run.cursor();
        }
        if run.tokens() > LIMIT {
            break;
        }
    }
    let mut out = io::stdout().lock();
    io::stderr().write_all(run.stderr())?;
    out.write_all(run.output())?;
    writeln!(out)?;
    let (tokens, executed) = (run.tokens(), run.executed());
    match run.outcome() {
        Some(outcome) => writeln!(
            out,
            "{outcome} after {tokens} tokens, {executed} instructions"
        )?,
        None => writeln!(out, "not ended after {tokens} tokens")?,
    }
    writeln!(
        out,
        "prompt: {} tokens, {} instructions",
        program.prompt().count(),
        program.code.len()
    )?;
    let mut functions: Vec<_> = by_function.into_iter().collect();
    functions.sort_by_key(|&(_, (tokens, _))| std::cmp::Reverse(tokens));
    for (name, (tokens, instructions)) in functions.into_iter().take(25) {
        writeln!(
            out,
            "{tokens:10} tokens {instructions:9} instructions  {name}"
        )?;
    }
    let mut operations: Vec<_> = run.histogram().collect();
    operations.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    for (op, count) in operations.into_iter().take(25) {
        writeln!(out, "{count:10} {op}")?;
    }
    Ok(())
}
