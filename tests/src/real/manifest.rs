//! The manifest of toolchains: how they compile their examples.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use weightware_frontend::Input;

/// A toolchain of `tests/toolchains/toolchains.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    /// Its name, and that of its folder under `tests/toolchains`.
    pub name: String,
    /// A shell command that succeeds if it is installed, and prints its version.
    pub version: String,
    /// How to install it, as a shell command.
    pub install: String,
    /// A package of PyPI, with its version, that holds it.
    pub pip: Option<String>,
    /// Packages of npm, with their versions, that hold it.
    #[serde(default)]
    pub npm: Vec<String>,
    /// The folder of the sources, if another toolchain compiles them too.
    pub folder: Option<String>,
    /// Programs that it compiles.
    #[serde(rename = "example")]
    pub examples: Vec<Example>,
}

/// A program that a toolchain compiles.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The name: the command writes `NAME.wasm`.
    pub name: String,
    /// The shell command that compiles it, among the sources.
    pub build: String,
    /// The file under `tests/toolchains` that is its input.
    pub input: Option<String>,
}

#[derive(Deserialize)]
struct Toolchains {
    toolchain: Vec<Toolchain>,
}

/// A path in this package.
pub(super) fn path(name: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn parse<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    let text = text(&path(name))?;
    toml::from_str(&text).map_err(|error| format!("tests/{name}: {error}"))
}

pub(super) fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// All toolchains.
///
/// # Errors
/// If the manifest is missing or malformed.
pub fn toolchains() -> Result<Vec<Toolchain>, String> {
    parse::<Toolchains>("toolchains/toolchains.toml").map(|manifest| manifest.toolchain)
}

impl Toolchain {
    /// The folder of the sources.
    #[must_use]
    pub fn sources(&self) -> PathBuf {
        path("toolchains").join(self.folder.as_ref().unwrap_or(&self.name))
    }
}

impl Example {
    /// The input that the program reads.
    pub(super) fn input(&self) -> Result<Input, String> {
        let bytes = match &self.input {
            Some(name) => text(&path("toolchains").join(name))?.into_bytes(),
            None => vec![],
        };
        Ok(Input {
            bytes,
            arguments: vec![self.name.clone().into_bytes()],
            ..Input::default()
        })
    }
}
