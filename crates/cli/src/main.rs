//! The command line: parses arguments, calls the library, prints.
#![forbid(unsafe_code)]

mod args;
mod card;
mod certify;
mod execute;
mod explain;
mod failure;
mod generate;
mod input;
mod interrupt;
mod names;
mod prompt;
mod report;
mod saved;
mod screen;
mod weights;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::execute::Print;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Run(args) => execute::execute(Print::Output, &args.execution, &args.arguments),
        Command::Trace(args) => execute::execute(Print::Trace, &args, &[]),
        Command::Explain(args) => explain::explain(&args),
        Command::Tokens(args) => prompt::print(&args),
        Command::Weights(args) => weights::write(&args),
        Command::Certify(args) => certify::certify(&args),
        Command::Generate(args) => generate::generate(&args),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            if let Some(text) = failure.text() {
                say(&format!("error: {text}"));
            }
            ExitCode::from(failure.status())
        }
    }
}

/// A line on stderr. If stderr is closed there is nobody to tell.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
