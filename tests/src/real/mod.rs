//! Programs of people who did not know the machine: what compilers of several languages make, and
//! libraries with a driver.
//!
//! A module runs by an independent engine first. Then the weights decode it, by the first profile
//! that gets it to its end. Nothing here repairs a program: a table says what stops it.

mod limits;
pub mod manifest;
mod page;
pub mod programs;
pub mod toolchains;

use std::collections::BTreeMap;
use std::time::Instant;

use weightware::{Computer, Engine, Profile, Run, RunEnd, profile_model};
use weightware_frontend::{Input, Options, lower};
use weightware_isa::{Interpreter, Outcome, Program};

use crate::beside::is_store;
use crate::host;
use crate::streams::Streams;
use crate::thousands::thousands;

/// Tokens of a trace after which the plain interpreter counts no further.
const COUNTED: usize = 1_000_000_000;

/// Tokens beyond twice those of the whole run after which a run counts as endless.
const ENDLESS: u64 = 40_000_000;

/// The pages that a program may have where only the plain interpreter runs it.
const PAGES: u32 = 4096;

/// Runs modules on weights, which are compiled once for each profile.
#[derive(Debug)]
pub struct Judge {
    limit: Option<u64>,
    computers: BTreeMap<&'static str, Computer>,
}

/// A module's way through the weights.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Bytes of the module.
    pub size: usize,
    /// Tokens of the prompt; none if there is none.
    pub prompt: Option<u64>,
    /// Decoded tokens; none if no engine began.
    pub tokens: Option<u64>,
    /// The contexts in which they were decoded, and the tokens of the prompts of all but the first.
    pub contexts: Option<(u64, u64)>,
    /// The profile that got furthest.
    pub profile: Option<&'static str>,
    /// Seconds of prefill and decoding by that profile.
    pub seconds: f64,
    /// The result of the run.
    pub verdict: Verdict,
    /// The output and outcome by the independent engine, if it ran the module to its end.
    pub(super) said: Option<Said>,
    /// In what a native program differs from that, if one was run.
    pub native: Option<Option<String>>,
}

/// The result of running a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The weights output what the independent engine outputs, and end as it does.
    Right,
    /// The frontend refuses the module; says why.
    Refused(String),
    /// The run stops before the program ends; says at what.
    Stopped(String),
    /// The weights and the independent engine disagree; says in what.
    Different(String),
    /// There is no module, or the independent engine cannot run it; says why.
    Unknown(String),
}

/// How far one profile got.
struct Attempt {
    /// Tokens of the first context's prompt.
    prompt: u64,
    /// Tokens of the trace.
    tokens: u64,
    /// The contexts, and the tokens of the prompts of all but the first.
    contexts: (u64, u64),
    /// The position that it reached, in the prompt or after it, as if there were one context.
    position: u64,
    seconds: f64,
    /// The reason for which the run stopped, if the program did not end.
    stopped: Option<String>,
    /// The output and the outcome, if the program ended.
    said: Option<Said>,
}

/// The output of a program, and how it ends.
type Said = (Streams, Outcome);

impl Measured {
    /// No run, for the reason that the verdict gives.
    fn without(verdict: Verdict) -> Self {
        Self {
            size: 0,
            prompt: None,
            tokens: None,
            contexts: None,
            profile: None,
            seconds: 0.0,
            verdict,
            said: None,
            native: None,
        }
    }
}

impl Judge {
    /// A judge that decodes at most `limit` tokens of a trace; without a limit it decodes up to the
    /// horizon, or more than twice the tokens of the whole run.
    #[must_use]
    pub fn new(limit: Option<u64>) -> Self {
        Self {
            limit,
            computers: BTreeMap::new(),
        }
    }

    /// Runs a module by an independent engine and by the weights.
    pub fn measure(&mut self, wasm: &[u8], input: &Input) -> Measured {
        let mut measured = Measured {
            size: wasm.len(),
            ..Measured::without(Verdict::Right)
        };
        let wanted = host::run(wasm, input.clone()).and_then(|said| match said {
            (_, Outcome::Halted | Outcome::Exited(0)) => Ok(said),
            // To fail in the same way is no success.
            (streams, outcome) => Err(format!("{outcome}, {streams}")),
        });
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(problem) => {
                measured.verdict = Verdict::Unknown(format!("an independent engine: {problem}"));
                return measured;
            }
        };
        match self.furthest(wasm, input, &wanted, &mut measured) {
            Ok(verdict) | Err(verdict) => measured.verdict = verdict,
        }
        measured.said = Some(wanted);
        measured
    }

    /// The verdict on the profile that ends as wanted, or else got furthest. The error is the
    /// verdict on a module that no profile begins with.
    fn furthest(
        &mut self,
        wasm: &[u8],
        input: &Input,
        wanted: &Said,
        measured: &mut Measured,
    ) -> Result<Verdict, Verdict> {
        // With as much memory as it asks for, what does the program do, and in how many tokens?
        let options = Options::default().with_memory_pages(PAGES);
        let lowered_whole = lower(wasm, &options);
        let lowered_whole = lowered_whole.map_err(|error| Verdict::Refused(error.to_string()))?;
        let program = lowered_whole.into_program(input.clone());
        let (run, said, tokens) = whole(&program);
        // One that is short of memory may go on without end, in one context after the other.
        let most = Some(2 * tokens + ENDLESS);
        let mut verdicts = vec![];
        let mut position = None;
        for profile in Profile::ALL {
            let program = lowered(wasm, input, profile).map_err(Verdict::Refused)?;
            let attempt = self
                .attempt(profile, &program, self.limit.or(most))
                .map_err(Verdict::Unknown)?;
            let verdict = attempt.verdict(wanted);
            let is_right = verdict == Verdict::Right;
            if is_right || position.is_none_or(|old| old <= attempt.position) {
                position = Some(attempt.position);
                measured.prompt = Some(attempt.prompt);
                measured.tokens = Some(attempt.tokens);
                measured.contexts = Some(attempt.contexts);
                measured.profile = Some(profile.name);
                measured.seconds = attempt.seconds;
                verdicts.push(verdict);
            }
            if is_right {
                return Ok(Verdict::Right);
            }
        }
        let Some(verdict) = verdicts.pop() else {
            return Err(Verdict::Unknown("there is no profile".to_owned()));
        };
        let does_as_wanted = said.is_some_and(|said| differs(&said, wanted).is_none());
        Ok(match verdict {
            Verdict::Stopped(why) => Verdict::Stopped(format!("{why}; {run}")),
            Verdict::Different(_) if does_as_wanted => {
                Verdict::Stopped(format!("short of memory, which may grow no further; {run}"))
            }
            verdict => verdict,
        })
    }

    fn attempt(
        &mut self,
        profile: Profile,
        program: &Program,
        limit: Option<u64>,
    ) -> Result<Attempt, String> {
        if !self.computers.contains_key(profile.name) {
            let computer = Computer::new(profile_model(profile));
            let computer = computer.map_err(|error| error.to_string())?;
            self.computers.insert(profile.name, computer);
        }
        let computer = &self.computers[profile.name];
        let start = Instant::now();
        let run = computer.run(program, Engine::Plan, limit);
        let mut run = run.map_err(|error| error.to_string())?;
        let prompt = run.prompt_tokens();
        let end = run.finish();
        Ok(Attempt {
            prompt,
            tokens: run.reader().tokens(),
            contexts: (run.contexts(), run.reread_tokens()),
            position: match end {
                RunEnd::Horizon { position, .. } if run.contexts() == 1 => position,
                _ => prompt + run.reader().tokens(),
            },
            seconds: start.elapsed().as_secs_f64(),
            stopped: stopped(&end, &run),
            said: match end {
                RunEnd::Outcome(outcome) => {
                    let streams = Streams::new(run.reader().output(), run.reader().stderr());
                    Some((streams, outcome))
                }
                _ => None,
            },
        })
    }
}

fn stopped(end: &RunEnd, run: &Run<'_>) -> Option<String> {
    match end {
        RunEnd::Outcome(_) => None,
        RunEnd::Horizon { position, reason } => {
            let limit = limits::phrase(run, reason);
            let in_prompt = *position < run.prompt_tokens();
            let place = match (in_prompt, run.contexts()) {
                (true, 1) => " of the prompt".to_owned(),
                (false, 1) => String::new(),
                (true, number) => format!(" of the prompt of context {number}"),
                (false, number) => format!(" of context {number}"),
            };
            Some(format!(
                "at position {}{place}: {limit}",
                thousands(*position)
            ))
        }
        RunEnd::MaxTokens => Some("at the limit of tokens".to_owned()),
        end => Some(format!("{end:?}")),
    }
}

impl Attempt {
    fn verdict(&self, wanted: &Said) -> Verdict {
        if let Some(stopped) = &self.stopped {
            return Verdict::Stopped(stopped.clone());
        }
        let difference = self.said.as_ref().and_then(|said| differs(said, wanted));
        difference.map_or(Verdict::Right, Verdict::Different)
    }
}

/// The program for a machine of a profile, whose memory grows to what the machine holds beside the
/// input.
fn lowered(wasm: &[u8], input: &Input, profile: Profile) -> Result<Program, String> {
    let with_pages = |beside: u64| {
        let options = Options::default()
            .with_turns(true)
            .with_memory_pages(profile.memory_pages(beside));
        lower(wasm, &options).map_err(|error| error.to_string())
    };
    let mut lowered = with_pages(0)?;
    if let (Some(start), Some(end)) = (lowered.input_address, lowered.input_end(input))
        && end > profile.memory_bytes()
    {
        lowered = with_pages(end - u64::from(start))?;
    }
    Ok(lowered.with_input(input.clone()))
}

/// In what a run differs from what is wanted. To halt and to exit with 0 is the same.
fn differs((streams, outcome): &Said, (wanted, end): &Said) -> Option<String> {
    let plain = |outcome: &Outcome| match outcome {
        Outcome::Exited(0) => Outcome::Halted,
        outcome => *outcome,
    };
    if plain(outcome) != plain(end) {
        return Some(format!("{outcome}, not {end}"));
    }
    streams.are(wanted).err()
}

/// The length of the whole run by the plain interpreter, in words, its output and outcome, and its
/// tokens.
fn whole(program: &Program) -> (String, Option<Said>, u64) {
    let mut interpreter = Interpreter::new(program);
    let mut stores = 0_u64;
    for token in interpreter.by_ref().take(COUNTED) {
        match token {
            Ok(token) => stores += u64::from(is_store(&token)),
            Err(fault) => return (fault.to_string(), None, interpreter.tokens()),
        }
    }
    let count = interpreter.tokens();
    let tokens = thousands(count);
    let stores = thousands(stores);
    let Some(outcome) = interpreter.outcome() else {
        return (
            format!("{tokens} tokens, {stores} of them stores, do not end it"),
            None,
            count,
        );
    };
    let streams = Streams::new(interpreter.output(), interpreter.stderr());
    let ended = match outcome {
        Outcome::Halted | Outcome::Exited(0) => String::new(),
        outcome => format!(" and then {outcome}"),
    };
    (
        format!("the whole run has {tokens} tokens, {stores} of them stores{ended}"),
        Some((streams, outcome)),
        count,
    )
}
