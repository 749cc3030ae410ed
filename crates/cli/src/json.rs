//! Where `--json` goes.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Error;
use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::say;

/// A file, which is opened before a run, so that no run is lost to a wrong path; or stderr.
pub(crate) struct JsonOut {
    path: PathBuf,
    file: Option<File>,
}

impl JsonOut {
    /// Opens the file; stderr if it is `-`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = match path == Path::new("-") {
            true => None,
            false => Some(File::create(path).map_err(|error| failed(path, error))?),
        };
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes the object.
    pub(crate) fn write(self, json: &Value) -> Result<()> {
        match self.file {
            None => {
                say(&json.to_string());
                Ok(())
            }
            Some(mut file) => writeln!(file, "{json}").map_err(|error| failed(&self.path, error)),
        }
    }
}

fn failed(path: &Path, error: std::io::Error) -> Failure {
    Failure::Failed(Error::new(error).context(format!("--json {}", path.display())))
}
