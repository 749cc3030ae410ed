//! The command line: parses arguments, calls the library, prints.
#![forbid(unsafe_code)]

mod args;
mod backtrace;
mod builtin;
mod card;
mod certify;
mod compile;
mod contents;
mod contexts;
mod covered;
mod execute;
mod explain;
mod failure;
mod folders;
mod function;
mod generate;
mod grow;
mod grown;
mod headers;
mod info;
mod input;
mod interrupt;
mod json;
mod library;
mod limits;
mod machine;
mod modules;
mod names;
mod needs;
mod prompt;
mod report;
mod results;
mod saved;
mod screen;
mod shape;
mod shell;
mod sources;
mod stdin;
mod stored;
mod target;
mod thousands;
mod trapped;
mod units;
mod version;
mod weights;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let mut given = std::env::args_os().skip(1);
    if given.next().is_some_and(|first| first == "--version") && given.next().is_none() {
        return ended(version::print());
    }
    let args = Args::try_parse().unwrap_or_else(|error| misused(&error));
    ended(match args.command {
        Command::Run(args) => execute::execute(false, &args),
        Command::Trace(args) => execute::execute(true, &args),
        Command::Explain(args) => explain::explain(&args),
        Command::Tokens(args) => prompt::print(&args),
        Command::Grow(args) => grow::grow(&args),
        Command::Modules(args) => modules::modules(&args),
        Command::Weights(args) => weights::write(&args),
        Command::Compile(args) => compile::compile(&args),
        Command::Certify(args) => certify::certify(&args),
        Command::Generate(args) => generate::generate(&args),
        Command::Info(args) => info::info(&args),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { out } => shell::manual(&out),
    })
}

/// Says what is wrong with the arguments, and ends the process. A file in place of a command, which
/// other engines take, gets the command that runs it.
fn misused(error: &clap::Error) -> ! {
    let first = std::env::args_os().nth(1).unwrap_or_default();
    let file = Path::new(&first);
    if error.kind() == ErrorKind::InvalidSubcommand && file.is_file() {
        let file = failure::printable(&file.display().to_string());
        say(&format!(
            "error: `{file}` is not a command; `weightware run {file}` runs the file"
        ));
        std::process::exit(failure::REFUSED.into());
    }
    error.exit()
}

/// The exit code; an error is shown.
fn ended(done: failure::Result<u8>) -> ExitCode {
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
