//! Running a program before the viewer's eyes.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use weightware::{Engine, Run};

use crate::figures::{Figures, rounded, thousands};

/// How often the screen is refreshed.
const REFRESH: Duration = Duration::from_millis(80);

/// After how many tokens the clock is looked at: a fraction of a second's.
fn between_looks(engine: Engine) -> usize {
    if engine.is_linear() { 32 } else { 256 }
}

/// A line at the bottom of the terminal; nothing if the output does not go to one.
pub(crate) fn status_line() -> ProgressBar {
    if !io::stdout().is_terminal() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_msg}").expect("a sound template");
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

/// What of a run goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// What the program puts out.
    Output,
    /// Nothing.
    Nothing,
}

/// Runs to the end, or until the time is up; standard output gets what is to be shown as it comes, a terminal also a
/// status line.
pub(crate) fn watch(
    run: &mut Run<'_>,
    engine: Engine,
    show: Show,
    time: Option<Duration>,
) -> io::Result<Figures> {
    let bar = status_line();
    let start = Instant::now();
    let mut refreshed = start;
    let mut shown = 0;
    loop {
        run.steps(between_looks(engine), |_, _| {});
        // And on to the end of a line, which is shown.
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
                let output = &run.reader().output()[shown..];
                let whole = output.iter().rposition(|&byte| byte == b'\n');
                let whole = &output[..whole.map_or(0, |last| last + 1)];
                shown += whole.len();
                bar.suspend(|| write(whole))?;
            }
            bar.set_message(status(&Figures::of(run, engine), &line));
        }
    }
    let figures = Figures::of(run, engine);
    bar.finish_and_clear();
    if show == Show::Output {
        write(&run.reader().output()[shown..])?;
    }
    Ok(figures)
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
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
