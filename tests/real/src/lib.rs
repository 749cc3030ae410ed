//! Programs of people who did not know the machine: C sources that crates of crates.io bundle,
//! each with a driver of ours.
//!
//! `programs.toml` names the crates, their exact versions, sources and flags. Cargo downloads the
//! crates into its own cache and never builds them. [`Program::module`] compiles the sources to
//! WebAssembly by the clang that [`weightware::Clang`] finds, [`Program::native`] by the system's
//! C compiler.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod build;
mod manifest;
mod shell;
mod sources;

pub use build::{FLAGS, version};
pub use manifest::{Native, Program, Script, named, programs};
pub use shell::{Shell, folder};

use std::path::{Path, PathBuf};

/// A path in this package.
#[must_use]
pub fn path(name: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
