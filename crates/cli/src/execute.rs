//! `run` and `trace`.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;

use anyhow::{Error, anyhow};
use weightware::{Computer, Engine, Program, Run, RunEnd, SavedRun, Token};

use crate::args::ExecutionArgs;
use crate::contexts::Contexts;
use crate::failure::{Failure, Result};
use crate::input::{self, Loaded};
use crate::interrupt::Interrupt;
use crate::json::JsonOut;
use crate::machine::Machine;
use crate::report::{Ending, Report};
use crate::results;
use crate::saved::{self, Saver};
use crate::say;
use crate::screen::{Screen, Stream};

/// A prompt of this many tokens takes long enough to say so.
const LONG_PROMPT: usize = 10_000;

/// The part of a run that is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Print {
    /// The bytes that the program writes, on stdout and on stderr.
    Output,
    /// The bytes that the program writes, stdout's as hexadecimal digits.
    Hex,
    /// The trace.
    Trace,
}

/// The state that a run begins with.
struct Begin {
    computer: Computer,
    saved: SavedRun,
    /// The options that choose the machine.
    machine: String,
    /// `None` if the prompt of a saved run is none of a program.
    program: Option<Program>,
    loaded: Option<Loaded>,
}

pub(crate) fn execute(trace: bool, args: &ExecutionArgs) -> Result<u8> {
    let print = match (trace, args.output_hex) {
        (true, _) => Print::Trace,
        (_, true) => Print::Hex,
        _ => Print::Output,
    };
    let mut screen = Screen::new(args.quiet, trace);
    let Begin {
        computer,
        saved,
        machine,
        program,
        loaded,
    } = begin(args)?;
    let json = args.json.as_deref().map(JsonOut::open).transpose()?;
    let mut saver = match &args.save {
        Some(path) => Some(Saver::create(path, &computer, machine, &saved)?),
        None => None,
    };

    let SavedRun {
        prompt,
        trace,
        context,
    } = saved;
    let length = prompt.len() + trace.len();
    if length >= LONG_PROMPT {
        screen.draw(format!("prefilling {length} tokens"));
    }
    let engine = args.engine.into();
    let run = computer.resume(&prompt, &trace, engine, args.max_tokens);
    let mut run = run.map_err(|error| match &loaded {
        Some(loaded) => loaded.refused(error),
        None => Failure::Refused(Error::new(error)),
    })?;
    if let (true, Some(program)) = (args.check, &program) {
        run = run.checked(program, &trace);
    }
    drop((prompt, trace));
    let results = loaded.as_ref().and_then(Loaded::lowered);
    let results = results.map_or(&[][..], |lowered| &lowered.results);
    let mut last = LastLines::new(results.len());
    let mut printer = Printer {
        print,
        computer: &computer,
        first: context,
        screen: &mut screen,
        saver: saver.as_mut(),
        last: &mut last,
    };
    let interrupted = printer.print(engine, &mut run)?;
    let saved = saver.map(Saver::close).transpose()?;

    let ending = match run.end() {
        RunEnd::MaxTokens if interrupted => Ending::Interrupted,
        end => Ending::Ended(end),
    };
    let contexts = Contexts::new(&run, &computer, context, program.as_ref(), loaded.as_ref());
    let report = Report::new(
        &run,
        ending,
        contexts,
        saved,
        program.as_ref(),
        loaded.as_ref(),
    );
    if report.status() == 0 && !results.is_empty() && print != Print::Trace {
        screen.print(results::text(results, &last.lines))?;
    }
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
    if let Some(json) = json {
        json.write(&report.json())?;
    }
    Ok(report.status())
}

/// Reads the program and its input, or the run that goes on.
fn begin(args: &ExecutionArgs) -> Result<Begin> {
    let machine = Machine(&args.model);
    let Some(path) = &args.resume else {
        if let Some(file) = &args.file {
            input::keep(file, "--save", args.save.as_deref())?;
            input::keep(file, "--json", args.json.as_deref())?;
        }
        let file = args.file.as_deref();
        let (computer, loaded, ready) = machine.load(file, &args.program, args.quiet)?;
        let (prompt, trace) = (computer.prompt(&ready.program), vec![]);
        return Ok(Begin {
            machine: machine.options(&computer, loaded.library()),
            computer,
            saved: SavedRun {
                prompt,
                trace,
                context: 1,
            },
            program: Some(ready.program),
            loaded: Some(loaded),
        });
    };
    if let Some(option) = args.program.given() {
        return Err(Failure::Refused(anyhow!(
            "--resume: the saved run holds the program with its arguments and input; leave out {option}"
        )));
    }
    input::keep(path, "--json", args.json.as_deref())?;
    let computer = input::computer(&args.model)?;
    let saved = saved::read(path, &computer)?;
    let program = match args.check {
        true => Some(saved::program(path, &saved, &computer)?),
        false => saved.program(&computer).ok(),
    };
    Ok(Begin {
        machine: machine.options(&computer, None),
        computer,
        saved,
        program,
        loaded: None,
    })
}

/// The last lines of a trace that hold results: each result is popped by an instruction of its own,
/// after which the program goes to its end and halts.
struct LastLines {
    /// Lines that are kept.
    most: usize,
    lines: VecDeque<Vec<Token>>,
}

impl LastLines {
    fn new(results: usize) -> Self {
        Self {
            most: if results == 0 { 0 } else { results + 2 },
            lines: VecDeque::new(),
        }
    }

    fn push(&mut self, tokens: &[Token]) {
        if self.most == 0 {
            return;
        }
        if self.lines.len() == self.most {
            self.lines.pop_front();
        }
        self.lines.push_back(tokens.to_vec());
    }
}

/// Prints and saves a run as it goes on.
struct Printer<'a> {
    print: Print,
    computer: &'a Computer,
    /// The number of the context that the run begins in.
    first: u64,
    screen: &'a mut Screen,
    saver: Option<&'a mut Saver>,
    last: &'a mut LastLines,
}

impl Printer<'_> {
    /// Prints a run, and returns whether it was interrupted. However it ends, all that was decoded
    /// is printed and saved.
    fn print(&mut self, engine: Engine, run: &mut Run<'_>) -> Result<bool> {
        let interrupt = Interrupt::watch()?;
        let mut interrupted = false;
        let most = between_looks(engine);
        let mut tokens = Vec::new();
        let mut contexts = run.contexts();
        let mut hex = 0_u64;
        let (print, saves) = (self.print, self.saver.is_some());
        while !interrupted {
            tokens.clear();
            let decoded = run.steps(most, |token, line| {
                if let Some(line) = line {
                    self.last.push(line.tokens());
                }
                let screen = &mut self.screen;
                match (print, token, line) {
                    (Print::Trace, _, Some(line)) => {
                        let text = format!("{line}\n");
                        screen.output(Stream::Stdout).extend(text.into_bytes());
                    }
                    (Print::Output, Token::Out(byte), _) => {
                        screen.output(Stream::Stdout).push(byte);
                    }
                    (Print::Hex, Token::Out(byte), _) => {
                        let text = format!("{byte:02x}");
                        screen.output(Stream::Stdout).extend(text.into_bytes());
                        hex += 1;
                    }
                    (Print::Output | Print::Hex, Token::Err(byte), _) => {
                        screen.output(Stream::Stderr).push(byte);
                    }
                    _ => {}
                }
                if saves {
                    tokens.push(token);
                }
            });
            if decoded == 0 {
                break;
            }
            if let Some(saver) = &mut self.saver {
                tokens.iter().try_for_each(|&token| saver.token(token))?;
            }
            if run.contexts() > contexts {
                contexts = run.contexts();
                self.turn(run)?;
            }
            let first = self.first;
            self.screen.tick(|| progress(run, first))?;
            interrupted = interrupt.pressed();
        }
        if let (Print::Trace, Some(line)) = (print, run.reader().unfinished()) {
            let out = self.screen.output(Stream::Stdout);
            writeln!(out, "{line}").map_err(Failure::stdout)?;
        }
        if hex > 0 {
            self.screen.output(Stream::Stdout).push(b'\n');
        }
        self.screen.close()?;
        Ok(interrupted)
    }

    /// Shows and saves that another context has begun.
    fn turn(&mut self, run: &Run<'_>) -> Result<()> {
        if self.print == Print::Trace {
            let text = format!(
                "# context {}: prompt of {} tokens\n",
                number(run, self.first),
                run.prompt_tokens()
            );
            self.screen.output(Stream::Stdout).extend(text.into_bytes());
        }
        match &mut self.saver {
            Some(saver) => saver.turn(self.computer, run.prompt()),
            None => Ok(()),
        }
    }
}

/// The number of a run's context; the run began with the context of the number `first`.
fn number(run: &Run<'_>, first: u64) -> u64 {
    first + run.contexts() - 1
}

/// After how many tokens output, progress and interrupts are looked at: less than a millisecond's,
/// or one.
fn between_looks(engine: Engine) -> usize {
    if engine.is_linear() { 1 } else { 256 }
}

fn progress(run: &Run<'_>, first: u64) -> String {
    let tokens = run.reader().tokens() - run.resumed_tokens();
    let rate = tokens as f64 / run.decode_time().as_secs_f64();
    let context = match number(run, first) {
        1 => String::new(),
        number => format!(" in context {number}"),
    };
    format!(
        "{tokens} tokens, {rate:.0} tok/s, {:.1} % of the horizon{context}",
        100.0 * run.share_of_horizon()
    )
}
