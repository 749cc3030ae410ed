//! Runs in files: `--save` and `--resume`. [`SavedRun`] has the format.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Error;
use weightware::{Computer, Program, RunWriter, SavedRun, Token, TokenId};

use crate::failure::{Failure, Result};

/// A file that is written while a run goes on.
pub(crate) struct Saver {
    writer: RunWriter<BufWriter<File>>,
    path: PathBuf,
}

impl Saver {
    /// Begins a file with the tokens so far.
    pub(crate) fn create(
        path: &Path,
        computer: &Computer,
        prompt: &[TokenId],
        trace: &[Token],
    ) -> Result<Self> {
        let failed = |error| failed(path, error);
        let file = BufWriter::new(File::create(path).map_err(failed)?);
        let mut saver = Self {
            writer: RunWriter::new(file, computer, prompt).map_err(failed)?,
            path: path.to_owned(),
        };
        for &token in trace {
            saver.token(token)?;
        }
        Ok(saver)
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
