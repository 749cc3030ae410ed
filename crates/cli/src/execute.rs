//! `run` and `trace`.

use std::io::Write;

use anyhow::Error;
use weightware::{Run, Token};

use crate::args::ExecutionArgs;
use crate::failure::{Failure, Result};
use crate::input::{self, Loaded};
use crate::interrupt::Interrupt;
use crate::report::{Ending, Report};
use crate::say;
use crate::screen::Screen;

/// A prompt of so many tokens takes long enough to say so.
const LONG_PROMPT: usize = 10_000;

/// What is printed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Print {
    /// The bytes that the program puts out.
    Output,
    /// The trace.
    Trace,
}

pub(crate) fn execute(print: Print, args: &ExecutionArgs, arguments: &[String]) -> Result<u8> {
    let loaded = Loaded::read(&args.file, args.quiet)?;
    let computer = input::computer(args.model.as_deref())?;
    let program = loaded.program(computer.model().config.last_position, arguments, args.quiet)?;

    let mut screen = Screen::new(args.quiet, print == Print::Trace);
    let length = program.full_prompt().count();
    if length >= LONG_PROMPT {
        screen.draw(format!("taking in a prompt of {length} tokens"));
    }
    let run = computer.run(&program, args.engine.into(), args.max_tokens);
    let mut run = run.map_err(|error| Failure::Refused(Error::new(error)))?;
    let interrupted = print_run(print, &mut run, &mut screen)?;

    let ending = match run.reader().outcome() {
        None if interrupted => Ending::Interrupted,
        _ => Ending::Ended(run.end()),
    };
    let report = Report::new(&run, ending);
    if screen.inside_line() && (args.stats || report.remark().is_some()) {
        say("");
    }
    drop(screen);
    if let Some(remark) = report.remark() {
        say(&remark);
    }
    if args.stats {
        say(&report.stats());
    }
    if let Some(path) = &args.json {
        report.write_json(path)?;
    }
    Ok(report.status())
}

/// Prints a run as it goes on; tells whether it was interrupted. Whatever ends it, all that was decoded is printed.
fn print_run(print: Print, run: &mut Run<'_>, screen: &mut Screen) -> Result<bool> {
    let interrupt = Interrupt::watch()?;
    let mut interrupted = false;
    while let Some((token, line)) = run.step() {
        match (print, token, line) {
            (Print::Output, Token::Out(byte), _) => screen.output().push(byte),
            (Print::Trace, _, Some(line)) => {
                writeln!(screen.output(), "{line}").map_err(Failure::stdout)?
            }
            _ => {}
        }
        screen.tick(|| progress(run))?;
        if interrupt.pressed() {
            interrupted = true;
            break;
        }
    }
    if let (Print::Trace, Some(line)) = (print, run.reader().unfinished()) {
        writeln!(screen.output(), "{line}").map_err(Failure::stdout)?;
    }
    screen.close()?;
    Ok(interrupted)
}

fn progress(run: &Run<'_>) -> String {
    let tokens = run.reader().tokens();
    let rate = tokens as f64 / run.decode_time().as_secs_f64();
    format!("{tokens} tokens, {rate:.0} tok/s")
}
