//! The manifest: which programs there are, and what they read.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use crate::{path, text};

/// A program of `programs.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its name, and that of its driver's folder.
    pub name: String,
    /// The task of the program here.
    pub about: String,
    /// Crates of crates.io, each with its version, `libz-sys@1.1.33`; the first one holds the
    /// sources.
    pub crates: Vec<String>,
    /// Sources in the crates' folders, after `@N/` in the crate of that number, 0 if none is named;
    /// `*` stands for any name in a folder.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Sources that a `*` must not stand for.
    #[serde(default)]
    pub without: Vec<String>,
    /// Folders of headers, written as sources are; `@stubs` has headers that WASI lacks.
    #[serde(default)]
    pub include: Vec<String>,
    /// More flags for clang.
    #[serde(default)]
    pub flags: Vec<String>,
    /// How the system's C compiler builds it, if that can.
    pub native: Option<Native>,
    /// Arguments, after the name.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The input; else that in the file `input.txt` beside the driver, if there is one.
    #[serde(default)]
    pub input: String,
    /// A file of this package that is the input, instead.
    pub input_file: Option<String>,
    /// Further inputs of the same module.
    #[serde(default, rename = "script")]
    pub scripts: Vec<Script>,
    /// The script that this program runs, if it is one of several.
    #[serde(skip)]
    pub script: Option<String>,
}

/// An input of a program that has several.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The file's name beside the driver, `sort.lua`.
    pub file: String,
    /// The task of the script.
    pub about: String,
}

/// The build of a program by the system's C compiler.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Native {
    /// Sources of the program that only WASI needs.
    #[serde(default)]
    pub without: Vec<String>,
    /// Flags, instead of those for WASI.
    #[serde(default)]
    pub flags: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    program: Vec<Program>,
}

/// All programs; one with several inputs comes once for each.
///
/// # Errors
/// If the manifest is missing or malformed.
pub fn programs() -> Result<Vec<Program>, String> {
    let text = text(&path("programs.toml"))?;
    let manifest: Manifest =
        toml::from_str(&text).map_err(|error| format!("tests/real/programs.toml: {error}"))?;
    let programs = manifest.program.into_iter();
    Ok(programs.flat_map(Program::with_scripts).collect())
}

/// The program of that name, with its first input.
///
/// # Errors
/// If there is none, or the manifest is missing or malformed.
pub fn named(name: &str) -> Result<Program, String> {
    let mut programs = programs()?.into_iter();
    programs
        .find(|program| program.name == name)
        .ok_or_else(|| format!("tests/real/programs.toml has no program {name:?}"))
}

impl Program {
    fn with_scripts(mut self) -> Vec<Self> {
        let scripts = std::mem::take(&mut self.scripts);
        let of_script = |script: Script| Self {
            about: script.about,
            input_file: Some(format!("{}/{}", self.name, script.file)),
            script: Some(script.file),
            ..self.clone()
        };
        let mut all: Vec<Self> = scripts.into_iter().map(of_script).collect();
        all.insert(0, self);
        all
    }

    /// The name, with the script's if there are several.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.script {
            Some(script) => format!("{}, {script}", self.name),
            None => self.name.clone(),
        }
    }

    /// The folder of the driver.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        path(&self.name)
    }

    /// The input that the program reads.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn input(&self) -> Result<Vec<u8>, String> {
        if !self.input.is_empty() {
            return Ok(self.input.clone().into_bytes());
        }
        let beside = self.folder().join("input.txt");
        let file = match &self.input_file {
            Some(name) => path(name),
            None if beside.exists() => beside,
            None => return Ok(vec![]),
        };
        fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))
    }

    /// The program's name and its arguments.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        [&self.name]
            .into_iter()
            .chain(&self.arguments)
            .map(String::as_str)
    }
}
