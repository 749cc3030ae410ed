//! A session: runs the calls of a script.

use std::collections::{HashMap, HashSet};

use wasmparser::ExternalKind;
use weightware::Outcome;
use weightware_frontend::Options;
use weightware_isa::Trap;

use super::effects::{Effects, effects};
use super::script::Pattern;
use crate::execution::{Ending, Executor, Loaded, Ran};
use crate::linked::{Case, ENTRY, HOST, Merged, Value, World, decode, encode};

/// The result of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The result is that of the script.
    Pass,
    /// The result is another one.
    Fail(String),
    /// The command was not tried, for this reason.
    Refused(String),
}

/// The suite grows memories far beyond the machine's limits, and reads their size.
const MEMORY_PAGES: u32 = (1 << 16) - 1;
/// The pages that the machine `far` holds beside the calls, which lie after the memory.
const HELD_PAGES: u32 = 126;
/// The reason to refuse a growth that the machine answers with -1, as WebAssembly allows.
const NOT_HELD: &str = "memory that the machine does not hold";
/// The greatest number of tokens of a run. The model is certified for fewer, so that endless
/// programs reach their horizon.
const LIMIT: u64 = 1 << 25;
/// The greatest number of calls of a run.
const CALLS: usize = 256;
/// The greatest length of a run's input, in bytes.
const INPUT: usize = 4_096;

/// The expected result of a call.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// The call returns; the results do not matter.
    Anything,
    /// The call returns these results.
    Results(Vec<Pattern>),
    /// The call traps with this message.
    Trap(String),
    /// The call exhausts the call stack.
    Exhaustion,
}

/// A call, its expected result, and where the verdict belongs.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) case: Case,
    pub(crate) arguments: Vec<Value>,
    pub(crate) expected: Expected,
    pub(crate) slot: usize,
}

/// The runs so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Effort {
    /// The number of runs.
    pub runs: u64,
    /// The number of tokens of their prompts.
    pub prompt: u64,
    /// The number of tokens of their traces.
    pub trace: u64,
}

/// Runs calls, and remembers those that changed the state.
pub(crate) struct Session<'e> {
    executor: &'e Executor<'e>,
    /// Calls that may have changed the state, in their order.
    history: Vec<Step>,
    /// Instances whose state is not the one that the script assumes, and the reasons.
    unsettled: HashMap<usize, String>,
    /// Instances whose memory did not grow, since the machine does not hold it.
    short: HashSet<usize>,
    pub(crate) effort: Effort,
}

/// Instances ready for calls.
struct Prepared {
    merged: Merged,
    effects: Vec<Effects>,
    cases: Vec<Case>,
    numbers: HashMap<Case, usize>,
    refused: HashMap<Case, String>,
    loaded: Loaded,
}

fn options(executor: &Executor<'_>) -> Options {
    let pages = match executor {
        Executor::Weights(..) => HELD_PAGES,
        _ => MEMORY_PAGES,
    };
    Options::default()
        .with_entry(ENTRY)
        .with_memory_pages(pages)
}

impl<'e> Session<'e> {
    pub(crate) fn new(executor: &'e Executor<'e>) -> Self {
        Self {
            executor,
            history: vec![],
            unsettled: HashMap::new(),
            short: HashSet::new(),
            effort: Effort::default(),
        }
    }

    /// Instantiates a module without a call. The expected result is a trap with that message, or
    /// none.
    pub(crate) fn instantiate(
        &mut self,
        world: &World,
        instance: usize,
        trap: Option<&str>,
    ) -> Verdict {
        let instances = world.around(instance);
        let merged = match Merged::new(world, &instances) {
            Ok(merged) => merged,
            Err(reason) => return Verdict::Refused(reason),
        };
        let loaded = match self
            .executor
            .load(&merged.driver(&[]), &options(self.executor))
        {
            Ok(loaded) => loaded,
            Err(error) => {
                let reason = error.to_string();
                return match trap {
                    Some(_) if reason.contains("cannot be instantiated") => Verdict::Pass,
                    _ => Verdict::Refused(reason),
                };
            }
        };
        let ran = self.run(&loaded, &[]);
        match trap {
            None => match ran.ending {
                Ending::Outcome(Outcome::Halted) => Verdict::Pass,
                ending => unexpected(&ending),
            },
            Some(message) => judge_trap(&ran.ending, &Expected::Trap(message.to_owned())),
        }
    }

    fn run(&mut self, loaded: &Loaded, input: &[u8]) -> Ran {
        let ran = self.executor.run(loaded, input, LIMIT);
        self.effort.runs += 1;
        self.effort.prompt += ran.prompt;
        self.effort.trace += ran.tokens;
        ran
    }

    /// Runs calls of one instance, and the calls that belong to it.
    pub(crate) fn calls(
        &mut self,
        world: &World,
        instance: usize,
        steps: &[Step],
        verdicts: &mut [Option<Verdict>],
    ) {
        let instances = world.around(instance);
        let here = |step: &&Step| match &step.case {
            Case::Export(instance, _) => instances.contains(instance),
            Case::Peek => false,
        };
        let history: Vec<Step> = self.history.iter().filter(here).cloned().collect();
        let prepared = match Prepared::new(
            self.executor,
            world,
            &instances,
            history.iter().chain(steps),
        ) {
            Ok(prepared) => prepared,
            Err(reason) => {
                for step in steps {
                    verdicts[step.slot] = Some(Verdict::Refused(reason.clone()));
                }
                return;
            }
        };
        let mut history: Vec<Step> = history
            .into_iter()
            .filter(|step| !prepared.refused.contains_key(&step.case))
            .collect();

        let mut open = vec![];
        for step in steps {
            let effects = prepared.effects(&step.case);
            let unsettled = instances.iter().find_map(|at| self.unsettled.get(at));
            if let Some(reason) = prepared.refused.get(&step.case) {
                verdicts[step.slot] = Some(Verdict::Refused(reason.clone()));
                if effects.writes {
                    let reason = format!("a call before it was refused: {reason}");
                    for &at in &instances {
                        self.unsettled.entry(at).or_insert(reason.clone());
                    }
                }
            } else if let (Some(reason), true) = (unsettled, effects.reads) {
                verdicts[step.slot] = Some(Verdict::Refused(reason.clone()));
            } else {
                open.push(step);
            }
        }

        let mut open = open.as_slice();
        while !open.is_empty() {
            let (batch, input) = prepared.batch(&history, open);
            let ran = self.run(&prepared.loaded, &input);
            let mut output = ran.streams.output.as_slice();
            let replayed = history.iter().all(|step| {
                let results = prepared.merged.signature(&step.case).unwrap_or_default();
                decode(&mut output, &results.results).is_some()
            });
            let mut done = 0;
            for step in &open[..batch] {
                let signature = prepared.merged.signature(&step.case).unwrap_or_default();
                let results = decode(&mut output, &signature.results).filter(|_| replayed);
                let ended = results.is_none();
                let mut verdict = match &results {
                    Some(results) => judge(&step.expected, results),
                    None => judge_trap(&ran.ending, &step.expected),
                };
                done += 1;
                let writes = prepared.effects(&step.case).writes;
                if matches!(verdict, Verdict::Fail(_)) && !ended {
                    // After a growth that failed, sizes are others, too.
                    let is_growth = writes && results.as_deref() == Some(&[u32::MAX.into()]);
                    let weights = matches!(self.executor, Executor::Weights(..));
                    if weights && (is_growth || self.short.contains(&instance)) {
                        self.short.insert(instance);
                        verdict = Verdict::Refused(NOT_HELD.to_owned());
                    }
                }
                verdicts[step.slot] = Some(verdict);
                if ended {
                    break;
                }
                if writes {
                    history.push((*step).clone());
                    self.history.push((*step).clone());
                }
            }
            open = &open[done..];
        }
    }
}

impl Prepared {
    /// Merges instances and lowers them with an entry for the steps' calls, except those that
    /// cannot be lowered.
    fn new<'s>(
        executor: &Executor<'_>,
        world: &World,
        instances: &[usize],
        steps: impl Iterator<Item = &'s Step>,
    ) -> Result<Self, String> {
        let merged = Merged::new(world, instances)?;
        let mut seen = HashSet::new();
        let mut cases: Vec<Case> = steps
            .map(|step| step.case.clone())
            .filter(|case| seen.insert(case.clone()))
            .collect();
        let mut refused = HashMap::new();
        cases.retain(|case| {
            let known = merged.signature(case).is_some();
            if !known {
                refused.insert(case.clone(), "is not exported".to_owned());
            }
            known
        });
        let effects = effects(&merged.driver(&[])).map_err(|error| error.to_string())?;
        let load = |cases: &[Case]| executor.load(&merged.driver(cases), &options(executor));
        let loaded = match load(&cases) {
            Ok(loaded) => loaded,
            Err(_) => {
                // The module without calls must lower. Then every case is tried alone, and those
                // that lower are lowered together.
                load(&[]).map_err(|error| error.to_string())?;
                cases.retain(|case| match load(std::slice::from_ref(case)) {
                    Ok(_) => true,
                    Err(error) => {
                        refused.insert(case.clone(), error.to_string());
                        false
                    }
                });
                load(&cases).map_err(|error| error.to_string())?
            }
        };
        let numbers = cases.iter().cloned().zip(0..).collect();
        Ok(Self {
            merged,
            effects,
            cases,
            numbers,
            refused,
            loaded,
        })
    }

    fn effects(&self, case: &Case) -> Effects {
        let Case::Export(instance, name) = case else {
            return Effects {
                writes: false,
                reads: true,
            };
        };
        match self.merged.exports.get(&(*instance, name.clone())) {
            Some(&(ExternalKind::Func, index)) => self.effects[(index - HOST) as usize],
            _ => Effects {
                writes: false,
                reads: true,
            },
        }
    }

    /// The number of open calls of the next run, and its input: the history, then the calls. A call
    /// that must end the run is the last.
    fn batch(&self, history: &[Step], open: &[&Step]) -> (usize, Vec<u8>) {
        debug_assert!(self.cases.len() == self.numbers.len(), "cases are distinct");
        let mut input = vec![];
        for step in history {
            encode(&mut input, self.numbers[&step.case], &step.arguments);
        }
        let room = input.len() + INPUT;
        for (count, step) in open.iter().enumerate() {
            if count == CALLS || input.len() > room {
                return (count, input);
            }
            encode(&mut input, self.numbers[&step.case], &step.arguments);
            if matches!(step.expected, Expected::Trap(_) | Expected::Exhaustion) {
                return (count + 1, input);
            }
        }
        (open.len(), input)
    }
}

/// Judges a call that returned.
fn judge(expected: &Expected, results: &[u64]) -> Verdict {
    match expected {
        Expected::Anything => Verdict::Pass,
        Expected::Results(patterns) => {
            let alike = patterns.len() == results.len()
                && patterns.iter().zip(results).all(|(p, &r)| p.admits(r));
            if alike {
                return Verdict::Pass;
            }
            let results: Vec<String> = results.iter().map(|bits| format!("{bits:#x}")).collect();
            Verdict::Fail(format!("returns ({})", results.join(" ")))
        }
        Expected::Trap(message) => Verdict::Fail(format!("returns instead of {message:?}")),
        Expected::Exhaustion => Verdict::Fail("returns instead of exhausting the stack".into()),
    }
}

/// Judges a call that did not return.
fn judge_trap(ending: &Ending, expected: &Expected) -> Verdict {
    let trap = match (ending, expected) {
        (Ending::Outcome(Outcome::Trapped(trap)), _) => trap,
        // A trap that the machine does not have, reported by the independent engine.
        (Ending::Broken(why), Expected::Trap(message)) if why.starts_with(message.as_str()) => {
            return Verdict::Pass;
        }
        _ => return unexpected(ending),
    };
    match expected {
        Expected::Exhaustion if *trap == Trap::CallStackExhausted => Verdict::Pass,
        Expected::Trap(message) if alike(*trap, message) => Verdict::Pass,
        _ => unexpected(ending),
    }
}

/// Whether a trap is the one that a script's message names.
fn alike(trap: Trap, message: &str) -> bool {
    // For table accesses out of bounds, the scripts' messages name the table or the undefined
    // element.
    let also = match trap {
        Trap::UndefinedElement => "out of bounds table access",
        Trap::UninitializedElement => "uninitialized",
        _ => trap.message(),
    };
    message.starts_with(trap.message()) || trap.message().starts_with(message) || message == also
}

fn unexpected(ending: &Ending) -> Verdict {
    match ending {
        Ending::Horizon(why) => Verdict::Refused(format!("beyond the horizon: {why}")),
        Ending::Outcome(outcome) => Verdict::Fail(format!("ends with {outcome}")),
        Ending::Budget => Verdict::Fail(format!("does not end within {LIMIT} tokens")),
        Ending::Broken(why) => Verdict::Fail(why.clone()),
    }
}
