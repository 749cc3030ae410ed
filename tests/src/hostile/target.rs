//! Readers of bytes under test.

use std::fs;

use weightware::{Computer, Engine, Error, SavedRun, Source, TraceReader};
use weightware_isa::{Interpreter, Program, Vocabulary};

use super::model;
use crate::case::cases;

/// A reader of untrusted bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Wasm binaries, lowered and run.
    Wasm,
    /// Wasm text.
    Wat,
    /// Token programs.
    Tokens,
    /// Traces.
    Trace,
    /// Saved runs, and their continuation.
    Saved,
    /// `model.safetensors`.
    Tensors,
    /// `config.json`.
    Config,
    /// `tokenizer.json`.
    Tokenizer,
    /// `generation_config.json`.
    Generation,
    /// Random weights, run by all engines.
    Weights,
}

/// Whether an input is accepted; an error is a finding.
pub(super) type Check = dyn Fn(&[u8]) -> Result<bool, String>;

/// The number of tokens decoded of an accepted input.
const TOKENS: usize = 2_000;

impl Target {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Wasm,
        Self::Wat,
        Self::Tokens,
        Self::Trace,
        Self::Saved,
        Self::Tensors,
        Self::Config,
        Self::Tokenizer,
        Self::Generation,
        Self::Weights,
    ];

    /// The name of the target.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Wat => "wat",
            Self::Tokens => "tokens",
            Self::Trace => "trace",
            Self::Saved => "saved",
            Self::Tensors => "tensors",
            Self::Config => "config",
            Self::Tokenizer => "tokenizer",
            Self::Generation => "generation",
            Self::Weights => "weights",
        }
    }

    /// The check of the target, valid inputs, and words of its language.
    pub(super) fn open(self) -> (Box<Check>, Vec<Vec<u8>>, Vec<Vec<u8>>) {
        match self {
            Self::Wasm => (Box::new(source), modules(), vec![]),
            Self::Wat => (Box::new(source), texts(), words(&texts())),
            Self::Tokens => (Box::new(source), programs(), words(&programs())),
            Self::Trace => (Box::new(trace), traces(), words(&traces())),
            Self::Saved => {
                let computer = Computer::default();
                let valid = saved(&computer);
                let words = words(&valid);
                (
                    Box::new(move |input| resumed(input, &computer)),
                    valid,
                    words,
                )
            }
            Self::Tensors => model::file("model.safetensors"),
            Self::Config => model::file("config.json"),
            Self::Tokenizer => model::file("tokenizer.json"),
            Self::Generation => model::file("generation_config.json"),
            Self::Weights => (
                Box::new(model::weights),
                vec![vec![0; 64], vec![128; 200]],
                vec![],
            ),
        }
    }
}

/// A program in any form: it is lowered, and run for a while.
fn source(input: &[u8]) -> Result<bool, String> {
    let source = match Source::parse(input) {
        Ok(source) => source,
        Err(error) => return refused(&error).map(|()| false),
    };
    let program = source.program(b"some input".as_slice());
    // Prompts are longer than programs by the tokens of each instruction.
    let _ = program.full_prompt().count();
    run(&program);
    let text = program.to_string();
    match text.parse::<Program>() {
        Ok(again) if again == program => Ok(true),
        Ok(_) => Err("its text is another program".into()),
        Err(error) => Err(format!("its own text is refused: {error}")),
    }
}

fn run(program: &Program) {
    let mut reader = TraceReader::new();
    for token in Interpreter::new(program).take(TOKENS) {
        // A fault of a token program ends its run.
        let Ok(token) = token else { break };
        let _ = reader.feed(token);
    }
}

/// Whether an error names the place.
fn refused(error: &Error) -> Result<(), String> {
    let located = match error {
        Error::Frontend(error) => {
            // The message of a text that cannot be parsed names the line; a missing entry and a
            // component have no place.
            let said = error.to_string();
            let of_the_whole = ["there is no exported function", "this is a component"];
            let is_located =
                said.contains("<anon>:") || of_the_whole.iter().any(|what| said.contains(what));
            error.offset().is_some() || error.function().is_some() || is_located
        }
        Error::Program(error) => error.line().is_some() || error.instruction().is_some(),
        Error::Model(error) => error.path().is_some() || error.as_unknown_word().is_some(),
        _ => true,
    };
    let text = error.to_string();
    if !located || text.is_empty() {
        return Err(format!("is refused without a place: {text}"));
    }
    readable(&text)
}

/// Checks that a refusal can be read in a terminal: it repeats little of the input, and no control
/// character.
pub(super) fn readable(text: &str) -> Result<(), String> {
    if text.len() > 4_000 {
        return Err(format!("is refused in {} bytes", text.len()));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(format!("is refused with control characters: {text:?}"));
    }
    Ok(())
}

/// Reads the tokens of a trace; words that are not tokens are skipped.
fn trace(input: &[u8]) -> Result<bool, String> {
    let vocabulary = Vocabulary::new();
    let mut reader = TraceReader::new();
    for word in String::from_utf8_lossy(input).split_whitespace() {
        if let Some(token) = vocabulary.parse(word)
            && let Some(line) = reader.feed(token)
        {
            let _ = line.to_string();
        }
    }
    Ok(reader.outcome().is_some())
}

fn resumed(input: &[u8], computer: &Computer) -> Result<bool, String> {
    let Ok(text) = std::str::from_utf8(input) else {
        return Ok(false);
    };
    let SavedRun { prompt, trace, .. } = match SavedRun::parse(text, computer) {
        Ok(saved) => saved,
        Err(error) => return refused(&error).map(|()| false),
    };
    let run = computer.resume(&prompt, &trace, Engine::Hull, Some(20));
    let mut run = run.map_err(|error| error.to_string())?;
    let _ = run.finish();
    Ok(true)
}

/// The modules of the corpus.
fn modules() -> Vec<Vec<u8>> {
    let short = |bytes: &[u8]| bytes.len() < 1 << 14;
    let cases = cases();
    let modules = cases.iter().filter_map(|case| case.wasm());
    let modules = modules.filter_map(|bytes| wat::parse_bytes(bytes).ok());
    modules
        .map(|bytes| bytes.to_vec())
        .filter(|bytes| short(bytes))
        .collect()
}

/// The printed texts of these modules.
fn texts() -> Vec<Vec<u8>> {
    let texts = modules()
        .into_iter()
        .filter_map(|bytes| wasmprinter::print_bytes(bytes).ok());
    texts
        .map(String::into_bytes)
        .filter(|text| text.len() < 1 << 14)
        .collect()
}

/// The programs of the corpus, lowered.
fn programs() -> Vec<Vec<u8>> {
    let cases = cases();
    let programs = cases.iter().filter_map(|case| case.program().ok());
    programs
        .map(|program| program.to_string().into_bytes())
        .filter(|text| text.len() < 1 << 15)
        .collect()
}

fn traces() -> Vec<Vec<u8>> {
    let entries = fs::read_dir(crate::case::folder()).expect("the corpus is there");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "trace")
    });
    paths
        .iter()
        .map(|path| fs::read(path).expect("readable"))
        .collect()
}

fn saved(computer: &Computer) -> Vec<Vec<u8>> {
    let programs = [
        "{ }",
        "{ i32.const 03 00 00 00 i32.const 05 00 00 00 i32.add 00 00 00 00 output 00 00 00 00 }",
    ];
    let runs = programs.into_iter().map(|text| {
        let program: Program = text.parse().expect("a program");
        let prompt = computer.prompt(&program);
        let words = computer.model().tokenizer.decode(&prompt);
        let trace = Interpreter::new(&program).map(|token| token.expect("no fault").to_string());
        let trace: Vec<_> = trace.take(7).collect();
        format!(
            "{} {} 1 {}\n{words}\n{}\n",
            SavedRun::MARK,
            prompt.len(),
            computer.digest(),
            trace.join(" ")
        )
        .into_bytes()
    });
    runs.collect()
}

/// The words of some texts.
fn words(texts: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let words = texts
        .iter()
        .flat_map(|text| text.split(u8::is_ascii_whitespace));
    let mut words: Vec<_> = words
        .filter(|word| (1..40).contains(&word.len()))
        .map(<[u8]>::to_vec)
        .collect();
    words.sort();
    words.dedup();
    words
}
