//! The files of the corpus.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use weightware_frontend::{Input, Options, lower};
use weightware_isa::{Outcome, Program, Trap};

use crate::streams::Streams;

/// A way to run a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rung {
    /// An independent engine runs the module itself.
    Wasmi,
    /// The plain interpreter runs the lowered program. The rungs below must generate its tokens.
    Interpreter,
    /// The exact evaluator runs the machine's graph, in integers.
    Evaluator,
    /// The weights, by stock softmax over all past keys.
    Softmax,
    /// The weights, by hard-max over all past keys.
    Hardmax,
    /// The weights, by hard-max in convex hulls.
    Hull,
    /// The weights, by kernels specialised to them.
    Plan,
    /// The weights, by machine code of these kernels, for all cases that run on the rung before.
    Jit,
    /// The exported weights, by the independent forward pass of another library.
    Candle,
}

impl Rung {
    /// All rungs.
    pub const ALL: [Rung; 9] = [
        Rung::Wasmi,
        Rung::Interpreter,
        Rung::Evaluator,
        Rung::Softmax,
        Rung::Hardmax,
        Rung::Hull,
        Rung::Plan,
        Rung::Jit,
        Rung::Candle,
    ];
}

impl Rung {
    /// The rung that a case has to list for this rung.
    fn listed(self) -> Self {
        match self {
            Self::Jit => Self::Plan,
            other => other,
        }
    }
}

/// The expected result of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// The case runs and ends.
    Run {
        /// The bytes of output.
        streams: Streams,
        /// How the run ends.
        outcome: Outcome,
    },
    /// The case is refused, with an error that contains all of these texts.
    Refused(Vec<String>),
}

/// A case of the corpus.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file's name without its extension.
    pub name: String,
    /// The expected result.
    pub expected: Expected,
    /// The input, and the arguments of a WASI program.
    pub input: Input,
    /// The greatest length of the trace.
    pub max_tokens: u64,
    /// Whether the case runs on demand only.
    pub slow: bool,
    /// Whether the case has a golden trace.
    pub trace: bool,
    rungs: Option<Vec<Rung>>,
    code: Code,
}

#[derive(Debug, Clone)]
enum Code {
    Wasm(Vec<u8>),
    Tokens(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    wat: Option<String>,
    wasm: Option<PathBuf>,
    tokens: Option<String>,
    #[serde(default)]
    input: String,
    input_hex: Option<String>,
    #[serde(default)]
    arguments: Vec<String>,
    output: Option<String>,
    output_hex: Option<String>,
    stderr: Option<String>,
    stderr_hex: Option<String>,
    outcome: Option<End>,
    refused: Option<Vec<String>>,
    max_tokens: Option<u64>,
    rungs: Option<Vec<Rung>>,
    #[serde(default)]
    slow: bool,
    #[serde(default)]
    trace: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum End {
    Code(i64),
    Name(String),
}

/// All cases in the order of their names; if `$CASE` is set, those whose names contain it.
///
/// # Panics
/// If a file is not a case; the message names the file and the reason.
#[must_use]
pub fn cases() -> Vec<Case> {
    let filter = std::env::var("CASE").unwrap_or_default();
    let entries = fs::read_dir(folder()).expect("the corpus is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    paths.sort();
    let cases = paths.iter().map(|path| {
        Case::read(path).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()))
    });
    cases.filter(|case| case.name.contains(&filter)).collect()
}

/// The folder of the corpus.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

impl Case {
    fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let file: File = toml::from_str(&text).map_err(|error| error.to_string())?;
        if file.about.trim().is_empty() {
            return Err("`about` is empty".into());
        }
        let code = match (file.wat, file.wasm, file.tokens) {
            (Some(text), None, None) => {
                Code::Wasm(wat::parse_str(&text).map_err(|error| error.to_string())?)
            }
            (None, Some(path), None) => {
                let path = folder().join(path);
                let problem = |error| format!("{}: {error}", path.display());
                Code::Wasm(fs::read(&path).map_err(problem)?)
            }
            (None, None, Some(text)) => Code::Tokens(text),
            _ => return Err("give one of `wat`, `wasm`, `tokens`".into()),
        };
        let streams = Streams {
            output: bytes(file.output, file.output_hex)?,
            stderr: bytes(file.stderr, file.stderr_hex)?,
        };
        let expected = match (file.outcome, file.refused) {
            (Some(end), None) => Expected::Run {
                streams,
                outcome: end.outcome()?,
            },
            (None, Some(texts)) if streams == Streams::default() => Expected::Refused(texts),
            _ => return Err("give `outcome`, `output` and `stderr`, or `refused`".into()),
        };
        let stem = path.file_stem().expect("a file has a name");
        Ok(Self {
            name: stem.to_string_lossy().into_owned(),
            expected,
            input: Input {
                bytes: bytes(
                    Some(file.input).filter(|text| !text.is_empty()),
                    file.input_hex,
                )?,
                arguments: file.arguments.into_iter().map(String::into_bytes).collect(),
                ..Input::default()
            },
            max_tokens: file.max_tokens.unwrap_or(2_000),
            slow: file.slow,
            trace: file.trace,
            rungs: file.rungs,
            code,
        })
    }

    /// Whether the case runs on a rung.
    #[must_use]
    pub fn runs_on(&self, rung: Rung) -> bool {
        let possible = rung != Rung::Wasmi || matches!(self.code, Code::Wasm(_));
        let wanted = self
            .rungs
            .as_ref()
            .is_none_or(|rungs| rungs.contains(&rung.listed()));
        possible && wanted && matches!(self.expected, Expected::Run { .. })
    }

    /// The module's binary; `None` for a token program.
    #[must_use]
    pub fn wasm(&self) -> Option<&[u8]> {
        match &self.code {
            Code::Wasm(bytes) => Some(bytes),
            Code::Tokens(_) => None,
        }
    }

    /// Returns the program with its input.
    ///
    /// # Errors
    /// The error of the frontend or of the parser that refuses the case.
    pub fn program(&self) -> Result<Program, String> {
        self.program_with(&Options::default())
    }

    /// Returns the program with its input, lowered with the given options.
    ///
    /// # Errors
    /// The error of the frontend or of the parser that refuses the case.
    pub fn program_with(&self, options: &Options) -> Result<Program, String> {
        match &self.code {
            Code::Wasm(bytes) => {
                let lowered = lower(bytes, options).map_err(|error| error.to_string())?;
                Ok(lowered.into_program(&self.input))
            }
            Code::Tokens(text) => text
                .parse()
                .map_err(|error: weightware_isa::Error| error.to_string()),
        }
    }
}

impl End {
    fn outcome(&self) -> Result<Outcome, String> {
        match self {
            End::Code(code) => {
                let narrow = i32::try_from(*code).map(i32::cast_unsigned);
                let code = narrow.or_else(|_| u32::try_from(*code));
                code.map(Outcome::Exited)
                    .map_err(|_| "the exit code has more than 32 bits".into())
            }
            End::Name(name) if name == "halt" => Ok(Outcome::Halted),
            End::Name(name) => {
                let mut traps = Trap::ALL.into_iter();
                let trap = traps.find(|trap| trap.name() == name);
                trap.map(Outcome::Trapped)
                    .ok_or_else(|| format!("there is no outcome `{name}`"))
            }
        }
    }
}

/// The bytes of a text, or of hex digits.
fn bytes(text: Option<String>, hex: Option<String>) -> Result<Vec<u8>, String> {
    match (text, hex) {
        (Some(text), None) => Ok(text.into_bytes()),
        (None, Some(hex)) => {
            let bytes = hex
                .split_whitespace()
                .map(|byte| u8::from_str_radix(byte, 16));
            bytes
                .collect::<Result<_, _>>()
                .map_err(|error| format!("{hex:?}: {error}"))
        }
        (None, None) => Ok(vec![]),
        (Some(_), Some(_)) => Err("give a text or hex digits, not both".into()),
    }
}
