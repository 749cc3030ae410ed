//! C programs whose runs have millions of tokens. Their results must be those of an independent
//! engine, and every token must be the plain interpreter's.

mod page;

use std::fs;
use std::path::Path;

use weightware::{Computer, Engine, Profile, RunEnd};
use weightware_frontend::{Input, Options, lower};
use weightware_isa::{Interpreter, Outcome, Program, Token};

use crate::beside::{Beside, Stopped, is_store, next};
use crate::host;
use crate::streams::Streams;

pub use page::page;

/// The greatest length of a trace in one context: the greatest position of the default model.
const LIMIT: u64 = 22_000_000;

/// The greatest length of a trace in several contexts.
const TURNING_LIMIT: u64 = 1 << 40;

/// Tokens between two calls of the observer.
const WATCHED: usize = 1 << 18;

/// A program of `programs/long`.
#[derive(Debug, Clone)]
pub struct Long {
    /// The file's name without its extension.
    pub name: String,
    /// Its optimisation level, such as `O2`.
    pub level: String,
    wasm: Vec<u8>,
    input: Input,
}

/// The output of a program, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The bytes of output.
    pub streams: Streams,
    /// How it ended.
    pub outcome: Outcome,
}

/// The whole run of a program, as every way to run it must execute it.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The program with its input.
    pub program: Program,
    /// The result of the independent engine, and of the plain interpreter.
    pub said: Said,
    /// The number of tokens of the prompt.
    pub prompt: u64,
    /// The number of tokens of the trace.
    pub tokens: u64,
    /// The number of stores among them.
    pub stores: u64,
    /// The number of contexts.
    pub contexts: u64,
}

/// All programs in the order of their names; `programs.txt` lists them.
///
/// # Errors
/// If a file is missing or malformed; the message names it.
pub fn programs() -> Result<Vec<Long>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs/long");
    let list = text(&folder.join("programs.txt"))?;
    let lines = list.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| Long::read(&folder, line)).collect()
}

fn text(path: &Path) -> Result<String, String> {
    String::from_utf8(bytes(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

impl Long {
    /// Reads a line: a name, a level and the arguments. The file `NAME.txt`, if it exists, is the
    /// input.
    fn read(folder: &Path, line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let (Some(name), Some(level)) = (words.next(), words.next()) else {
            return Err(format!("programs.txt: {line:?} has no level"));
        };
        let input = folder.join(format!("{name}.txt"));
        Ok(Self {
            name: name.to_owned(),
            level: level.to_owned(),
            wasm: bytes(&folder.join(format!("{name}.wasm")))?,
            input: Input {
                bytes: match input.exists() {
                    true => bytes(&input)?,
                    false => vec![],
                },
                arguments: [name].into_iter().chain(words).map(Into::into).collect(),
                ..Input::default()
            },
        })
    }

    /// The program with other arguments.
    #[must_use]
    pub fn with_arguments(mut self, arguments: &[String]) -> Self {
        self.input.arguments.truncate(1);
        let arguments = arguments.iter().map(|argument| argument.clone().into());
        self.input.arguments.extend(arguments);
        self
    }

    /// The size of the module in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.wasm.len()
    }

    /// Runs the program in an independent engine.
    ///
    /// # Errors
    /// If it traps, or detects a wrong result.
    pub fn independent(&self) -> Result<Said, String> {
        let (streams, outcome) = host::run(&self.wasm, self.input.clone())?;
        match outcome {
            Outcome::Halted | Outcome::Exited(0) => Ok(Said { streams, outcome }),
            _ => Err(format!("by an independent engine: {outcome}, {streams}")),
        }
    }

    /// Runs the program in the plain interpreter, whose result must be that of an independent
    /// engine: in one context, or in those of a profile.
    ///
    /// # Errors
    /// If it is not.
    pub fn whole(&self, turning: Option<Profile>) -> Result<Whole, String> {
        let said = self.independent()?;
        let options = Options::default().with_turns(turning.is_some());
        let lowered = lower(&self.wasm, &options).map_err(|error| error.to_string())?;
        let program = lowered.with_input(self.input.clone());
        let (mut interpreter, limit) = match turning {
            None => (Interpreter::new(&program), LIMIT),
            Some(profile) => (profile.interpreter(&program), TURNING_LIMIT),
        };
        let (mut stores, mut contexts) = (0, 1);
        while interpreter.tokens() < limit
            && let Some(token) = next(&mut interpreter)
        {
            let token = token.map_err(|fault| fault.to_string())?;
            stores += u64::from(is_store(&token));
            contexts += u64::from(token == Token::Turned);
        }
        let tokens = interpreter.tokens();
        let Some(outcome) = interpreter.outcome() else {
            return Err(format!("does not end within {limit} tokens"));
        };
        let found = Said {
            streams: Streams::new(interpreter.output(), interpreter.stderr()),
            outcome,
        };
        found
            .is(&said)
            .map_err(|problem| format!("plain interpreter: {problem}"))?;
        Ok(Whole {
            prompt: program.full_prompt().count() as u64,
            program,
            said,
            tokens,
            stores,
            contexts,
        })
    }
}

impl Whole {
    /// The position of the last token; the prompt's first token is at position 0.
    #[must_use]
    pub fn last_position(&self) -> u64 {
        self.prompt + self.tokens - 1
    }

    /// Decodes the run from a token of the trace on, in lockstep with the plain interpreter, to its
    /// end or for at most `limit` tokens. Earlier tokens are prefilled. The observer gets the
    /// number of tokens so far.
    ///
    /// # Errors
    /// The first difference.
    pub fn decode(
        &self,
        computer: &Computer,
        engine: Engine,
        from: u64,
        limit: Option<u64>,
        mut watch: impl FnMut(u64),
    ) -> Result<(), String> {
        let name = engine.name();
        let mut beside = Beside::resumed(computer, &self.program, engine, from, limit)?;
        while beside.go(WATCHED)? {
            watch(beside.tokens());
        }
        let Stopped { tokens, end, .. } = beside.stopped();
        let reader = beside.run().reader();
        let streams = Streams::new(reader.output(), reader.stderr());
        let said = match (end, limit) {
            (RunEnd::Outcome(outcome), _) => Said { streams, outcome }.is(&self.said),
            (RunEnd::MaxTokens, Some(limit)) if tokens == from + limit => {
                let Streams { output, stderr } = &self.said.streams;
                let begun =
                    |whole: &[u8], said: &[u8]| whole[..said.len().min(whole.len())].to_vec();
                let wanted = Streams {
                    output: begun(output, &streams.output),
                    stderr: begun(stderr, &streams.stderr),
                };
                streams.are(&wanted)
            }
            (end, _) => Err(format!("{end:?} after {tokens} tokens")),
        };
        said.map_err(|problem| format!("{name}: {problem}"))
    }
}

impl Said {
    /// Compares two results, and describes the first difference.
    fn is(&self, wanted: &Self) -> Result<(), String> {
        self.streams.are(&wanted.streams)?;
        match self.outcome == wanted.outcome {
            true => Ok(()),
            false => Err(format!("{}, not {}", self.outcome, wanted.outcome)),
        }
    }
}
