//! How a run ended, for people and for tools.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};
use weightware::{
    Bailouts, Divergence, Lowered, MemoryUsed, Outcome, Place, PostMortem, Profile, Program, Run,
    RunEnd,
};

use crate::contexts::Contexts;
use crate::failure::{
    BUDGET, DERAILED, DIFFERS, FAILED, HORIZON, INTERRUPTED, TRAPPED, UNCHECKED, printable,
};
use crate::input::Loaded;
use crate::limits::Stopped;
use crate::thousands::thousands;
use crate::trapped::Trapped;
use crate::units::{flag, kibibytes};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ending {
    Ended(RunEnd),
    Interrupted,
}

/// The faults that a model with the machine's tokens can have.
const WRONG_WEIGHTS: &str =
    "the weights are not those that `weightware weights --out DIR` writes, or they are wrong";

pub(crate) struct Report {
    ending: Ending,
    /// The limit that the run exceeds, at its horizon.
    stopped: Option<Stopped>,
    trapped: Option<Trapped>,
    /// That of the longest context.
    share_of_horizon: f64,
    contexts: Contexts,
    memory_used: Option<MemoryUsed>,
    /// A hint for a program that failed, for want of memory or of files.
    hint: Option<String>,
    prompt_tokens: u64,
    /// The position of the next token in its context.
    position: u64,
    /// Tokens of the trace that were prefilled, not decoded.
    resumed: u64,
    saved: Option<PathBuf>,
    /// Tokens of the trace, resumed ones included.
    tokens: u64,
    lines: u64,
    output_bytes: usize,
    stderr_bytes: usize,
    cached_bytes: usize,
    bailouts: Bailouts,
    peak_memory: Option<u64>,
    prefill: Duration,
    decode: Duration,
    /// How many tokens of a checked run were confirmed, and how it and the interpreter parted.
    agreed: Option<u64>,
    divergence: Option<(Place, Divergence)>,
}

impl Report {
    pub(crate) fn new(
        run: &Run<'_>,
        ending: Ending,
        contexts: Contexts,
        saved: Option<PathBuf>,
        program: Option<&Program>,
        loaded: Option<&Loaded>,
    ) -> Self {
        let tokens = run.reader().tokens();
        let lowered = loaded.and_then(Loaded::lowered);
        let stopped = match &ending {
            Ending::Ended(RunEnd::Horizon { position, .. }) => {
                run.exceeded().map(|exceeded| Stopped {
                    exceeded,
                    position: *position,
                    prompt_tokens: run.prompt_tokens(),
                    turn: contexts.turn(),
                    window: lowered.map(|lowered| lowered.memory),
                    input: lowered
                        .and_then(|lowered| lowered.input_address)
                        .map(u64::from),
                })
            }
            _ => None,
        };
        let trapped = match (&ending, program) {
            (Ending::Ended(RunEnd::Outcome(Outcome::Trapped(trap))), Some(program)) => {
                Trapped::new(*trap, program, tokens, loaded)
            }
            _ => None,
        };
        let decode = run.decode_time();
        let stats = run.stats();
        let reader = run.reader();
        let hint = match (&ending, program, lowered) {
            (
                Ending::Ended(RunEnd::Outcome(Outcome::Exited(1..))),
                Some(program),
                Some(lowered),
            ) => memory_hint(lowered, program, run).or_else(|| files_hint(lowered)),
            _ => None,
        };
        Self {
            ending,
            stopped,
            trapped,
            share_of_horizon: run.longest_share_of_horizon(),
            contexts,
            memory_used: run.memory_used(),
            hint,
            prompt_tokens: run.first_prompt_tokens(),
            position: run.prompt_tokens() + tokens - run.earlier_tokens(),
            resumed: run.resumed_tokens(),
            saved,
            tokens: reader.tokens(),
            lines: reader.lines(),
            output_bytes: reader.output().len(),
            stderr_bytes: reader.stderr().len(),
            cached_bytes: stats.cached_bytes,
            bailouts: stats.bailouts,
            peak_memory: peak_memory(),
            prefill: run.prefill_time(),
            decode,
            agreed: run.agreed(),
            divergence: run.divergence(),
        }
    }

    pub(crate) fn status(&self) -> u8 {
        match &self.ending {
            Ending::Ended(RunEnd::Outcome(Outcome::Halted)) => 0,
            Ending::Ended(RunEnd::Outcome(Outcome::Exited(code))) => code.to_le_bytes()[0],
            Ending::Ended(RunEnd::Outcome(Outcome::Trapped(_))) => match self.left_out() {
                Some(_) => HORIZON,
                None => TRAPPED,
            },
            Ending::Ended(RunEnd::MaxTokens) => BUDGET,
            Ending::Ended(RunEnd::Outcome(Outcome::Turned | Outcome::Refused)) => HORIZON,
            Ending::Ended(RunEnd::Horizon { .. }) => HORIZON,
            Ending::Ended(RunEnd::UnknownToken { .. }) => FAILED,
            Ending::Ended(RunEnd::Derailed { .. }) => DERAILED,
            Ending::Ended(RunEnd::Differs { .. }) => DIFFERS,
            Ending::Ended(RunEnd::Fault { .. }) => UNCHECKED,
            Ending::Interrupted => INTERRUPTED,
        }
    }

    /// The message about an end that is not the program's own.
    pub(crate) fn remark(&self) -> Option<String> {
        let prompt_tokens = self.prompt_tokens;
        let count = counted(self.tokens);
        let remark = match &self.ending {
            Ending::Ended(RunEnd::Outcome(Outcome::Trapped(trap))) => {
                let unknown = Trapped::UNKNOWN;
                let trapped = self.trapped.as_ref().unwrap_or(&unknown);
                Some(trapped.remark(*trap, &count))
            }
            Ending::Ended(RunEnd::Outcome(Outcome::Exited(code))) if *code != 0 => {
                self.hint.clone()
            }
            Ending::Ended(RunEnd::Outcome(Outcome::Refused)) => Some(format!(
                "horizon: stopped after {count}: the context is full, and the frames of the program's calls leave no words for the handler that would go on in another one; call less deeply, with fewer locals{}",
                self.contexts.longer()
            )),
            Ending::Ended(RunEnd::Outcome(Outcome::Turned)) => Some(format!(
                "horizon: stopped after {count}: the context is full, and the prompt has no handler that goes on in another one"
            )),
            Ending::Ended(RunEnd::Outcome(_)) => None,
            Ending::Ended(RunEnd::MaxTokens) => Some(format!(
                "budget: stopped after {count}; --max-tokens sets the limit{}",
                self.way_on()
            )),
            Ending::Ended(RunEnd::Horizon { position, reason }) => {
                let (problem, remedy) = match &self.stopped {
                    Some(stopped) => (stopped.problem(), stopped.remedy()),
                    None if *position < prompt_tokens && self.contexts.number == 1 => (
                        format!("tokens from there on would not be certified: {reason}"),
                        format!(
                            "the prompt of {prompt_tokens} tokens is too long: give a smaller program or less input"
                        ),
                    ),
                    None => (
                        format!("tokens from there on would not be certified: {reason}"),
                        "give a smaller program, less input, or one that takes fewer steps"
                            .to_owned(),
                    ),
                };
                Some(format!(
                    "horizon: stopped before position {position}{}: {problem}; {remedy}{}",
                    self.contexts.place(),
                    match &self.stopped {
                        Some(stopped) if !stopped.is_of_context() => String::new(),
                        _ if *position < prompt_tokens => String::new(),
                        _ => self.contexts.one_alone(),
                    }
                ))
            }
            Ending::Ended(RunEnd::UnknownToken { token }) => Some(format!(
                "error: after {count} the model put out `{token}`, which ends no run of this machine; {WRONG_WEIGHTS}"
            )),
            Ending::Ended(RunEnd::Derailed { at, token }) => Some(format!(
                "derailed: no program makes {}, `{token}`; {}",
                shown(*at),
                match self.divergence {
                    Some((place, Divergence::Differs { expected, .. })) if place == *at =>
                        format!("the plain interpreter says `{expected}` there: {WRONG_WEIGHTS}"),
                    _ => format!(
                        "{WRONG_WEIGHTS}, or a token program takes what is not there (--check tells which)"
                    ),
                }
            )),
            Ending::Ended(RunEnd::Differs {
                at,
                expected,
                found,
            }) => Some(format!(
                "check failed: {} is `{found}`, the plain interpreter says `{expected}`; {WRONG_WEIGHTS}",
                shown(*at)
            )),
            Ending::Ended(RunEnd::Fault { at, fault }) => Some(format!(
                "check impossible from {} on: the program does what no valid program does, {fault}; correct the \
                 program, or leave out --check",
                shown(*at)
            )),
            Ending::Interrupted => Some(format!("interrupted after {count}{}", self.way_on())),
        };
        remark.map(|text| printable(&text))
    }

    /// Why the machine does not hold an address that the module has.
    fn left_out(&self) -> Option<&str> {
        self.trapped.as_ref()?.left_out.as_deref()
    }

    /// How to go on with a run that did not end by itself.
    fn way_on(&self) -> String {
        match &self.saved {
            Some(path) => format!("; --resume {} goes on", path.display()),
            None => "; with --save FILE, --resume FILE could go on".to_owned(),
        }
    }

    fn seconds(&self) -> f64 {
        self.decode.as_secs_f64()
    }

    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.seconds().max(1e-9)
    }

    /// A table for people.
    pub(crate) fn stats(&self) -> String {
        let peak = self.peak_memory.map_or("unknown".to_owned(), mebibytes);
        let rows = [
            (
                "prompt",
                format!(
                    "{} tokens in {:.3} s",
                    self.prompt_tokens + self.resumed,
                    self.prefill.as_secs_f64()
                ),
            ),
            (
                "trace",
                format!(
                    "{} tokens in {:.3} s, {:.0} tok/s",
                    self.tokens - self.resumed,
                    self.seconds(),
                    self.per_second(self.tokens - self.resumed)
                ),
            ),
            (
                "lines",
                format!("{}, {:.0} lines/s", self.lines, self.per_second(self.lines)),
            ),
            ("contexts", self.contexts.count()),
            ("output", format!("{} bytes", self.output_bytes)),
            ("stderr", format!("{} bytes", self.stderr_bytes)),
            (
                "cached keys and values",
                mebibytes(self.cached_bytes as u64),
            ),
            ("bailouts", self.bailouts.to_string()),
            ("peak memory", peak),
            (
                "horizon",
                format!(
                    "{:.1} % of the certified positions{}",
                    100.0 * self.share_of_horizon,
                    match self.contexts.count {
                        1 => "",
                        _ => ", in the longest context",
                    }
                ),
            ),
        ];
        let mut rows = rows.to_vec();
        rows.splice(4..4, self.contexts.rows(self.tokens));
        let rows = rows.iter().map(|(name, value)| format!("{name}: {value}"));
        let memory = self.memory_used.map(
            |MemoryUsed {
                 last_address, held, ..
             }| {
                format!(
                    "memory: written up to address {} of {}{}",
                    thousands(last_address),
                    thousands(held),
                    match self.contexts.turn_tokens {
                        0 => "",
                        _ => ", the saved state included",
                    }
                )
            },
        );
        rows.chain(memory).collect::<Vec<_>>().join("\n")
    }

    /// The report for tools.
    pub(crate) fn json(&self) -> Value {
        let horizon = match (&self.ending, self.left_out()) {
            (Ending::Ended(RunEnd::Horizon { position, reason }), _) => {
                let stopped = self.stopped.as_ref();
                let why = stopped.map_or_else(|| reason.to_string(), Stopped::problem);
                let further = stopped.and_then(|stopped| stopped.exceeded.further);
                Some(json!({
                    "position": position,
                    "why": why,
                    "profile": further.map(|profile| profile.name),
                }))
            }
            (Ending::Ended(RunEnd::Outcome(Outcome::Turned | Outcome::Refused)), _) => {
                Some(json!({
                    "position": self.position,
                    "why": self.remark(),
                    "profile": null,
                }))
            }
            (_, Some(why)) => Some(json!({
                "position": self.position,
                "why": why,
                "profile": null,
            })),
            _ => None,
        };
        let derailed = match &self.ending {
            Ending::Ended(RunEnd::Derailed { at, token }) => Some(json!({
                "index": at.index, "position": at.position, "token": token.to_string(),
            })),
            _ => None,
        };
        let (outcome, code, trap) = match &self.ending {
            Ending::Ended(_) if self.left_out().is_some() => ("horizon", None, None),
            Ending::Ended(end) => described(end),
            Ending::Interrupted => ("interrupted", None, None),
        };
        let bailouts = self.bailouts.iter();
        let bailouts: Map<String, Value> = bailouts
            .map(|(reason, count)| (reason.name().to_owned(), count.into()))
            .collect();
        json!({
            "outcome": outcome,
            "code": code,
            "trap": trap,
            "trapped": self.trapped.as_ref().map(|trapped| json!({
                "address": trapped.address,
                "bytes": trapped.bytes,
                "frames": trapped.frames,
            })),
            "horizon": horizon,
            "derailed": derailed,
            "check": self.agreed.map(|agreed| json!({
                "agreed": agreed,
                "divergence": self.divergence.map(parted),
            })),
            "exit_status": self.status(),
            "contexts": self.contexts.json(self.tokens),
            "prompt_tokens": self.prompt_tokens,
            "prompt_seconds": self.prefill.as_secs_f64(),
            "tokens": self.tokens,
            "resumed_tokens": self.resumed,
            "lines": self.lines,
            "output_bytes": self.output_bytes,
            "stderr_bytes": self.stderr_bytes,
            "seconds": self.seconds(),
            "tokens_per_second": self.per_second(self.tokens - self.resumed),
            "lines_per_second": self.per_second(self.lines),
            "cached_bytes": self.cached_bytes,
            "bailouts": bailouts,
            "peak_memory_bytes": self.peak_memory,
            "horizon_share": self.share_of_horizon,
            "last_address": self.memory_used.map(|used| used.last_address),
            "memory_bytes": self.memory_used.map(|used| used.held),
        })
    }
}

/// A hint for a program that failed for want of memory: the machine refused some that another one
/// has.
fn memory_hint(lowered: &Lowered, program: &Program, run: &Run<'_>) -> Option<String> {
    let held = run.memory_used()?.held;
    let wider = Profile::ALL
        .into_iter()
        .find(|other| other.memory_bytes() > held && other.cells.is_some())?;
    let refusals: Vec<usize> = lowered.refused_growths().collect();
    let refused =
        lowered.memory.capped && PostMortem::executes(program, run.reader().tokens(), &refusals);
    refused.then(|| {
        format!(
            "hint: the program was refused memory beyond {}; {} holds {}",
            kibibytes(u64::from(lowered.memory.limit) << 16),
            flag(&wider),
            kibibytes(wider.memory_bytes())
        )
    })
}

/// A hint for a program that failed for want of files.
fn files_hint(lowered: &Lowered) -> Option<String> {
    let opens = |import: &String| import.ends_with(".path_open");
    lowered.imports.iter().any(opens).then(|| {
        "hint: the program can open files, and there are none here; give it what it reads on stdin"
            .to_owned()
    })
}

/// An end's name for tools; the exit code, or the trap, of a program that ended itself so.
pub(crate) fn described(end: &RunEnd) -> (&'static str, Option<u32>, Option<&'static str>) {
    match end {
        RunEnd::Outcome(Outcome::Halted) => ("halt", None, None),
        RunEnd::Outcome(Outcome::Exited(code)) => ("exit", Some(*code), None),
        RunEnd::Outcome(Outcome::Trapped(trap)) => ("trap", None, Some(trap.name())),
        RunEnd::MaxTokens => ("budget", None, None),
        RunEnd::Outcome(Outcome::Turned | Outcome::Refused) | RunEnd::Horizon { .. } => {
            ("horizon", None, None)
        }
        RunEnd::UnknownToken { .. } => ("nonsense", None, None),
        RunEnd::Derailed { .. } => ("derailed", None, None),
        RunEnd::Differs { .. } => ("differs", None, None),
        RunEnd::Fault { .. } => ("fault", None, None),
    }
}

/// Where and how a run and the plain interpreter parted, for tools.
fn parted((at, divergence): (Place, Divergence)) -> Value {
    let (expected, found, fault) = match divergence {
        Divergence::Differs { expected, found } => (Some(expected), Some(found), None),
        Divergence::Fault(fault) => (None, None, Some(fault.to_string())),
    };
    json!({
        "index": at.index,
        "position": at.position,
        "expected": expected.map(|token| token.to_string()),
        "found": found.map(|token| token.to_string()),
        "fault": fault,
    })
}

/// A place, for people.
fn shown(at: Place) -> String {
    let Place { index, position } = at;
    format!(
        "token {index} of the trace (position {position}, prompt included; both counted from 0)"
    )
}

/// A number of tokens, in words.
pub(crate) fn counted(tokens: u64) -> String {
    format!("{tokens} token{}", if tokens == 1 { "" } else { "s" })
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// The greatest amount of memory that the process held so far, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}
