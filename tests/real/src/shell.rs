//! Shell commands that install and compile.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of a failed command's messages that are worth a look.
const SHOWN: usize = 12;

/// A shell with folders that come before the others of `PATH`.
#[derive(Debug, Clone)]
pub struct Shell {
    path: std::ffi::OsString,
}

impl Shell {
    /// A shell with these folders before those of `PATH`.
    ///
    /// # Errors
    /// If a folder's name cannot stand in a `PATH`.
    pub fn new(before: &[PathBuf]) -> Result<Self, String> {
        let old = env::var_os("PATH").unwrap_or_default();
        let folders = before.iter().cloned().chain(env::split_paths(&old));
        let path = env::join_paths(folders).map_err(|error| error.to_string())?;
        Ok(Self { path })
    }

    /// Runs a command in a folder; what it prints on the standard output.
    ///
    /// # Errors
    /// If it fails; the error has the last lines of its messages.
    pub fn run(&self, command: &str, folder: &Path) -> Result<String, String> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command).current_dir(folder);
        shell.env("PATH", &self.path);
        for variable in ["ZIG_GLOBAL_CACHE_DIR", "GOCACHE"] {
            if env::var_os(variable).is_none() {
                shell.env(variable, cache(variable));
            }
        }
        let done = shell.output().map_err(|error| format!("sh: {error}"))?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        let messages = String::from_utf8_lossy(&done.stderr);
        let lines: Vec<&str> = messages.trim_end().lines().collect();
        let last = &lines[lines.len().saturating_sub(SHOWN)..];
        Err(format!("{command}: {}\n{}", done.status, last.join("\n")))
    }
}

/// The folder of these programs under cargo's folder for what is built.
#[must_use]
pub fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| root().join("target")).join("real")
}

/// The workspace's folder, two above this package's.
fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

fn cache(variable: &str) -> PathBuf {
    folder().join("cache").join(variable.to_lowercase())
}
