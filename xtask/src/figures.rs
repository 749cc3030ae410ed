//! Figures of a run, and how they are written.

use std::fmt;
use std::time::Duration;

use weightware::{Engine, Run};

use crate::thousands::thousands;

/// The figures of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) engine: Engine,
    pub(crate) prompt: u64,
    pub(crate) prefill: Duration,
    /// The number of tokens of the trace.
    pub(crate) tokens: u64,
    /// The number of lines of the trace, which are executed instructions.
    pub(crate) lines: u64,
    pub(crate) decode: Duration,
}

impl Figures {
    /// The figures of a run up to now.
    pub(crate) fn of(run: &Run<'_>, engine: Engine) -> Self {
        Self {
            engine,
            prompt: run.prompt_tokens(),
            prefill: run.prefill_time(),
            tokens: run.reader().tokens(),
            lines: run.reader().lines(),
            decode: run.decode_time(),
        }
    }

    /// Tokens a second.
    pub(crate) fn speed(&self) -> f64 {
        per_second(self.tokens, self.decode)
    }

    /// Lines a second.
    pub(crate) fn line_speed(&self) -> f64 {
        per_second(self.lines, self.decode)
    }

    /// Projects the time of a linear cache to another number of tokens.
    ///
    /// The time for a token is in proportion to its position, so the time for a stretch of tokens
    /// is in proportion to the difference of the squares of the positions at its ends.
    pub(crate) fn project_linear(&self, tokens: u64) -> Duration {
        let stretch =
            |tokens: u64| ((self.prompt + tokens) as f64).powi(2) - (self.prompt as f64).powi(2);
        self.decode
            .mul_f64(stretch(tokens) / stretch(self.tokens.max(1)))
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} tok/s, {} tokens, {} lines/s ({} engine, {}; {} prompt tokens prefilled in {})",
            rounded(self.speed()),
            thousands(self.tokens),
            rounded(self.line_speed()),
            self.engine.name(),
            seconds(self.decode),
            thousands(self.prompt),
            seconds(self.prefill),
        )
    }
}

/// A count over a time.
pub(crate) fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(1e-9)
}

/// A number rounded to a whole one, with commas.
pub(crate) fn rounded(number: f64) -> String {
    thousands(number.round().max(0.0) as u64)
}

/// A time in milliseconds, seconds, or minutes and seconds.
pub(crate) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        0.0..0.1 => format!("{:.1} ms", seconds * 1e3),
        0.1..120.0 => format!("{seconds:.1} s"),
        _ => format!(
            "{} min {:.0} s",
            seconds as u64 / 60,
            (seconds % 60.0).floor()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds() {
        assert_eq!(rounded(35_276.6), "35,277");
    }

    #[test]
    fn writes_times() {
        let text = [0.0012, 0.25, 59.96, 258.9].map(|s| seconds(Duration::from_secs_f64(s)));
        assert_eq!(text, ["1.2 ms", "0.2 s", "60.0 s", "4 min 18 s"]);
    }

    fn figures(prompt: u64, tokens: u64, decode: f64) -> Figures {
        Figures {
            engine: Engine::Softmax,
            prompt,
            prefill: Duration::ZERO,
            tokens,
            lines: tokens / 5,
            decode: Duration::from_secs_f64(decode),
        }
    }

    #[test]
    fn projects_by_the_quadratic() {
        // Ten times the tokens take a hundred times as long.
        let projected = figures(0, 1_000, 2.0).project_linear(10_000);
        assert!((projected.as_secs_f64() - 200.0).abs() < 1e-6);
        // After a prompt of 1,000 they take (11^2 - 1^2) / (2^2 - 1^2) = 40 times as long.
        let projected = figures(1_000, 1_000, 2.0).project_linear(10_000);
        assert!((projected.as_secs_f64() - 80.0).abs() < 1e-6);
        // A run projects to its own time, and no tokens take no time.
        assert_eq!(
            figures(300, 4_505, 6.7).project_linear(4_505),
            Duration::from_secs_f64(6.7)
        );
        assert_eq!(figures(300, 0, 0.0).project_linear(4_505), Duration::ZERO);
    }
}
