//! Random modules in two engines: what they put out, their memories, globals and traps must be alike.
//!
//! A module gets an entry that calls its exports as the input tells, reads its globals, and reads memory words: those
//! that the independent engine leaves non-zero, and some others. So one comparison of output and outcome compares all.

mod generate;
mod rewrite;

use std::panic::{AssertUnwindSafe, catch_unwind};

use weightware_frontend::Options;
use weightware_isa::{Outcome, Trap};
use wasmparser::{ExternalKind, ValType};

use self::rewrite::Rewriting;
use crate::execution::{Ending, Executor};
use crate::host;
use crate::linked::{Case, ENTRY, Merged, Value, World, encode};
use crate::random::Random;

/// Tokens of a run at most; a longer one is not compared.
const LIMIT: u64 = 8_000_000;
/// Calls of a module.
const CALLS: u64 = 8;
/// Memory words that are looked at.
const WORDS: usize = 24;
/// Smaller modules that are tried at most for a failure.
const TRIES: usize = 400;
/// Words of the frames of recursive functions.
const STACK_WORDS: u32 = 3 << 12;

/// What became of a module.
#[derive(Debug, Clone)]
pub enum Fuzzed {
    /// Both engines agree. Tokens, and whether the run came to its end without a trap.
    Same(u64, bool),
    /// It was not compared, because of this.
    Skipped(&'static str),
    /// They differ.
    Different(Box<Difference>),
}

/// A module of which two engines say different things.
#[derive(Debug, Clone)]
pub struct Difference {
    /// What is different.
    pub problem: String,
    /// The module, with its entry.
    pub wasm: Vec<u8>,
    /// The input.
    pub input: Vec<u8>,
    /// What it must put out.
    pub output: Vec<u8>,
    /// How it must end.
    pub outcome: Outcome,
}

/// Makes the module of a seed and compares what `executor` makes of it with the independent engine.
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

/// Makes a failure's module smaller: with fewer bytes it is another module, which may fail as well.
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

fn compare(bytes: &[u8], calls: u64, executor: &Executor<'_>) -> Fuzzed {
    let Ok(wasm) = generate::module(bytes) else {
        return Fuzzed::Skipped("no module");
    };
    let mut world = World::default();
    let Ok(instance) = world.instantiate(&wasm) else {
        return Fuzzed::Skipped("no valid module");
    };
    let merged = Merged::new(&world, &[instance]).expect("one module has one memory at most");
    let options = Options::default()
        .with_entry(ENTRY)
        .with_stack_words(STACK_WORDS);
    let load = |cases: &[Case]| executor.load(&merged.driver(cases), &options);

    // Exports that cannot be lowered are left out.
    let mut exports: Vec<_> = merged.exports.iter().collect();
    exports.sort_by_key(|((_, name), _)| name.as_str());
    let exports = exports
        .into_iter()
        .filter(|(_, (kind, _))| matches!(kind, ExternalKind::Func | ExternalKind::Global));
    let mut functions = vec![];
    let mut globals = vec![];
    for ((instance, name), (kind, _)) in exports {
        let case = Case::Export(*instance, name.clone());
        match kind {
            ExternalKind::Func => functions.push(case),
            _ => globals.push(case),
        }
    }
    let loads = |case: &Case| {
        let case = std::slice::from_ref(case);
        catch_unwind(AssertUnwindSafe(|| load(case))).map_or(true, |loaded| loaded.is_ok())
    };
    functions.retain(loads);
    globals.retain(loads);
    if functions.is_empty() {
        return Fuzzed::Skipped("nothing can be lowered");
    }
    let count = functions.len();
    let cases: Vec<Case> = functions
        .into_iter()
        .chain(globals)
        .chain([Case::Peek])
        .collect();

    let mut random = Random::new(calls);
    let mut input = vec![];
    for _ in 0..CALLS {
        let case = random.below(count as u64) as usize;
        let signature = merged.signature(&cases[case]).expect("is exported");
        let arguments = signature.parameters.iter();
        let arguments: Vec<Value> = arguments
            .map(|&ty| generate::argument(&mut random, ty))
            .collect();
        encode(&mut input, case, &arguments);
    }
    let module = merged.driver(&cases);
    let guard = Rewriting {
        guard_select: true,
        ..Rewriting::default()
    };
    let guarded = guard.apply(&module).expect("the module is valid");
    let (mut output, mut outcome) = match host::run_to_memory(&guarded, &input) {
        Ok((output, outcome, memory)) => {
            look(&mut input, &cases, count, &memory, &mut random);
            (output, outcome)
        }
        Err(_) => return Fuzzed::Skipped("the independent engine has no outcome"),
    };
    if outcome == Outcome::Halted {
        match host::run(&guarded, &input) {
            Ok(again) => (output, outcome) = again,
            Err(_) => return Fuzzed::Skipped("the independent engine has no outcome"),
        }
    }

    let different = |problem: String| {
        Fuzzed::Different(Box::new(Difference {
            problem,
            wasm: module.clone(),
            input: input.clone(),
            output: output.clone(),
            outcome,
        }))
    };
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let loaded = load(&cases).map_err(|error| error.to_string())?;
        Ok::<_, String>(executor.run(&loaded, &input, LIMIT))
    }));
    let ran = match ran {
        Ok(Ok(ran)) => ran,
        Ok(Err(refusal)) => return different(format!("is refused: {refusal}")),
        Err(_) => return different("panics".into()),
    };
    let exhausted = Outcome::Trapped(Trap::CallStackExhausted);
    match ran.ending {
        // How deep calls may nest is each engine's own.
        Ending::Outcome(found) if found == exhausted || outcome == exhausted => {
            Fuzzed::Skipped("the call stack is exhausted")
        }
        Ending::Outcome(found) if found != outcome => {
            different(format!("ends with {found} instead of {outcome}"))
        }
        Ending::Outcome(_) if ran.output != output => {
            let at = ran.output.iter().zip(&output).take_while(|(a, b)| a == b);
            different(format!("the output differs from byte {} on", at.count()))
        }
        Ending::Outcome(found) => Fuzzed::Same(ran.tokens, found == Outcome::Halted),
        Ending::Budget => Fuzzed::Skipped("takes too many tokens"),
        Ending::Horizon(_) => Fuzzed::Skipped("goes beyond the horizon"),
        Ending::Broken(why) => different(why),
    }
}

/// Appends looks at all globals, and at words of the memory.
fn look(input: &mut Vec<u8>, cases: &[Case], first: usize, memory: &[u8], random: &mut Random) {
    let peek = cases.len() - 1;
    for case in first..peek {
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

impl Difference {
    /// The file of the corpus that shows it.
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
        };
        Ok(format!(
            "about = {about:?}\ninput_hex = {:?}\noutput_hex = {:?}\noutcome = {outcome}\nmax_tokens = {LIMIT}\nwat = '''\n{text}'''\n",
            hex(&self.input),
            hex(&self.output),
        ))
    }
}
