//! Compiles programs, and prints where their modules are; with `--native`, a line more for the
//! native program.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "commands print")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let (options, names): (Vec<_>, Vec<_>) = arguments.partition(|word| word.starts_with('-'));
    let native = options.iter().any(|option| option == "--native");
    for name in names {
        let program = weightware_real::named(&name)?;
        println!("{}", program.module()?.display());
        if native {
            let file = program.native()?;
            let file = file.ok_or_else(|| format!("{name} has no native build"))?;
            println!("{}", file.display());
        }
    }
    Ok(())
}
