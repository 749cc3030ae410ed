//! `program.json` of a model folder: how the program in its weights was lowered.

use std::fs;
use std::path::Path;

use anyhow::{Context, Error};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};

const FILE: &str = "program.json";

/// The program that a model has in its weights, and how it was lowered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// The file in the folder with the module, or with the text of a token program.
    pub(crate) file: String,
    /// The program's name, its first argument.
    pub(crate) name: String,
    /// Pages that its memory may grow to.
    pub(crate) memory_pages: Option<u32>,
    /// Whether it goes on in another context, and the address at which its state is saved then.
    pub(crate) turns: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state_address: Option<u32>,
    /// The export that is called instead of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) invoke: Option<Invocation>,
}

/// A call of an export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invocation {
    pub(crate) export: String,
    pub(crate) arguments: Vec<String>,
}

impl Stored {
    pub(crate) fn write(&self, folder: &Path, bytes: &[u8]) -> Result<()> {
        let program = folder.join(&self.file);
        let path = folder.join(FILE);
        let written = fs::write(&program, bytes)
            .with_context(|| program.display().to_string())
            .and_then(|()| Ok(serde_json::to_string_pretty(self)?))
            .and_then(|text| {
                fs::write(&path, text + "\n").with_context(|| path.display().to_string())
            });
        written.map_err(Failure::Failed)
    }

    /// Refuses a file outside the folder.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            Path::new(&self.file).file_name() == Some(self.file.as_ref()),
            "`file` is {:?}, which is no file of the folder",
            self.file
        );
        Ok(())
    }

    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let read = || -> anyhow::Result<Self> {
            let stored: Self = serde_json::from_str(&fs::read_to_string(&path)?)?;
            stored.check()?;
            Ok(stored)
        };
        read().map_err(|error: Error| {
            Failure::Refused(error.context(format!(
                "{}: it tells what the program in the weights reads; `weightware compile` writes it",
                path.display()
            )))
        })
    }
}
