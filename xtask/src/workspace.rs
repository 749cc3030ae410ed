//! The workspace's files, and programs that run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use weightware::Source;

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is a folder of the workspace")
}

/// A file under the root.
pub(crate) fn path(name: impl AsRef<Path>) -> PathBuf {
    root().join(name)
}

/// Cargo's folder for build results.
pub(crate) fn target() -> PathBuf {
    path(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// A path as seen from the root, if it is under it.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Writes a generated page of the documentation, or only checks that it would not change.
pub(crate) fn keep_page(file: &str, page: &str, check: bool, command: &str) -> Result<()> {
    let path = path(file);
    if check {
        let old = fs::read_to_string(&path).context(file.to_owned())?;
        ensure!(old == page, "{file} is out of date: {command}");
        println!("{file} is up to date");
        return Ok(());
    }
    fs::write(&path, page).context(file.to_owned())?;
    println!("written: {file}");
    Ok(())
}

/// The program of `programs/NAME`.
pub(crate) fn program(name: &str) -> Result<Source> {
    let path = path("programs").join(name);
    ensure!(
        path.exists(),
        "programs/{name} is missing: `cargo xtask programs` builds it"
    );
    Source::read(&path).with_context(|| format!("programs/{name}"))
}

/// A command that runs in the root.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// A cargo command that runs in the root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    command(
        std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        arguments,
    )
}

/// The standard output of a command.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| name.clone())?;
    let message = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {}", message.trim_end());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
