//! The program's stdout and stderr and, where it disturbs nothing, a line of progress on stderr.

use std::io::{self, IsTerminal, Stderr, StdoutLock, Write};
use std::ops::Range;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::{Failure, Result};

/// Output waits no longer than this.
const FLUSH: Duration = Duration::from_millis(50);
/// Nor for more bytes than this.
const FULL: usize = 1 << 16;
const REDRAW: Duration = Duration::from_millis(150);
const ESCAPE: u8 = 0x1b;

/// Where bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// Bytes that wait, of both streams in the order in which they came: where both lead to one place,
/// they arrive in it.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    /// A stream, and where its bytes begin; up to where the next piece begins.
    pieces: Vec<(Stream, usize)>,
}

impl Pending {
    /// The bytes, to which the caller appends those of a stream.
    fn of(&mut self, stream: Stream) -> &mut Vec<u8> {
        if self.pieces.last().is_none_or(|&(last, _)| last != stream) {
            self.pieces.push((stream, self.bytes.len()));
        }
        &mut self.bytes
    }

    fn pieces(&self) -> impl Iterator<Item = (Stream, Range<usize>)> {
        let starts = self.pieces.iter().skip(1).map(|&(_, start)| start);
        let ends = starts.chain([self.bytes.len()]);
        let pieces = self.pieces.iter().zip(ends);
        pieces.map(|(&(stream, start), end)| (stream, start..end))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.pieces.clear();
    }
}

pub(crate) struct Screen {
    stdout: StdoutLock<'static>,
    stderr: Stderr,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    pending: Pending,
    flushed: Instant,
    /// The terminal's cursor stands where a line begins.
    line_start: bool,
    /// The last byte written to stderr ended a line.
    stderr_line_start: bool,
    /// The output moves the terminal's cursor itself.
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
    /// If `scrolls`, the output is a steady stream, beside which there is no room for progress on
    /// one terminal.
    pub(crate) fn new(quiet: bool, scrolls: bool) -> Self {
        let stdout_is_terminal = io::stdout().is_terminal();
        let stderr_is_terminal = io::stderr().is_terminal();
        let progress = !quiet && stderr_is_terminal && !(scrolls && stdout_is_terminal);
        let now = Instant::now();
        Self {
            stdout: io::stdout().lock(),
            stderr: io::stderr(),
            stdout_is_terminal,
            stderr_is_terminal,
            pending: Pending::default(),
            flushed: now,
            line_start: true,
            stderr_line_start: true,
            escapes: false,
            progress,
            bar: None,
            drawn: now,
            ticks: 0,
            period: 1,
            asked: now,
        }
    }

    /// The pending bytes of a stream, to append to; the next [`tick`](Self::tick) that is due
    /// writes them.
    pub(crate) fn output(&mut self, stream: Stream) -> &mut Vec<u8> {
        self.pending.of(stream)
    }

    /// Writes what is due, draws progress if that is due.
    pub(crate) fn tick(&mut self, progress: impl FnOnce() -> String) -> Result<()> {
        if self.pending.bytes.is_empty() && !self.progress {
            return Ok(());
        }
        // Asking for the time takes as long as decoding a token may: it is asked for about once a
        // millisecond.
        self.ticks += 1;
        if self.ticks < self.period && self.pending.bytes.len() < FULL {
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
        if !self.pending.bytes.is_empty()
            && (self.pending.bytes.len() >= FULL || now.duration_since(self.flushed) >= FLUSH)
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
        let waiting = self
            .pending
            .pieces
            .iter()
            .any(|&(stream, _)| self.is_terminal(stream));
        if self.progress && self.line_start && !self.escapes && !waiting {
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

    fn is_terminal(&self, stream: Stream) -> bool {
        match stream {
            Stream::Stdout => self.stdout_is_terminal,
            Stream::Stderr => self.stderr_is_terminal,
        }
    }

    fn flush(&mut self, now: Instant) -> Result<()> {
        self.flushed = now;
        let pending = std::mem::take(&mut self.pending);
        for (stream, range) in pending.pieces() {
            self.write(stream, &pending.bytes[range])?;
        }
        self.pending = pending;
        self.pending.clear();
        Ok(())
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) -> Result<()> {
        let ends_line = bytes.last().is_none_or(|&byte| byte == b'\n');
        if self.is_terminal(stream) {
            self.clear();
            self.line_start = ends_line;
            self.escapes |= bytes.contains(&ESCAPE);
        }
        match stream {
            Stream::Stdout => {
                let written = self.stdout.write_all(bytes);
                written.and_then(|()| self.stdout.flush())
            }
            Stream::Stderr => {
                self.stderr_line_start = ends_line;
                self.stderr.write_all(bytes)
            }
        }
        .map_err(|error| Failure::output(error, stream))
    }

    /// Writes all that is left and clears the progress.
    pub(crate) fn close(&mut self) -> Result<()> {
        self.clear();
        self.progress = false;
        if self.pending.bytes.is_empty() {
            Ok(())
        } else {
            self.flush(Instant::now())
        }
    }

    /// Writes text to stdout, after all output.
    pub(crate) fn print(&mut self, text: String) -> Result<()> {
        self.output(Stream::Stdout).extend(text.into_bytes());
        self.close()
    }

    /// Whether what stderr says next has to begin a new line: the program has left the last one
    /// unfinished.
    pub(crate) fn inside_line(&self) -> bool {
        !self.stderr_line_start || self.stderr_is_terminal && !self.line_start
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.clear();
    }
}
