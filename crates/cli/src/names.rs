//! `names.json` of a model folder: the names of heads, neurons and slots.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Error, anyhow};
use weightware::{Model, Names};

use crate::failure::{Failure, Result};

pub(crate) const FILE: &str = "names.json";

/// No honest file is longer.
const LONGEST: u64 = 1 << 24;

/// Writes the names into a model folder.
pub(crate) fn write(names: &Names, folder: &Path) -> Result<()> {
    let path = folder.join(FILE);
    let written = serde_json::to_string_pretty(names)
        .map_err(Error::new)
        .and_then(|text| fs::write(&path, text + "\n").map_err(Error::new));
    written.map_err(|error| Failure::Failed(error.context(path.display().to_string())))
}

/// Reads the names of a model from its folder.
///
/// # Errors
/// If the file cannot be read, or its names are not this model's. The model decodes all the same.
pub(crate) fn read(model: &Model, folder: &Path) -> anyhow::Result<Names> {
    let path = folder.join(FILE);
    let read = || {
        let mut bytes = Vec::new();
        File::open(&path)?
            .take(LONGEST + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LONGEST {
            return Err(anyhow!("the file is longer than {LONGEST} bytes"));
        }
        let names: Names = serde_json::from_slice(&bytes)?;
        names.check(model)?;
        Ok(names)
    };
    read().with_context(|| path.display().to_string())
}
