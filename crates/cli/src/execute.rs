//! `run` and `trace`.

use std::io::Write;
use std::path::Path;

use anyhow::Error;
use weightware::{Engine, Run, RunEnd, SavedRun, Token};

use crate::args::ExecutionArgs;
use crate::failure::{Failure, Result};
use crate::input::{self, Loaded};
use crate::interrupt::Interrupt;
use crate::report::{Ending, Report};
use crate::saved::{self, Saver};
use crate::say;
use crate::screen::{Screen, Stream};

/// A prompt of so many tokens takes long enough to say so.
const LONG_PROMPT: usize = 10_000;

/// What is printed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Print {
    /// The bytes that the program puts out, on stdout and on stderr.
    Output,
    /// The trace.
    Trace,
}

pub(crate) fn execute(print: Print, args: &ExecutionArgs, arguments: &[String]) -> Result<u8> {
    let mut screen = Screen::new(args.quiet, print == Print::Trace);
    let computer;
    let program;
    let SavedRun { prompt, trace } = match (&args.resume, &args.file) {
        (Some(path), _) => {
            computer = input::computer(args.model.as_deref(), &args.machine)?;
            let saved = saved::read(path, &computer)?;
            program = match args.check {
                true => Some(saved::program(path, &saved, &computer)?),
                false => None,
            };
            saved
        }
        (None, Some(file)) => {
            let loaded = Loaded::read(file, args.quiet)?;
            computer = input::computer(args.model.as_deref(), &args.machine)?;
            let horizon = computer.model().config.last_position;
            let loaded = loaded.program(horizon, arguments, args.quiet)?;
            let (prompt, trace) = (computer.prompt(&loaded), vec![]);
            program = args.check.then_some(loaded);
            SavedRun { prompt, trace }
        }
        (None, None) => unreachable!("one of them is required"),
    };
    let mut saver = match &args.save {
        Some(path) => Some(Saver::create(path, &computer, &prompt, &trace)?),
        None => None,
    };

    let length = prompt.len() + trace.len();
    if length >= LONG_PROMPT {
        screen.draw(format!("taking in {length} tokens"));
    }
    let engine = args.engine.into();
    let run = computer.resume(&prompt, &trace, engine, args.max_tokens);
    let mut run = run.map_err(|error| Failure::Refused(Error::new(error)))?;
    if let Some(program) = &program {
        run = run.checked(program, &trace);
    }
    drop((prompt, trace));
    let interrupted = print_run(print, engine, &mut run, &mut screen, saver.as_mut())?;
    let saved = saver.map(Saver::close).transpose()?;

    let ending = match run.end() {
        RunEnd::MaxTokens if interrupted => Ending::Interrupted,
        end => Ending::Ended(end),
    };
    let report = Report::new(&run, ending, saved);
    let json_on_stderr = args.json.as_deref() == Some(Path::new("-"));
    if screen.inside_line() && (args.stats || json_on_stderr || report.remark().is_some()) {
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

/// Prints a run as it goes on; tells whether it was interrupted. Whatever ends it, all that was
/// decoded is printed.
fn print_run(
    print: Print,
    engine: Engine,
    run: &mut Run<'_>,
    screen: &mut Screen,
    mut saver: Option<&mut Saver>,
) -> Result<bool> {
    let interrupt = Interrupt::watch()?;
    let mut interrupted = false;
    let most = between_looks(engine);
    let mut tokens = Vec::new();
    while !interrupted {
        tokens.clear();
        let saves = saver.is_some();
        let decoded = run.steps(most, |token, line| {
            match (print, token, line) {
                (Print::Trace, _, Some(line)) => {
                    let text = format!("{line}\n");
                    screen.output(Stream::Stdout).extend(text.into_bytes());
                }
                (Print::Output, Token::Out(byte), _) => screen.output(Stream::Stdout).push(byte),
                (Print::Output, Token::Err(byte), _) => screen.output(Stream::Stderr).push(byte),
                _ => {}
            }
            if saves {
                tokens.push(token);
            }
        });
        if decoded == 0 {
            break;
        }
        if let Some(saver) = &mut saver {
            tokens.iter().try_for_each(|&token| saver.token(token))?;
        }
        screen.tick(|| progress(run))?;
        interrupted = interrupt.pressed();
    }
    if let (Print::Trace, Some(line)) = (print, run.reader().unfinished()) {
        writeln!(screen.output(Stream::Stdout), "{line}").map_err(Failure::stdout)?;
    }
    screen.close()?;
    Ok(interrupted)
}

/// After how many tokens output, progress and interrupts are looked at: less than a millisecond's,
/// or one.
fn between_looks(engine: Engine) -> usize {
    if engine.is_linear() { 1 } else { 256 }
}

fn progress(run: &Run<'_>) -> String {
    let tokens = run.reader().tokens() - run.resumed_tokens();
    let rate = tokens as f64 / run.decode_time().as_secs_f64();
    format!("{tokens} tokens, {rate:.0} tok/s")
}
