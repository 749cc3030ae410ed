//! Live display of a running program.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use weightware::{Engine, Run, TraceReader};

use crate::figures::{Figures, rounded};
use crate::thousands::thousands;

/// How often the screen is refreshed.
const REFRESH: Duration = Duration::from_millis(80);

/// The number of tokens between two looks at the clock: those of a fraction of a second.
fn between_looks(engine: Engine) -> usize {
    if engine.is_linear() { 32 } else { 256 }
}

/// A line at the bottom of the terminal; invisible if the output does not go to a terminal.
pub(crate) fn status_line() -> ProgressBar {
    if !io::stdout().is_terminal() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_msg}").expect("a sound template");
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

/// The part of a run that goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// The program's output.
    Output,
    /// Nothing.
    Nothing,
}

/// Runs to the end, or until the time is up. Standard output and standard error show the selected
/// output as it comes, a terminal also a status line.
pub(crate) fn watch(
    run: &mut Run<'_>,
    engine: Engine,
    show: Show,
    time: Option<Duration>,
) -> io::Result<Figures> {
    let bar = status_line();
    let start = Instant::now();
    let mut refreshed = start;
    let mut shown = Shown::default();
    loop {
        run.advance(between_looks(engine));
        // Continues to the end of a line, which is shown.
        let line = loop {
            match run.step() {
                Some((_, None)) => {}
                Some((_, Some(line))) => break Some(line),
                None => break None,
            }
        };
        let Some(line) = line else { break };
        if time.is_some_and(|time| start.elapsed() >= time) {
            break;
        }
        if refreshed.elapsed() >= REFRESH {
            refreshed = Instant::now();
            let line = line.to_string();
            if show == Show::Output {
                bar.suspend(|| shown.show(run.reader(), whole_lines))?;
            }
            bar.set_message(status(&Figures::of(run, engine), &line));
        }
    }
    let figures = Figures::of(run, engine);
    bar.finish_and_clear();
    if show == Show::Output {
        shown.show(run.reader(), |new| new)?;
    }
    Ok(figures)
}

/// The number of bytes shown of each stream.
#[derive(Default)]
struct Shown {
    output: usize,
    stderr: usize,
}

impl Shown {
    /// Shows the new bytes, up to the length that `part` selects.
    fn show(&mut self, reader: &TraceReader, part: fn(&[u8]) -> &[u8]) -> io::Result<()> {
        let output = part(&reader.output()[self.output..]);
        let stderr = part(&reader.stderr()[self.stderr..]);
        self.output += output.len();
        self.stderr += stderr.len();
        let mut stdout = io::stdout().lock();
        stdout.write_all(output)?;
        stdout.flush()?;
        io::stderr().write_all(stderr)
    }
}

fn whole_lines(bytes: &[u8]) -> &[u8] {
    let last = bytes.iter().rposition(|&byte| byte == b'\n');
    &bytes[..last.map_or(0, |last| last + 1)]
}

fn status(figures: &Figures, line: &str) -> String {
    format!(
        "{} {} tok/s, {} tokens, {} lines/s | {line}",
        figures.engine.name(),
        rounded(figures.speed()),
        thousands(figures.tokens),
        rounded(figures.line_speed()),
    )
}
