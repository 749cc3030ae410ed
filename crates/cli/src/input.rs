//! Programs, models and input, from where they are.

use std::fmt;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use anyhow::{Error, anyhow};
use weightware::{Computer, Input, Model, Options, Program, Source, profile_model};

use crate::args::MachineArgs;
use crate::failure::{Failure, Result};
use crate::say;

/// The longest program on stdin, in bytes.
const LONGEST_PROGRAM: u64 = 1 << 28;

/// A program, what it is called, and whether stdin has been used up for it.
pub(crate) struct Loaded {
    source: Source,
    name: String,
    from_stdin: bool,
}

impl Loaded {
    /// Reads the program from the file, or from stdin if it is `-`.
    pub(crate) fn read(file: &Path, quiet: bool) -> Result<Self> {
        let options = Options::default();
        let from_stdin = file == Path::new("-");
        let source = if from_stdin {
            let bytes = stdin("a program", LONGEST_PROGRAM, quiet)?;
            Source::parse_with(&bytes, &options)
                .map_err(|error| refused(error, "the program on stdin"))?
        } else {
            Source::read_with(file, &options)
                .map_err(|error| refused(error, &file.display().to_string()))?
        };
        let name = file.file_name().unwrap_or(file.as_os_str());
        Ok(Self {
            source,
            name: name.to_string_lossy().into_owned(),
            from_stdin,
        })
    }

    /// The function that an instruction of the program belongs to, if it was lowered from a module.
    pub(crate) fn function(&self, instruction: usize) -> Option<Function> {
        let Source::Wasm(lowered) = &self.source else {
            return None;
        };
        let location = lowered.location(instruction)?;
        Some(Function {
            name: location.name.to_owned(),
            index: location.function,
            offset: location.offset,
        })
    }

    /// The program with its arguments, and its input, which is read from stdin if it reads any.
    /// Input of more bytes than the horizon has tokens is refused.
    pub(crate) fn program(
        &self,
        horizon: u64,
        arguments: &[String],
        quiet: bool,
    ) -> Result<Program> {
        if !arguments.is_empty() && !self.source.reads_arguments() {
            return Err(Failure::Refused(anyhow!(
                "the program takes no arguments: it does not call WASI's `args_get`"
            )));
        }
        let names = std::iter::once(&self.name).chain(arguments);
        let mut input = Input {
            arguments: names.map(|name| name.clone().into_bytes()).collect(),
            ..Input::default()
        };
        if self.source.reads_bytes() {
            if self.from_stdin {
                return Err(Failure::Refused(anyhow!(
                    "the program reads input, but stdin holds the program itself; give the program as a file"
                )));
            }
            input.bytes = stdin("the program's input", horizon, quiet)?;
        }
        Ok(self.source.program(input))
    }
}

/// A function of a module, or code that the lowering adds.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Its index in the module; `None` for added code.
    pub(crate) index: Option<u32>,
    /// The offset of the operator in the binary; `None` for added code.
    pub(crate) offset: Option<u32>,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match (self.index, self.offset) {
            (Some(index), Some(offset)) => {
                write!(f, " (function {index}, byte {offset:#x} of the module)")
            }
            _ => f.write_str(" (added by the lowering)"),
        }
    }
}

/// The model in a folder, or the compiled one.
pub(crate) fn compiled_or(folder: Option<&Path>, machine: &MachineArgs) -> Result<Model> {
    match (folder, machine.profile()) {
        (Some(folder), None) => model(folder),
        (Some(_), Some(_)) => Err(Failure::Refused(anyhow!(
            "a model folder is what it is: --profile and --shape choose among compiled weights; leave out either --model or these"
        ))),
        (None, profile) => Ok(profile_model(profile.unwrap_or_default())),
    }
}

/// A computer with the model in a folder, or the compiled one.
pub(crate) fn computer(folder: Option<&Path>, machine: &MachineArgs) -> Result<Computer> {
    let model = compiled_or(folder, machine)?;
    Computer::new(model).map_err(|error| {
        Failure::Refused(anyhow!(
            "{error}; `weightware generate` decodes models of any vocabulary"
        ))
    })
}

/// The model in a folder.
pub(crate) fn model(folder: &Path) -> Result<Model> {
    Model::load(folder).map_err(|error| {
        let missing = error.is_io();
        let error = Error::new(error).context(format!("the model {}", folder.display()));
        Failure::Refused(match missing {
            true => anyhow!("{error:#}; `weightware weights --out DIR` writes a model folder"),
            false => error,
        })
    })
}

/// All of stdin, which holds `what`.
pub(crate) fn stdin(what: &str, limit: u64, quiet: bool) -> Result<Vec<u8>> {
    let stdin = io::stdin();
    if stdin.is_terminal() && !quiet {
        let keys = if cfg!(windows) {
            "Ctrl-Z and Enter"
        } else {
            "Ctrl-D"
        };
        say(&format!(
            "stdin is read for {what}, up to its end: {keys} on a line of its own"
        ));
    }
    let mut bytes = Vec::new();
    let read = stdin
        .lock()
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes);
    read.map_err(|error| Failure::Failed(Error::new(error).context("reading stdin")))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::Refused(anyhow!(
            "stdin holds more than the {limit} bytes that {what} may have; shorten it"
        )));
    }
    Ok(bytes)
}

fn refused(error: weightware::Error, place: &str) -> Failure {
    Failure::Refused(Error::new(error).context(place.to_owned()))
}
