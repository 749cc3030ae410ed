//! Trace tokens of programs with each of the lowering's passes alone, with all but it, with none and with all:
//!
//! `cargo run --release -p weightware-frontend --example passes -- MODULE[,INPUT]...`

use std::error::Error;

use weightware_frontend::{Options, Pass, Passes, lower};
use weightware_isa::Interpreter;

fn main() -> Result<(), Box<dyn Error>> {
    let mut sets = vec![("none".to_owned(), Passes::none())];
    for pass in Pass::ALL {
        sets.push((format!("{pass:?} alone"), Passes::none().with(pass)));
    }
    for pass in Pass::ALL {
        sets.push((format!("all but {pass:?}"), Passes::all().without(pass)));
    }
    sets.push(("peephole".into(), Passes::none().with(Pass::Peephole)));
    sets.push(("all".to_owned(), Passes::all()));
    for argument in std::env::args().skip(1) {
        let (path, input) = argument.split_once(',').unwrap_or((&argument, ""));
        let input = if input.starts_with('@') {
            std::fs::read(&input[1..])?
        } else {
            input.as_bytes().to_vec()
        };
        println!("{path}");
        let mut seen: Option<(Vec<u8>, _)> = None;
        for (name, passes) in &sets {
            let options = Options::default().with_passes(*passes);
            let lowered = lower(&std::fs::read(path)?, &options)?;
            let program = lowered.with_input(&input[..]);
            let mut run = Interpreter::new(&program);
            let outcome = match run.run(1 << 30) {
                Ok(o) => o,
                Err(e) => {
                    println!("{name}: {e} {:?}", lowered.location(e.instruction));
                    for i in e.instruction.saturating_sub(20)..e.instruction + 2 {
                        let x = program.code[i];
                        println!("   {i} {} {:?}", x.op, x.immediate);
                    }
                    continue;
                }
            };
            let found = (run.output().to_vec(), outcome);
            if seen.as_ref().is_some_and(|seen| *seen != found) {
                println!("DIFFERENT");
            }
            seen.get_or_insert(found);
            println!(
                "{:10} tokens {:8} instructions  {name}",
                run.tokens(),
                program.code.len()
            );
        }
    }
    Ok(())
}
