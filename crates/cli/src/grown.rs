//! Programs that were grown into the weights of a model, which runs them by name.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result, printable};
use crate::stored::Stored;

/// The folder of a model's folder that has the files of its programs.
pub(crate) const FOLDER: &str = "programs";

/// The longest name.
const LONGEST: usize = 64;

/// A program in the weights of a model that has room for others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Grown {
    pub(crate) name: String,
    /// The number at which its block of code begins.
    pub(crate) start: u32,
    /// The number from which on its instructions count.
    pub(crate) first: u32,
    /// How it was lowered.
    pub(crate) program: Stored,
}

impl Grown {
    /// The file of its module.
    pub(crate) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(FOLDER).join(&self.program.file)
    }
}

/// The names of programs, for messages.
pub(crate) fn names(programs: &[Grown]) -> String {
    let names: Vec<String> = programs
        .iter()
        .map(|grown| format!("`{}`", printable(&grown.name)))
        .collect();
    match names.is_empty() {
        true => "no program".to_owned(),
        false => names.join(", "),
    }
}

/// Refuses a name that is not plain, or that a program has. Files differ by more than the case of
/// letters.
pub(crate) fn check_name(name: &str, programs: &[Grown]) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if !(begins && name.bytes().all(is_plain) && name.len() <= LONGEST) {
        return Err(Failure::Refused(anyhow!(
            "--as: `{}` is no name of a program: use letters, digits, `-` and `_`, at most {LONGEST}, and begin with a letter or digit",
            printable(name)
        )));
    }
    let mut known = programs.iter();
    match known.find(|grown| grown.name.eq_ignore_ascii_case(name)) {
        Some(grown) => Err(Failure::Refused(anyhow!(
            "--as: the model has a program `{}` already; give this one another name",
            printable(&grown.name)
        ))),
        None => Ok(()),
    }
}
