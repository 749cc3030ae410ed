//! Runs in files: `--save` and `--resume`. [`SavedRun`] has the format.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::Error;
use weightware::{Computer, Program, RunWriter, SavedRun, Token, TokenId};

use crate::failure::{Failure, Result};

/// A file that is written while a run goes on. It has the last context alone: when another one
/// begins, a new file takes its place.
pub(crate) struct Saver {
    writer: RunWriter<BufWriter<File>>,
    path: PathBuf,
    /// The options that choose the machine.
    machine: String,
    /// The number of the context.
    context: u64,
}

impl Saver {
    /// Begins a file with the tokens so far.
    pub(crate) fn create(
        path: &Path,
        computer: &Computer,
        machine: String,
        saved: &SavedRun,
    ) -> Result<Self> {
        let failed = |error| failed(path, error);
        let file = BufWriter::new(File::create(path).map_err(failed)?);
        let SavedRun {
            prompt,
            trace,
            context,
        } = saved;
        let mut saver = Self {
            writer: RunWriter::new(file, computer, &machine, prompt, *context).map_err(failed)?,
            path: path.to_owned(),
            machine,
            context: *context,
        };
        for &token in trace {
            saver.token(token)?;
        }
        Ok(saver)
    }

    /// Goes on with the context that has begun with this prompt. Until its file is there, that of
    /// the context before stays.
    pub(crate) fn turn(&mut self, computer: &Computer, prompt: &[TokenId]) -> Result<()> {
        let context = self.context + 1;
        let begin = || {
            // The target of a link is replaced, not the link.
            let path = self.path.canonicalize()?;
            if !path.is_file() {
                let why = "a context has ended, and the file that holds it cannot be replaced by that of the next one; name a file on a disk";
                return Err(io::Error::other(why));
            }
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{}", std::process::id()));
            let new = path.with_file_name(name);
            let file = BufWriter::new(File::create(&new)?);
            let writer = RunWriter::new(file, computer, &self.machine, prompt, context)
                .and_then(|writer| fs::rename(&new, &path).map(|()| writer));
            if writer.is_err() {
                let _ = fs::remove_file(&new);
            }
            writer
        };
        self.writer = begin().map_err(|error| failed(&self.path, error))?;
        self.context = context;
        Ok(())
    }

    pub(crate) fn token(&mut self, token: Token) -> Result<()> {
        let written = self.writer.token(token);
        written.map_err(|error| failed(&self.path, error))
    }

    /// Writes what is left, and returns where it is.
    pub(crate) fn close(self) -> Result<PathBuf> {
        let written = self.writer.finish();
        written.map_err(|error| failed(&self.path, error))?;
        Ok(self.path)
    }
}

fn failed(path: &Path, error: std::io::Error) -> Failure {
    Failure::Failed(Error::new(error).context(format!("--save {}", path.display())))
}

/// The run that a file holds.
pub(crate) fn read(path: &Path, computer: &Computer) -> Result<SavedRun> {
    let refused = |error| Failure::Refused(resuming(path, error));
    let bytes = fs::read(path).map_err(|error| refused(Error::new(error)))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| refused(Error::new(weightware::Error::NotASavedRun)))?;
    SavedRun::parse(&text, computer).map_err(|error| refused(Error::new(error)))
}

/// The program of the run that a file holds.
pub(crate) fn program(path: &Path, saved: &SavedRun, computer: &Computer) -> Result<Program> {
    let program = saved.program(computer);
    program.map_err(|error| {
        let error = Error::new(error).context("--check needs a program");
        Failure::Refused(resuming(path, error))
    })
}

fn resuming(path: &Path, error: Error) -> Error {
    error.context(format!("--resume {}", path.display()))
}
