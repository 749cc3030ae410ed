//! Files of crates, in cargo's own cache.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Shell;
use crate::manifest::Program;

/// The folders of a program's crates.
pub(crate) struct Crates(Vec<PathBuf>);

impl Crates {
    pub(crate) fn of(program: &Program) -> Result<Self, String> {
        let shell = Shell::new(&[])?;
        let folders = program.crates.iter().map(|name| fetched(name, &shell));
        folders.collect::<Result<_, _>>().map(Self)
    }

    /// A path as the manifest writes it.
    pub(crate) fn place(&self, name: &str) -> Result<PathBuf, String> {
        if let Some(own) = name.strip_prefix('@')
            && own.starts_with(|first: char| first.is_ascii_alphabetic())
        {
            return Ok(crate::path(own));
        }
        let (number, rest) = match name.strip_prefix('@').and_then(|n| n.split_once('/')) {
            Some((number, rest)) => (number.parse().unwrap_or(usize::MAX), rest),
            None => (0, name),
        };
        let found = self.0.get(number);
        found
            .map(|folder| folder.join(rest))
            .ok_or(format!("{name:?}: there is no such crate"))
    }

    /// The files that names stand for, without some of them.
    pub(crate) fn files(
        &self,
        names: &[String],
        without: &[String],
    ) -> Result<Vec<PathBuf>, String> {
        let without: Vec<PathBuf> = without
            .iter()
            .map(|name| self.place(name))
            .collect::<Result<_, _>>()?;
        let mut files = vec![];
        for name in names {
            let found = matching(&self.place(name)?)?.into_iter();
            files.extend(found.filter(|file| !without.contains(file)));
        }
        Ok(files)
    }
}

/// The files that a path with at most one `*` in its last part stands for, by name.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let name = pattern.file_name().and_then(|name| name.to_str());
    let Some((before, after)) = name.and_then(|name| name.split_once('*')) else {
        return Ok(vec![pattern.to_owned()]);
    };
    let folder = pattern.parent().unwrap_or(Path::new(""));
    let at = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut found = vec![];
    for entry in fs::read_dir(folder).map_err(at)? {
        let name = entry.map_err(at)?.file_name();
        let is_one = name.to_str().is_some_and(|name| {
            let long_enough = name.len() >= before.len() + after.len();
            long_enough && name.starts_with(before) && name.ends_with(after)
        });
        if is_one {
            found.push(folder.join(name));
        }
    }
    found.sort();
    match found.is_empty() {
        true => Err(format!("{}: there is no such file", pattern.display())),
        false => Ok(found),
    }
}

/// The folder of a crate's sources, in cargo's own cache; cargo downloads them if it lacks them,
/// and compares them with the registry's checksum.
fn fetched(name: &str, shell: &Shell) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let cargo = cargo
        .or_else(home)
        .ok_or("neither CARGO_HOME nor HOME is set")?;
    let sources = cargo.join("registry/src");
    let unpacked = name.replacen('@', "-", 1);
    let find = || {
        let registries = fs::read_dir(&sources).ok()?;
        let mut folders = registries
            .flatten()
            .map(|entry| entry.path().join(&unpacked));
        folders.find(|folder| folder.is_dir())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    // Elsewhere than in this workspace, whose own packages have other names.
    shell.run(
        &format!("cargo info --quiet '{name}'"),
        &std::env::temp_dir(),
    )?;
    find().ok_or_else(|| format!("cargo did not leave {unpacked} in {}", sources.display()))
}
