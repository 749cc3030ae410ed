//! Differential fuzzing of random modules in two engines: their outputs, memories, globals and
//! traps must be equal.
//!
//! A module gets an entry that calls its exports as the input directs, reads its globals, and reads
//! memory words: those that the independent engine leaves non-zero, or any. So a comparison of
//! output and outcome covers everything. Two runs are compared: all calls up to and including one
//! that traps, and the calls before it, followed by reads of globals and memory.

mod generate;
mod rewrite;

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmparser::{ExternalKind, ValType};
use weightware_frontend::{Options, lower};
use weightware_isa::{Outcome, Trap};

use self::rewrite::Rewriting;
use crate::execution::{Ending, Executor};
use crate::host;
use crate::linked::{Case, ENTRY, Merged, Signature, Value, World, decode, encode};
use crate::random::Random;
use crate::streams::Streams;

/// The greatest number of tokens of a run; a longer one is not compared.
const LIMIT: u64 = 8_000_000;
/// The number of calls of a module.
const CALLS: u64 = 8;
/// The number of memory words to read.
const WORDS: usize = 24;
/// The greatest number of attempts to reduce a failure.
const TRIES: usize = 400;

/// The result of a module.
#[derive(Debug, Clone)]
pub enum Fuzzed {
    /// Both engines agree: the tokens, and whether the run ended without a trap.
    Same(u64, bool),
    /// The module was not compared, for this reason.
    Skipped(&'static str),
    /// The engines differ.
    Different(Box<Difference>),
}

/// A module on which two engines differ.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The difference.
    pub problem: String,
    /// The module, with its entry.
    pub wasm: Vec<u8>,
    /// The input.
    pub input: Vec<u8>,
    /// The expected output.
    pub output: Vec<u8>,
    /// The expected end.
    pub outcome: Outcome,
}

/// Compares `executor` with the independent engine on the module of a seed.
#[must_use]
pub fn fuzz(seed: u64, executor: &Executor<'_>) -> Fuzzed {
    let mut random = Random::new(seed);
    let bytes = generate::bytes(&mut random);
    let calls = random.bits();
    match compare(&bytes, calls, executor) {
        Fuzzed::Different(difference) => {
            Fuzzed::Different(Box::new(reduce(bytes, calls, *difference, executor)))
        }
        fuzzed => fuzzed,
    }
}

/// Reduces a failure's module: fewer bytes make another, smaller module, which may fail as well.
fn reduce(
    mut bytes: Vec<u8>,
    calls: u64,
    mut smallest: Difference,
    executor: &Executor<'_>,
) -> Difference {
    let mut step = bytes.len() / 2;
    let mut tries = 0;
    while step > 0 && tries < TRIES {
        let mut at = 0;
        while at + step <= bytes.len() && tries < TRIES {
            let mut fewer = bytes.clone();
            fewer.drain(at..at + step);
            tries += 1;
            match compare(&fewer, calls, executor) {
                Fuzzed::Different(difference) if difference.wasm.len() <= smallest.wasm.len() => {
                    smallest = *difference;
                    bytes = fewer;
                }
                _ => at += step,
            }
        }
        step /= 2;
    }
    smallest
}

fn compare(bytes: &[u8], seed: u64, executor: &Executor<'_>) -> Fuzzed {
    let subject = match Subject::new(bytes, executor) {
        Ok(subject) => subject,
        Err(reason) => return Fuzzed::Skipped(reason),
    };
    let mut random = Random::new(seed);
    let calls: Vec<_> = (0..CALLS).map(|_| subject.call(&mut random)).collect();
    let input = subject.input(&calls);
    let Ok((streams, outcome, _)) = host::run_to_memory(&subject.guarded, &input) else {
        return Fuzzed::Skipped("the independent engine has no outcome");
    };
    let returned = subject.returned(&calls, &streams.output);
    let mut tokens = 0;
    if outcome != Outcome::Halted {
        match subject.compare(executor, &input, (streams, outcome)) {
            Fuzzed::Same(more, _) => tokens += more,
            fuzzed => return fuzzed,
        }
    }
    // The second run: the calls that return, then the reads.
    let mut input = subject.input(&calls[..returned]);
    let Ok((.., memory)) = host::run_to_memory(&subject.guarded, &input) else {
        return Fuzzed::Skipped("the independent engine has no outcome");
    };
    subject.look(&mut input, &memory, &mut random);
    let Ok(expected) = host::run(&subject.guarded, &input) else {
        return Fuzzed::Skipped("the independent engine has no outcome");
    };
    match subject.compare(executor, &input, expected) {
        Fuzzed::Same(more, _) => Fuzzed::Same(tokens + more, outcome == Outcome::Halted),
        fuzzed => fuzzed,
    }
}

/// A module with its entry.
struct Subject {
    merged: Merged,
    /// Functions that can be lowered, then globals, then the read of a memory word.
    cases: Vec<Case>,
    functions: usize,
    module: Vec<u8>,
    /// The module for the independent engine.
    guarded: Vec<u8>,
}

impl Subject {
    /// Generates the module of these bytes, or returns the reason for which there is none.
    fn new(bytes: &[u8], executor: &Executor<'_>) -> Result<Self, &'static str> {
        let wasm = generate::module(bytes).map_err(|_| "no module")?;
        let mut world = World::default();
        let instance = world.instantiate(&wasm).map_err(|_| "no valid module")?;
        let merged = Merged::new(&world, &[instance]).expect("one module has one memory at most");
        let mut exports: Vec<_> = merged.exports.iter().collect();
        exports.sort_by_key(|((_, name), _)| name.as_str());
        let all = |wanted: ExternalKind| {
            let exports = exports.iter().filter(move |(_, (kind, _))| *kind == wanted);
            let cases = exports.map(|((instance, name), _)| Case::Export(*instance, name.clone()));
            // A function that makes the frontend panic is kept, so that it counts as a failure.
            cases.filter(|case| {
                let module = merged.driver(std::slice::from_ref(case));
                let loaded = catch_unwind(|| lower(&module, &options()).is_ok());
                loaded.unwrap_or(true) || matches!(executor, Executor::Wasmi)
            })
        };
        let mut cases: Vec<Case> = all(ExternalKind::Func).collect();
        let functions = cases.len();
        if functions == 0 {
            return Err("nothing can be lowered");
        }
        cases.extend(all(ExternalKind::Global));
        cases.push(Case::Peek);
        let module = merged.driver(&cases);
        let guard = Rewriting {
            guard_select: true,
            ..Rewriting::default()
        };
        let guarded = guard.apply(&module).expect("the module is valid");
        Ok(Self {
            merged,
            cases,
            functions,
            module,
            guarded,
        })
    }

    /// A random call of a function.
    fn call(&self, random: &mut Random) -> (usize, Vec<Value>) {
        let case = random.below(self.functions as u64) as usize;
        let signature = self.signature(case);
        let arguments = signature.parameters.iter();
        let arguments = arguments.map(|&ty| generate::argument(random, ty));
        (case, arguments.collect())
    }

    fn signature(&self, case: usize) -> Signature {
        let signature = self.merged.signature(&self.cases[case]);
        signature.expect("the case is an export")
    }

    fn input(&self, calls: &[(usize, Vec<Value>)]) -> Vec<u8> {
        let mut input = vec![];
        for (case, arguments) in calls {
            encode(&mut input, *case, arguments);
        }
        input
    }

    /// The number of calls that have returned.
    fn returned(&self, calls: &[(usize, Vec<Value>)], mut output: &[u8]) -> usize {
        let mut calls = calls.iter();
        let returns = |(case, _): &(usize, Vec<Value>)| {
            decode(&mut output, &self.signature(*case).results).is_none()
        };
        let count = calls.len();
        calls.position(returns).unwrap_or(count)
    }

    /// Appends reads of all globals, and of words of the memory.
    fn look(&self, input: &mut Vec<u8>, memory: &[u8], random: &mut Random) {
        let peek = self.cases.len() - 1;
        for case in self.functions..peek {
            encode(input, case, &[]);
        }
        let words = memory.chunks_exact(4).enumerate();
        let mut written: Vec<usize> = words
            .filter(|(_, word)| **word != [0; 4])
            .map(|(at, _)| 4 * at)
            .collect();
        for _ in 0..WORDS.min(memory.len() / 4) {
            let address = match written.len() {
                0 => random.below(memory.len() as u64 - 3) as usize,
                left => written.swap_remove(random.below(left as u64) as usize),
            };
            let address = Value {
                ty: ValType::I32,
                bits: address as u64,
            };
            encode(input, peek, &[address]);
        }
    }

    /// Runs the module and compares the result with that of the independent engine.
    fn compare(
        &self,
        executor: &Executor<'_>,
        input: &[u8],
        (Streams { output, .. }, outcome): (Streams, Outcome),
    ) -> Fuzzed {
        let different = |problem: String| {
            Fuzzed::Different(Box::new(Difference {
                problem,
                wasm: self.module.clone(),
                input: input.to_vec(),
                output: output.clone(),
                outcome,
            }))
        };
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let loaded = executor.load(&self.module, &options());
            let loaded = loaded.map_err(|error| error.to_string())?;
            Ok::<_, String>(executor.run(&loaded, input, LIMIT))
        }));
        let ran = match ran {
            Ok(Ok(ran)) => ran,
            Ok(Err(refusal)) => return different(format!("is refused: {refusal}")),
            Err(_) => return different("panics".into()),
        };
        let exhausted = Outcome::Trapped(Trap::CallStackExhausted);
        match ran.ending {
            // Each engine has its own limit on the depth of calls.
            Ending::Outcome(found) if found == exhausted || outcome == exhausted => {
                Fuzzed::Skipped("the call stack is exhausted")
            }
            Ending::Outcome(found) if found != outcome => {
                different(format!("ends with {found} instead of {outcome}"))
            }
            Ending::Outcome(_) if ran.streams.output != output => {
                let alike = ran.streams.output.iter().zip(&output);
                let alike = alike.take_while(|(a, b)| a == b).count();
                different(format!("the output differs from byte {alike} on"))
            }
            Ending::Outcome(found) => Fuzzed::Same(ran.tokens, found == Outcome::Halted),
            Ending::Budget => Fuzzed::Skipped("takes too many tokens"),
            Ending::Horizon(_) => Fuzzed::Skipped("goes beyond the horizon"),
            Ending::Broken(why) => different(why),
        }
    }
}

fn options() -> Options {
    Options::default().with_entry(ENTRY)
}

impl Difference {
    /// The text of a case of the corpus that shows the difference.
    ///
    /// # Errors
    /// If the module cannot be printed.
    pub fn case(&self, about: &str) -> Result<String, String> {
        let text = wasmprinter::print_bytes(&self.wasm).map_err(|error| error.to_string())?;
        let hex = |bytes: &[u8]| {
            let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            bytes.join(" ")
        };
        let outcome = match self.outcome {
            Outcome::Halted => "\"halt\"".to_owned(),
            Outcome::Exited(code) => code.to_string(),
            Outcome::Trapped(trap) => format!("{:?}", trap.name()),
            Outcome::Turned | Outcome::Refused => {
                return Err("the run has not ended".to_owned());
            }
        };
        Ok(format!(
            "about = {about:?}\ninput_hex = {:?}\noutput_hex = {:?}\noutcome = {outcome}\nmax_tokens = {LIMIT}\nwat = '''\n{text}'''\n",
            hex(&self.input),
            hex(&self.output),
        ))
    }
}
