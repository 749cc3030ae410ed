//! Stdout and, where it disturbs nothing, a line of progress on stderr.

use std::io::{self, IsTerminal, StdoutLock, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::{Failure, Result};

/// Output waits no longer than this.
const FLUSH: Duration = Duration::from_millis(50);
/// Nor for more bytes than this.
const FULL: usize = 1 << 16;
const REDRAW: Duration = Duration::from_millis(150);
const ESCAPE: u8 = 0x1b;

pub(crate) struct Screen {
    stdout: StdoutLock<'static>,
    stdout_is_terminal: bool,
    pending: Vec<u8>,
    flushed: Instant,
    /// The cursor stands where a line begins.
    line_start: bool,
    /// The output moves the cursor itself.
    escapes: bool,
    progress: bool,
    bar: Option<ProgressBar>,
    drawn: Instant,
    /// Ticks since the time was asked for, after how many that is done again, and when it was.
    ticks: u32,
    period: u32,
    asked: Instant,
}

impl Screen {
    /// If `scrolls`, the output is a steady stream, beside which there is no room for progress on one terminal.
    pub(crate) fn new(quiet: bool, scrolls: bool) -> Self {
        let stdout_is_terminal = io::stdout().is_terminal();
        let progress = !quiet && io::stderr().is_terminal() && !(scrolls && stdout_is_terminal);
        let now = Instant::now();
        Self {
            stdout: io::stdout().lock(),
            stdout_is_terminal,
            pending: Vec::new(),
            flushed: now,
            line_start: true,
            escapes: false,
            progress,
            bar: None,
            drawn: now,
            ticks: 0,
            period: 1,
            asked: now,
        }
    }

    /// Output, which is written by the next [`tick`](Self::tick) that is due.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.pending
    }

    /// Writes what is due, draws progress if that is due.
    pub(crate) fn tick(&mut self, progress: impl FnOnce() -> String) -> Result<()> {
        if self.pending.is_empty() && !self.progress {
            return Ok(());
        }
        // Asking for the time takes as long as decoding a token may: it is asked for about once a millisecond.
        self.ticks += 1;
        if self.ticks < self.period && self.pending.len() < FULL {
            return Ok(());
        }
        let now = Instant::now();
        let since = now.duration_since(self.asked);
        if since < Duration::from_millis(1) {
            self.period = (2 * self.period).min(1 << 12);
        } else if since > Duration::from_millis(4) {
            self.period = 1.max(self.period / 4);
        }
        (self.ticks, self.asked) = (0, now);
        if !self.pending.is_empty()
            && (self.pending.len() >= FULL || now.duration_since(self.flushed) >= FLUSH)
        {
            self.flush(now)?;
        }
        if self.progress && now.duration_since(self.drawn) >= REDRAW {
            self.drawn = now;
            self.draw(progress());
        }
        Ok(())
    }

    /// Draws progress, unless output is in its way.
    pub(crate) fn draw(&mut self, message: String) {
        let free = !self.stdout_is_terminal
            || (self.pending.is_empty() && self.line_start && !self.escapes);
        if self.progress && free {
            let bar = self.bar.get_or_insert_with(|| {
                let style = ProgressStyle::with_template("{spinner} {msg}");
                ProgressBar::new_spinner()
                    .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
            });
            bar.set_message(message);
            bar.tick();
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn flush(&mut self, now: Instant) -> Result<()> {
        if self.stdout_is_terminal {
            self.clear();
        }
        self.line_start = self.pending.last().is_none_or(|&byte| byte == b'\n');
        self.escapes |= self.pending.contains(&ESCAPE);
        self.flushed = now;
        let written = self
            .stdout
            .write_all(&self.pending)
            .and_then(|()| self.stdout.flush());
        self.pending.clear();
        written.map_err(Failure::stdout)
    }

    /// Writes all that is left and clears the progress. If the cursor was left inside a line of the terminal, what
    /// stderr says next begins a new one.
    pub(crate) fn close(&mut self) -> Result<()> {
        self.clear();
        self.progress = false;
        if self.pending.is_empty() {
            Ok(())
        } else {
            self.flush(Instant::now())
        }
    }

    /// Whether the cursor stands inside a line of the terminal.
    pub(crate) fn inside_line(&self) -> bool {
        self.stdout_is_terminal && !self.line_start
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.clear();
    }
}
